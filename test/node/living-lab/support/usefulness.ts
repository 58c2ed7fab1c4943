/** How far the noise moves what an algorithm of the lab says: many seeded releases against the numbers without noise and without clamps. */
import type { AlgorithmManifest } from "../../../../node/data-sharing/manifests/algorithm-manifest.ts";
import type { DatasetManifest } from "../../../../node/data-sharing/manifests/dataset-manifest.ts";
import { compilePlan } from "../../../../node/data-sharing/plan/compile-plan.ts";
import { executePlan, type PersonRow } from "../../../../node/data-sharing/plan/evaluate.ts";
import type { Plan } from "../../../../node/data-sharing/plan/plan.ts";
import { planHash } from "../../../../node/data-sharing/plan/plan-hash.ts";
import type { ExactAnswer, Randomness } from "../../../../node/data-sharing/ports.ts";
import {
  planVariances,
  type ReleasedAnswer,
  varianceText,
} from "../../../../node/data-sharing/release/answer.ts";
import { combineAnswers } from "../../../../node/data-sharing/release/combine.ts";
import type { PresentedAnswer } from "../../../../node/data-sharing/release/presented-answer.ts";
import { releaseAnswer } from "../../../../node/data-sharing/release/release.ts";
import { SeededRandom } from "../../../../node/living-lab/data/seeded-random.ts";

export interface Holding {
  manifest: DatasetManifest;
  rows: PersonRow[];
}

export interface Usefulness {
  /** By output: the median over groups and releases of |released - true| / |true|, in percent. */
  medianErrorPercent: Record<string, number>;
  /** By output: the median and largest 95% margin that is shown. */
  margins: Record<string, { median: number; largest: number }>;
  /** Of all released numbers, those whose number without noise (but clamped) lies within their margin. */
  insidePercent: number;
  /** Groups with ten people or more that a release suppressed, in percent. */
  lostPercent: number;
}

export function usefulnessOf(
  algorithm: AlgorithmManifest,
  holdings: Holding[],
  parameters: Record<string, string | number> = {},
  releases = 20,
): Usefulness {
  const parts = partsOf(algorithm, holdings, parameters);
  const clamped = combineAnswers(
    parts.map(({ plan, exact }) => ({ plan, released: withoutNoise(plan, exact) })),
  );
  const truth = combineAnswers(
    partsOf({ ...algorithm, clamp: {} }, holdings, parameters).map(({ plan, exact }) => ({
      plan,
      released: withoutNoise(plan, exact),
    })),
  );
  const randomness = seededRandomness(algorithm.name);
  const seen: Seen[] = [];
  for (let release = 0; release < releases; release++) {
    const noisy = combineAnswers(
      parts.map(({ plan, exact }) => ({ plan, released: releaseAnswer(exact, plan, randomness) })),
    );
    seen.push(...compared(noisy, truth, clamped));
  }
  const released = seen.filter((one) => !one.lost);
  const names = [...new Set(released.map(({ name }) => name))];
  const of = (name: string) => released.filter((one) => one.name === name);
  return {
    medianErrorPercent: Object.fromEntries(
      names.map((name) => [name, median(of(name).map((one) => one.error))]),
    ),
    margins: Object.fromEntries(
      names.map((name) => {
        const margins = of(name).map(({ margin }) => margin);
        return [name, { median: median(margins), largest: Math.max(...margins) }];
      }),
    ),
    insidePercent: percent(released.filter(({ inside }) => inside).length, released.length),
    lostPercent: percent(seen.length - released.length, seen.length),
  };
}

interface Seen {
  name: string;
  error: number;
  margin: number;
  inside: boolean;
  lost: boolean;
}

/** Every number of every group that has enough people. */
function compared(noisy: PresentedAnswer, truth: PresentedAnswer, clamped: PresentedAnswer): Seen[] {
  const seen: Seen[] = [];
  for (const [place, row] of truth.rows.entries())
    for (const [column, { name, kind }] of truth.columns.entries()) {
      if (kind === "key" || row.suppressed || row.partial) continue;
      const other = noisy.rows[place]!;
      const lost = other.suppressed || other.partial;
      const [value, real, expected] = [other, row, clamped.rows[place]!].map((r) => Number(r.values[column]));
      const margin = Number(other.margins[column]);
      seen.push({
        name,
        error: (100 * Math.abs(value! - real!)) / Math.abs(real!),
        margin,
        inside: Math.abs(value! - expected!) <= margin,
        lost,
      });
    }
  return seen;
}

function partsOf(
  algorithm: AlgorithmManifest,
  holdings: Holding[],
  parameters: Record<string, string | number>,
) {
  return holdings.map(({ manifest, rows }) => {
    const plan = compilePlan(algorithm, parameters, manifest);
    return { plan, exact: executePlan(rows, plan) };
  });
}

function withoutNoise(plan: Plan, { vectors }: ExactAnswer): ReleasedAnswer {
  const exact = plan.releases.map(({ vector }) => vectors[vector]!);
  const shown = exact[plan.floor.release]!.map((count) => count >= BigInt(plan.floor.minimum));
  return {
    version: "itd-answer/2",
    plan: planHash(plan),
    groups: null,
    values: exact.map((values) =>
      values.map((value, index) =>
        shown[Math.floor((index * shown.length) / values.length)] ? String(value) : null,
      ),
    ),
    variances: planVariances(plan).map(varianceText),
  };
}

function seededRandomness(seed: string): Randomness {
  const random = new SeededRandom(seed);
  return { bytes: (count) => Uint8Array.from({ length: count }, () => random.integer(0, 255)) };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : (100 * part) / whole;
}
