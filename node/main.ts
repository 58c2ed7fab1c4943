/** The `itd` command: joins the program with this machine's terminal, disk and network. Started by bin/itd.mjs. */
import { readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { writeWhole } from "./adapters/write-whole.ts";
import { reportError } from "./cli/command.ts";
import type { Context, Terminal } from "./cli/context.ts";
import { runProgram } from "./cli/program.ts";
import { labState } from "./client-config.ts";
import { TrustedDataError } from "./errors.ts";

/** Manifests and reviews are far smaller, receipts a little. */
const fileBytesMax = 8 * 1024 * 1024;
const defaultColumns = 80;
/** What is still open when a command is done does not hold the terminal for longer. */
const leaveMsMax = 2_000;
const parentWatchMs = 500;

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isInteractive: process.stderr.isTTY === true,
  hasColour: process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb",
  columns: columnsOf(process.stdout.columns),
  readFile: readText,
  writeFile: writeText,
};

/** Adapters load when a command needs them, so that the others start quickly. */
const context: Context = {
  version: versionOf(new URL("../package.json", import.meta.url)),
  terminal,
  openClient: async (options) => (await import("./client.ts")).openClient(options),
  openCustody: async (options) => (await import("./custody.ts")).openCustody(options),
  runNode: async (configFile) => (await import("./daemon.ts")).runDaemon(configFile),
  labState: (options) => labState(options),
  runLab: async (options, output) => (await import("./lab.ts")).runLab(options, output),
};

process.exitCode = await main();
setTimeout(() => process.exit(), leaveMsMax).unref();

async function main(): Promise<number> {
  // Timers of commands do not keep the process alive by themselves; this does, until the command is done.
  const alive = setInterval(() => undefined, 2 ** 30);
  const orphaned = watchParent();
  const unforeseen = (error: unknown) => process.exit(reportError(error, isJson(), terminal));
  process.on("uncaughtException", unforeseen).on("unhandledRejection", unforeseen);
  // Whoever reads our output may stop reading; that is no failure of ours.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  try {
    return await runProgram(process.argv.slice(2), context);
  } finally {
    clearInterval(alive);
    clearInterval(orphaned);
  }
}

/** npm ends its shell on a signal without telling what runs in it: then the command is told here. */
function watchParent(): NodeJS.Timeout | undefined {
  if (process.env.npm_command === undefined) return undefined;
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
  }, parentWatchMs).unref();
}

function isJson(): boolean {
  return process.argv.includes("--json");
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > fileBytesMax) throw unreadable(path, `it is longer than ${fileBytesMax} bytes`);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof TrustedDataError) throw error;
    throw unreadable(path, error instanceof TypeError ? "it is not UTF-8 text" : reasonOf(error));
  }
}

async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeWhole(resolve(path), text);
  } catch (error) {
    const reason = reasonOf(error);
    throw new TrustedDataError("file_unwritable", `${path} cannot be written: ${reason}.`, {
      file: path,
      reason,
    });
  }
}

function unreadable(path: string, reason: string): TrustedDataError {
  return new TrustedDataError("file_unreadable", `${path} cannot be read: ${reason}.`, {
    file: path,
    reason,
  });
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown";
  const words: Record<string, string> = {
    ENOENT: "there is no such file",
    EACCES: "you are not allowed to",
    EISDIR: "it is a folder",
    ENOTDIR: "a part of the path is no folder",
    ENOSPC: "the disk is full",
  };
  return words[code] ?? code;
}

function columnsOf(columns: number | undefined): number {
  const asked = Number(process.env.COLUMNS);
  // Some terminals say 0 where they do not know.
  const known = columns || (Number.isInteger(asked) && asked > 0 ? asked : defaultColumns);
  return Math.max(40, known);
}

function versionOf(manifest: URL): string {
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return version;
}
