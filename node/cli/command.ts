/**
 * What all commands have in common: the options that say which network and in whose name, one document or one text on stdout, errors as
 * one sentence with a code on stderr, and the exit code (0 done, 1 refused or failed, 2 wrong usage).
 */
import { Command, CommanderError } from "commander";
import { type ErrorCode, TrustedDataError } from "../errors.ts";
import type { Client, ClientOptions, Context, Terminal } from "./context.ts";
import { type Painter, painter } from "./style.ts";

export interface Outcome {
  /** With `--json` this is all that stdout gets; nothing more where it is undefined. */
  document: unknown;
  /** Else this. */
  text: string;
  /** 0 unless the operation failed in a way that has a document. */
  exitCode?: 0 | 1;
}

/** One call of a command. */
export interface Invocation {
  context: Context;
  terminal: Terminal;
  paint: Painter;
  options: ClientOptions;
  isJson: boolean;
  /** Opened when first asked for, closed when the command ends. */
  client(): Promise<Client>;
  /** Something to know that is no part of the answer: goes to stderr. */
  note(line: string): void;
}

export interface CommandSpec<Options> {
  /** As commander takes it: `publish <file>`. */
  usage: string;
  summary: string;
  /** After the summary in `--help`. */
  description?: string;
  /** Without the leading `itd`, each with what it does. */
  examples: readonly (readonly [command: string, what: string])[];
  configure?: (command: Command) => void;
  run: (
    args: readonly string[],
    options: Options & ClientOptions,
    invocation: Invocation,
  ) => Promise<Outcome>;
}

/** Receives the exit code of the command that ran. */
export interface Ending {
  exitCode: number;
}

/** A command of its own, not yet under any other. */
export function defineCommand<Options = object>(
  spec: CommandSpec<Options>,
  context: Context,
  ending: Ending,
): Command {
  const command = new Command();
  const [name, ...args] = spec.usage.split(" ");
  command.name(name!).summary(spec.summary);
  for (const argument of args) command.argument(argument);
  command.description([spec.summary, spec.description].filter(Boolean).join("\n\n"));
  spec.configure?.(command);
  command
    .option("--json", "print one JSON document on stdout and nothing else")
    .option("--state <dir>", "folder of the Living Lab to use (default .itd/lab, or ITD_STATE)")
    .option("--as <organisation>", "act in the name of this organisation of the lab")
    .option("--client <file>", "client configuration outside of a lab (or ITD_CLIENT)")
    .addHelpText("after", () => exampleText(spec.examples))
    .action(async () => {
      const options = command.opts<Options & ClientOptions & { json?: boolean }>();
      ending.exitCode = await runCommand(options.json === true, options, context, (invocation) =>
        spec.run(command.args, options, invocation),
      );
    });
  return command;
}

async function runCommand(
  isJson: boolean,
  options: ClientOptions,
  context: Context,
  run: (invocation: Invocation) => Promise<Outcome>,
): Promise<number> {
  const { terminal } = context;
  let opening: Promise<Client> | undefined;
  let isDone = false;
  const invocation: Invocation = {
    context,
    terminal,
    paint: painter(terminal.hasColour),
    options,
    isJson,
    client: () => {
      opening ??= context.openClient(options);
      return opening;
    },
    // Slower directories that nobody waits for any more are cut off at the end; that is nothing to know.
    note: (line) => {
      if (!isDone) terminal.err(`${line}\n`);
    },
  };
  try {
    const { document, text, exitCode } = await run(invocation);
    if (isJson && document !== undefined) terminal.out(`${JSON.stringify(document)}\n`);
    if (!isJson && text !== "") terminal.out(text.endsWith("\n") ? text : `${text}\n`);
    return exitCode ?? 0;
  } catch (error) {
    const exitCode = reportError(error, isJson, terminal);
    const isLab = (await opening?.catch(() => undefined))?.ids.size;
    if (describeError(error).code === "chain_unavailable" && isLab)
      terminal.err("Is the lab running? npx itd lab starts it again, with all that happened before.\n");
    return exitCode;
  } finally {
    isDone = true;
    await opening?.then((client) => client.close()).catch(() => undefined);
  }
}

/** Says what went wrong, and gives the exit code. */
export function reportError(error: unknown, isJson: boolean, terminal: Terminal): number {
  const { code, message, fields } = describeError(error);
  terminal.err(`itd: ${message} (${code})\n`);
  if (saysReasons(code))
    for (const [field, reason] of Object.entries(fields))
      if (!message.includes(reason)) terminal.err(`  ${field}: ${reason}\n`);
  if (process.env.ITD_DEBUG === "1" && error instanceof Error) terminal.err(`${error.stack}\n`);
  if (isJson) terminal.out(`${JSON.stringify({ error: { code, message, fields } })}\n`);
  return code === "usage" ? 2 : 1;
}

export function describeError(error: unknown): {
  code: ErrorCode;
  message: string;
  fields: Readonly<Record<string, string>>;
} {
  if (error instanceof TrustedDataError) return error;
  if (error instanceof CommanderError) {
    const message = error.message
      .replace(/^error: /, "")
      .replace(/\n\((Did you mean .*\?)\)$/s, ". $1")
      .replace(/(?<![.?])$/, ".");
    return { code: "usage", message: message[0]!.toUpperCase() + message.slice(1), fields: {} };
  }
  const what = error instanceof Error ? error.message.split("\n")[0] : String(error);
  return {
    code: "internal",
    message: `Something happened that nobody foresaw (${what}). ITD_DEBUG=1 shows where; please report it.`,
    fields: {},
  };
}

/** Whether the fields of an error of this code are reasons that somebody reads; others are facts for programs. */
function saysReasons(code: ErrorCode): boolean {
  return (
    ["manifest_invalid", "config_invalid", "parameter_invalid", "algorithm_unknown"].includes(code) ||
    code.startsWith("data_file")
  );
}

/** Wrong usage that commander cannot see. */
export function usageError(message: string, fields: Record<string, string> = {}): TrustedDataError {
  return new TrustedDataError("usage", message, fields);
}

function exampleText(examples: CommandSpec<unknown>["examples"]): string {
  const lines = examples.flatMap(([command, what]) => [`  ${what}`, `    $ itd ${command}`]);
  return ["", "Examples:", ...lines].join("\n");
}
