/** The machine's clock. Not monotonic: it may be set back, so nothing that must not happen twice may rest on it alone. */
import { setTimeout as sleepFor } from "node:timers/promises";
import type { Clock } from "../ledger/ports.ts";

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  /** Does not keep the process alive by itself. */
  sleep: (delayMs, signal) =>
    sleepFor(delayMs, undefined, signal === undefined ? { ref: false } : { ref: false, signal }),
};
