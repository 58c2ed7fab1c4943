/**
 * The lab's daemons, each a process of its own. They end with the lab: on a word from it, and when the channel to it closes, whatever
 * killed it. What a daemon says goes to a log file in its organisation's folder.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { NodeUp } from "./daemon.ts";
import { TrustedDataError } from "./errors.ts";

const daemonFile = fileURLToPath(new URL("./daemon.ts", import.meta.url));
/** Keys are opened, the log is anchored, DuckDB is loaded: seconds on a slow machine. */
const upMsMax = 60_000;
const stopMsMax = 15_000;

export interface RunningDaemon {
  name: string;
  up: NodeUp;
  /** Resolves when the process has ended, with how: its exit code or the signal. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

/** @throws TrustedDataError `daemon_failed` if it ends before it is up, naming its log. */
export async function startDaemon(name: string, configFile: string, logFile: string): Promise<RunningDaemon> {
  const log = openSync(logFile, "a", 0o600);
  const child = fork(daemonFile, ["--config", configFile], {
    stdio: ["ignore", log, log, "ipc"],
    // A Ctrl-C goes to the lab alone, which then stops its daemons in order.
    detached: true,
  });
  closeSync(log);
  const ended = once(child, "exit").then(([code, signal]) =>
    signal === null ? `exit code ${code}` : `signal ${signal}`,
  );
  const stop = () => stopProcess(child, ended);
  const timeout = AbortSignal.timeout(upMsMax);
  const up = once(child, "message", { signal: timeout }).then(
    ([message]) => message as NodeUp,
    () => undefined,
  );
  const first = await Promise.race([up, ended.then(() => undefined)]);
  if (first !== undefined) return { name, up: first, ended, stop };
  await stop();
  throw new TrustedDataError(
    "daemon_failed",
    `The node of ${name} did not start; its log says why: ${logFile}.`,
    {
      log: logFile,
    },
  );
}

async function stopProcess(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopMsMax);
  await ended;
  clearTimeout(timer);
}
