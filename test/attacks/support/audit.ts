/** Whether targets are in their cells, guessed from one answer by rules chosen before: the empirical rho over what was charged. */

import type { DatasetOffer } from "../../../node/data-sharing/discover.ts";
import type { AlgorithmManifest } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { asked, fresh, guesses, numberOf } from "./cells.ts";
import type { Daemon } from "./daemon.ts";
import { valuesOf } from "./reply.ts";
import { empiricalRho } from "./statistics.ts";

/** Says "in" where the score reaches the threshold. */
export interface Rule {
  of: (cell: number) => number;
  threshold: number;
}

export interface AuditOptions {
  targets: readonly boolean[];
  /** How many rules there are: each may give a false alarm, and pays for it. */
  looks: number;
  /** From the numbers of each vector, by cell. */
  scores: (vectors: number[][]) => Rule[];
}

export interface Audit {
  ratio: number;
  rho: number;
  charged: number;
  detail: string;
}

export async function audited(
  daemon: Daemon,
  offer: DatasetOffer,
  algorithm: AlgorithmManifest,
  { targets, looks, scores }: AuditOptions,
): Promise<Audit> {
  const reply = await daemon.ask(asked(algorithm, { fresh: fresh() }), offer);
  const charged = Number(reply.chargeMicroRho) / 1e6;
  const crowds = valuesOf(reply)[0]!
    .map(numberOf)
    .toSorted((a, b) => a - b);
  // An engine that fails answers as if nobody were there, and an audit of that would always pass.
  if (!(crowds[Math.floor(crowds.length * 0.9)]! >= 1)) throw new Error("the answer is over nobody");
  const rules = scores(valuesOf(reply).map((vector) => vector.map(numberOf)));
  if (rules.length !== looks) throw new Error(`${rules.length} rules were announced as ${looks}`);
  const tried = rules.map(({ of, threshold }) => guesses(targets, of, threshold));
  const rhos = tried.map((counted) => empiricalRho(counted, looks));
  const rho = Math.max(...rhos);
  const { inHits, inTrials, outHits, outTrials } = tried[rhos.indexOf(rho)]!;
  const detail = `${inHits}/${inTrials} in, ${outHits}/${outTrials} out: rho over ${rho.toPrecision(2)} of ${charged}`;
  return { ratio: rho / charged, rho, charged, detail };
}
