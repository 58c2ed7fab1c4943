/** `itd lab`: the Living Lab, a whole network on one machine. */
import type { Command } from "commander";
import type { LabOutput } from "../living-lab/ports.ts";
import { answerTable } from "./answer-table.ts";
import { defineCommand, type Ending, type Invocation, usageError } from "./command.ts";
import type { Context, LabOptions } from "./context.ts";
import { answerCharts, markNotes } from "./query-output.ts";
import { wrapText } from "./table.ts";
import { unitsOf } from "./units.ts";

const peopleMin = 1_000;
const peopleMax = 1_000_000;
/** Said once in a tour. */
const marginNote = "± : 95% of the time the noise alone stays within it.";

export function labCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ once?: boolean; fresh?: boolean; people: string; data?: string }>(
    {
      usage: "lab",
      summary: "the Living Lab: five organisations, their data and a chain, on this machine",
      description:
        "It shows a question from beginning to end, then stays up so that the other commands have something to talk to; " +
        "Ctrl-C stops it. What happened is kept and the lab goes on from there the next time.",
      examples: [
        ["lab", "Start, take the tour, and stay up"],
        ["lab --once", "Take the tour and exit"],
        ["lab --people 200000", "With more made-up people"],
        ["lab --fresh", "Forget what happened before and start anew"],
      ],
      configure: (command) =>
        command
          .option("--once", "take the tour and exit")
          .option("--fresh", "start anew: removes the lab's state, its receipts too")
          .option(
            "--people <number>",
            `made-up people in each synthetic dataset (${peopleMin} to ${peopleMax})`,
            "10000",
          )
          .option("--data <file>", "a CSV file to add to the lab as one more dataset"),
      run: async (_args, options, invocation) => {
        const people = Number(options.people);
        if (!/^\d+$/.test(options.people) || people < peopleMin || people > peopleMax)
          throw usageError(`--people takes a whole number from ${peopleMin} to ${peopleMax}.`);
        const lab: LabOptions = {
          state: context.labState(options),
          once: options.once === true,
          fresh: options.fresh === true,
          people,
          ...(options.data !== undefined && { data: options.data }),
        };
        await context.runLab(lab, labOutput(invocation));
        return { document: undefined, text: "" };
      },
    },
    context,
    ending,
  );
}

/** The tour is what a person came for, so it goes to stdout; a program gets the document alone, as soon as the tour is over. */
function labOutput({ terminal, paint, isJson }: Invocation): LabOutput {
  const say = (text: string) => {
    if (!isJson) terminal.out(`${text}\n`);
  };
  let isMarginKnown = false;
  return {
    progress: (line) => terminal.err(`${line} ...\n`),
    tell: (heading, lines) => {
      if (heading !== "") say(`\n${paint.bold(heading)}`);
      for (const line of lines) say(wrapLine(line, terminal.columns));
    },
    answer: (title, presented, asked) => {
      say(`\n${title}`);
      say(answerTable(presented, terminal.columns, paint, unitsOf(asked)));
      for (const chart of answerCharts(presented, terminal.columns, paint)) say(chart);
      const notes = [...(isMarginKnown ? [] : [marginNote]), ...markNotes(presented)];
      isMarginKnown = true;
      if (notes.length > 0) say(["", ...notes.map((note) => wrapText(note, terminal.columns))].join("\n"));
    },
    document: (document) => {
      if (isJson) terminal.out(`${JSON.stringify(document)}\n`);
    },
  };
}

/** Keeps the indentation of a line; what can be typed stays on one line. */
function wrapLine(line: string, width: number): string {
  const indent = /^ */.exec(line)![0];
  return line.includes("npx ") ? line : wrapText(line.trim(), width, indent);
}
