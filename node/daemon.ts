/**
 * The process around a node: starts it from its settings, stops it in order on SIGTERM, SIGINT, or when the process that forked it is gone
 * (so that nothing survives a lab that crashed), and ends at once on what nobody foresaw.
 */
import { parseArgs } from "node:util";
import { createLog, loggable } from "./api/log.ts";
import { loadConfig } from "./config.ts";
import { TrustedDataError } from "./errors.ts";
import { startNode } from "./node.ts";

/** Told to the parent process, if there is one, when the node is up. */
export interface NodeUp {
  endpoint: string;
  fingerprint: string;
  address: string;
}

/** Past this the process ends, whatever still runs. */
const stopMsMax = 20_000;

/**
 * Runs until it is told to stop; resolves when all is closed.
 * @throws TrustedDataError if the node cannot start.
 */
export async function runDaemon(
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  const config = loadConfig(file, environment);
  const log = createLog(config.logLevel);
  const crash = (error: unknown) => {
    log.fatal(loggable(error), "the node stops");
    process.exit(1);
  };
  process.on("uncaughtException", crash).on("unhandledRejection", crash);
  const stopping = toldToStop();
  try {
    const node = await startNode(config, { log });
    const { endpoint, fingerprint, address } = node;
    if (process.connected) process.send?.({ endpoint, fingerprint, address } satisfies NodeUp);
    log.info({ reason: await stopping.reason }, "the node stops");
    setTimeout(
      () => crash(new TrustedDataError("internal", "The node did not stop in time.")),
      stopMsMax,
    ).unref();
    await node.close();
  } finally {
    stopping.forget();
    process.off("uncaughtException", crash).off("unhandledRejection", crash);
    if (process.connected) process.disconnect();
  }
}

function toldToStop(): { reason: Promise<string>; forget: () => void } {
  const { promise: reason, resolve } = Promise.withResolvers<string>();
  const listeners = ["SIGTERM", "SIGINT", "disconnect"].map(
    (event) => [event, () => resolve(event)] as const,
  );
  for (const [event, listener] of listeners) process.on(event, listener);
  return {
    reason,
    forget: () => {
      for (const [event, listener] of listeners) process.off(event, listener);
    },
  };
}

if (import.meta.main) {
  try {
    const { values } = parseArgs({ options: { config: { type: "string" } } });
    await runDaemon(values.config);
    process.exit(0);
  } catch (error) {
    createLog("info").fatal(loggable(error), "the node cannot run");
    process.exit(1);
  }
}
