/** The `itd` command: all verbs under one program, and what wrong usage does. */
import { Command, CommanderError } from "commander";
import { algorithmCommands } from "./algorithms.ts";
import { auditCommands } from "./audit.ts";
import { type Ending, reportError } from "./command.ts";
import { consentCommands } from "./consent.ts";
import type { Context } from "./context.ts";
import { councilCommands } from "./council.ts";
import { datasetCommands } from "./datasets.ts";
import { frameworkCommands } from "./framework.ts";
import { labCommand } from "./lab.ts";
import { nodeCommand } from "./node.ts";
import { queryCommand } from "./query.ts";
import { receiptCommands } from "./receipt.ts";

const about = `Answers about data without the data: vetted algorithms run where the data lives, only safe answers leave,
and a chain lets anyone check that the rules were kept.`;

const firstSteps = `
First steps:
  $ itd lab                   a whole network on this machine; leave it running
  $ itd datasets              in another terminal: what data there is
  $ itd algorithms            what may be asked
  $ itd query --help          how to ask

Every command takes --help, and --json for programs. Exit code: 0 done, 1 refused or failed, 2 wrong usage.`;

/** Runs one command line (without `node` and the script); gives the exit code. Never throws. */
export async function runProgram(argv: readonly string[], context: Context): Promise<number> {
  const ending: Ending = { exitCode: 0 };
  const program = createProgram(context, ending);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return ending.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, isJson(argv), context.terminal);
    if (error.exitCode === 0) return 0;
    return usageFailed(error, argv, context);
  }
}

export function createProgram(context: Context, ending: Ending): Command {
  const program = new Command("itd").description(about).version(context.version);
  program.addHelpText("after", firstSteps);
  const commands = [
    labCommand(context, ending),
    nodeCommand(context, ending),
    ...datasetCommands(context, ending),
    ...algorithmCommands(context, ending),
    queryCommand(context, ending),
    receiptCommands(context, ending),
    consentCommands(context, ending),
    auditCommands(context, ending),
    councilCommands(context, ending),
    frameworkCommands(context, ending),
  ];
  for (const command of commands) program.addCommand(command);
  for (const command of withDescendants(program)) prepare(command, context);
  return program;
}

export function withDescendants(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withDescendants)];
}

function prepare(command: Command, { terminal }: Context): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => terminal.out(text),
    writeErr: (text) => terminal.err(text),
    // Said once, by usageFailed.
    outputError: () => undefined,
    getOutHelpWidth: () => terminal.columns,
    getErrHelpWidth: () => terminal.columns,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  if (command.commands.length > 0) command.helpCommand(false);
}

function usageFailed(error: CommanderError, argv: readonly string[], { terminal }: Context): number {
  // A group without a verb has printed its help by now.
  if (error.code === "commander.help") {
    const missing = new CommanderError(2, error.code, "A command is missing; the help above lists them.");
    return reportError(missing, isJson(argv), terminal);
  }
  reportError(error, isJson(argv), terminal);
  terminal.err("Add --help to see what the command takes.\n");
  return 2;
}

function isJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? undefined : end).includes("--json");
}
