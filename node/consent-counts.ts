/**
 * How many people are enrolled and consent to what, for the custodian alone: the daemon writes the counts into its own folder, where `itd consent
 * counts` reads them. They are exact, so they are served to nobody: two of them tell who came between.
 */
import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ConsentedPeople } from "./data-sharing/consent/consented-people.ts";
import { needsConsent } from "./data-sharing/manifests/dataset-manifest.ts";
import type { DatasetStore } from "./data-sharing/ports.ts";
import type { Clock } from "./ledger/ports.ts";

const fileName = "consent-counts.json";
/** A million people are counted in some milliseconds. */
const intervalMs = 5_000;

const countsSchema = z.strictObject({
  timeS: z.int(),
  datasets: z.record(
    z.string(),
    z.strictObject({ enrolled: z.int(), consenting: z.record(z.string(), z.int()) }),
  ),
});

export type ConsentCounts = z.infer<typeof countsSchema>;

export interface ConsentCountsModules {
  clock: Clock;
  datasets: Pick<DatasetStore, "manifests">;
  people: Pick<ConsentedPeople, "counts">;
  onProblem: (error: unknown) => void;
}

/** Counts at once and then on a schedule, until aborted. */
export async function consentCountsLoop(
  stateFolder: string,
  modules: ConsentCountsModules,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      writeConsentCounts(stateFolder, modules);
    } catch (error) {
      modules.onProblem(error);
    }
    await modules.clock.sleep(intervalMs, signal).catch(() => undefined);
  }
}

/** What the daemon wrote last; undefined if it never did. */
export function readConsentCounts(stateFolder: string): ConsentCounts | undefined {
  try {
    return countsSchema.parse(JSON.parse(readFileSync(join(stateFolder, fileName), "utf8")));
  } catch {
    return undefined;
  }
}

function writeConsentCounts(stateFolder: string, { clock, datasets, people }: ConsentCountsModules): void {
  const consented = datasets.manifests().filter(needsConsent);
  if (consented.length === 0) return;
  const counts: ConsentCounts = {
    timeS: Math.floor(clock.nowMs() / 1000),
    datasets: Object.fromEntries(
      consented.map(({ name, purposes }) => [name, people.counts(name, purposes)]),
    ),
  };
  const file = join(stateFolder, fileName);
  writeFileSync(`${file}.new`, `${JSON.stringify(counts, null, 2)}\n`, { mode: 0o600 });
  chmodSync(`${file}.new`, 0o600);
  renameSync(`${file}.new`, file);
}
