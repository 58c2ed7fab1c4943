/**
 * How far consent may have been withdrawn without a trace: where the chain has entries of this log that the state has not, it was restored from
 * a backup, and among what it lost there may be withdrawals. What was given up to then counts no more; people may give it again.
 */
import type { StateDatabase } from "./state-database.ts";

/** Inside of the transaction that takes over what is lost. */
export function raiseConsentHorizon(database: StateDatabase): void {
  database.run("UPDATE consent_horizon SET sequence = (SELECT coalesce(max(sequence), 0) FROM consents)");
}

/** The newest consent that counts no more. */
export function consentHorizon(database: StateDatabase): number {
  return database.get<{ sequence: number }>("SELECT sequence FROM consent_horizon")!.sequence;
}
