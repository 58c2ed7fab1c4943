/** `itd query`: asks every repository that has matching data, and puts the safe answers together. */
import type { Command } from "commander";
import { askAll, type Failure } from "../data-sharing/ask-all.ts";
import { type Ended, Querier } from "../data-sharing/querier.ts";
import { presentTogether } from "../data-sharing/release/side-by-side.ts";
import { answersLeftOf } from "./answers-left.ts";
import { defineCommand, type Ending, type Invocation, type Outcome, usageError } from "./command.ts";
import type { Context } from "./context.ts";
import { findAlgorithm, problemNotes, readable } from "./find-algorithm.ts";
import { showProgress } from "./progress.ts";
import { failureDocument } from "./query-failure.ts";
import { type Answered, answerDocument, answerText } from "./query-output.ts";
import { chooseOffers, choosePurpose, readParameters } from "./question.ts";
import { type SavedReceipt, saveReceipts } from "./receipts.ts";

interface QueryOptions {
  dataset: string;
  algorithm: string;
  param?: string[];
  purpose?: string;
  mode: string;
  receipt?: string;
  wait: string;
}

/** An anchoring interval longer than this is not worth holding a terminal for. */
const waitSecondsMax = 3_600;

export function queryCommand(context: Context, ending: Ending): Command {
  return defineCommand<QueryOptions>(
    {
      usage: "query",
      summary: "ask: a vetted algorithm over data that stays where it is",
      description:
        "Every repository with a matching dataset is asked; each adds noise before anything leaves it, and the answers are put together here. " +
        "± is the margin within which the noise alone stays 95% of the time. The receipts prove that the rules were kept.",
      examples: [
        [
          "query --dataset wages --algorithm union-wage-premium --purpose dpv:AcademicResearch",
          "All repositories with wages",
        ],
        [
          "query --dataset trips --algorithm trips-by-hour --param mode=bicycle --purpose dpv:AcademicResearch --receipt trips.json",
          "With a parameter; the receipt goes to a file that you choose",
        ],
      ],
      configure: (command) =>
        command
          .requiredOption(
            "--dataset <name>",
            "name of a dataset, or words that describe it; may match several repositories",
          )
          .requiredOption(
            "--algorithm <name>",
            "name of an approved algorithm (its newest version), or its hash",
          )
          .option("--param <name=value>", "a parameter of the algorithm; repeat for more", collect)
          .option(
            "--purpose <term>",
            "what the answer is for (Data Privacy Vocabulary); needed where several are permitted",
          )
          .option("--mode <mode>", "where the answer is computed: repository", "repository")
          .option(
            "--receipt <file>",
            "where the receipt goes; of several repositories the first, the others beside it",
          )
          .option("--wait <seconds>", "how long to wait until receipts are anchored", "30"),
      run: async (_args, options, invocation) => await query(options, invocation),
    },
    context,
    ending,
  );
}

async function query(options: QueryOptions, invocation: Invocation): Promise<Outcome> {
  requireMode(options.mode);
  const waitSeconds = readWait(options.wait);
  const given = readParameters(options.param ?? []);
  const client = await invocation.client();
  const onProblem = problemNotes(invocation.note);
  const { manifest: algorithm } = readable(await findAlgorithm(client, options.algorithm, true, onProblem));
  const offers = await chooseOffers(client, options.dataset, algorithm, invocation.note);
  const parameters = given(algorithm);
  const purpose = choosePurpose(options.purpose, algorithm, offers);

  const signer = await client.signer();
  const querier = new Querier({ ...client, signer });
  const progress = showProgress(offers, invocation.terminal);
  const { answered, failures } = await askAll(
    querier,
    { algorithm, parameters, purpose },
    offers,
    progress.onStage,
  ).finally(() => progress.stop());
  const inOrder = (one: Pick<Ended, "offer">, other: Pick<Ended, "offer">) =>
    offers.indexOf(one.offer) - offers.indexOf(other.offer);
  answered.sort(inOrder);
  failures.sort(inOrder);

  const ended = [...answered, ...failures.flatMap((failure) => failure.ended ?? [])];
  const receipts = await saveReceipts(ended, { file: options.receipt, waitSeconds }, client, invocation);
  if (answered.length === 0) return refused(failures, receipts, invocation);
  const plans = answered.map(({ offer, plan, answer }) => {
    return { publisher: offer.publisher, plan: plan!, released: answer! };
  });
  const result: Answered = {
    algorithm,
    purpose,
    presented: presentTogether(plans),
    answered,
    failures,
    receipts,
    answersLeft: await answersLeftOf(answered, client, onProblem),
  };
  return { document: answerDocument(result), text: answerText(result, client, invocation) };
}

/** Nobody answered: the receipts of logged refusals are worth keeping all the same. */
function refused(failures: Failure[], receipts: SavedReceipt[], { isJson, terminal }: Invocation): Outcome {
  const codes = [...new Set(failures.map(({ code }) => code))];
  const code = codes.length === 1 ? codes[0]! : "no_answer";
  const reasons = failures.map(({ offer, message }) => `${offer.publisher}: ${message}`);
  const message =
    failures.length === 1
      ? `${failures[0]!.offer.publisher} gave no answer: ${failures[0]!.message}`
      : `None of the ${failures.length} repositories answered.`;
  terminal.err(`itd: ${message} (${code})\n`);
  if (failures.length > 1)
    for (const [i, reason] of reasons.entries()) terminal.err(`  ${reason} (${failures[i]!.code})\n`);
  if (!isJson)
    for (const { file, publisher } of receipts)
      terminal.err(`The refusal of ${publisher} is signed and logged; its receipt is in ${file}\n`);
  const fields = Object.fromEntries(failures.map(({ offer, code: own }) => [offer.publisher, own]));
  return {
    document: {
      error: { code, message, fields },
      failures: failures.map(failureDocument),
      receipts: receipts.map(({ file }) => file),
    },
    text: "",
    exitCode: 1,
  };
}

function requireMode(mode: string): void {
  if (mode === "repository") return;
  throw usageError(
    mode === "mpc"
      ? "--mode mpc comes with secure computation, which is not part of this version; use --mode repository."
      : `There is no mode ${JSON.stringify(mode)}; use --mode repository.`,
  );
}

function readWait(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= waitSecondsMax) return Number(text);
  throw usageError(`--wait takes whole seconds from 0 to ${waitSecondsMax}.`);
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
