/** How far the noise moves what an algorithm of the lab says: many seeded releases against the numbers without noise and without clamps. */
import type { AlgorithmManifest } from "../../../../node/data-sharing/manifests/algorithm-manifest.ts";
import type { DatasetManifest } from "../../../../node/data-sharing/manifests/dataset-manifest.ts";
import { quantileScores } from "../../../../node/data-sharing/mechanisms/quantile-scores.ts";
import { compilePlan } from "../../../../node/data-sharing/plan/compile-plan.ts";
import { executePlan, type PersonRow } from "../../../../node/data-sharing/plan/evaluate.ts";
import { cellsOf, type Plan, type Release } from "../../../../node/data-sharing/plan/plan.ts";
import { planHash } from "../../../../node/data-sharing/plan/plan-hash.ts";
import type { ExactAnswer, Randomness } from "../../../../node/data-sharing/ports.ts";
import {
  planVariances,
  type ReleasedAnswer,
  varianceText,
} from "../../../../node/data-sharing/release/answer.ts";
import { combineAnswers, quantileIn } from "../../../../node/data-sharing/release/combine.ts";
import { compareLabelLists } from "../../../../node/data-sharing/release/labels.ts";
import type {
  PresentedAnswer,
  PresentedRow,
} from "../../../../node/data-sharing/release/presented-answer.ts";
import { releaseAnswer } from "../../../../node/data-sharing/release/release.ts";
import { SeededRandom } from "../../../../node/living-lab/data/seeded-random.ts";

export interface Holding {
  manifest: DatasetManifest;
  rows: PersonRow[];
}

export interface Usefulness {
  /** Of the outputs, those that are one of several candidates. */
  quantiles: string[];
  /** By output: the median over groups and releases of |released - true| / |true|, in percent. */
  medianErrorPercent: Record<string, number>;
  /** By output: the median and largest 95% margin that is shown. */
  margins: Record<string, { median: number; largest: number }>;
  /** Of all released numbers with a margin, those whose number without noise (but clamped) lies within their margin. */
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
  const [first] = partsOf(algorithm, holdings, parameters);
  // Medians of several repositories are shown side by side.
  const isApart = quantileIn([first!.plan]) !== undefined;
  const seen = (isApart ? holdings.map((holding) => [holding]) : [holdings]).flatMap((together) =>
    seenOf(algorithm, together, parameters, releases),
  );
  const released = seen.filter((one) => !one.lost);
  const names = [...new Set(released.map(({ name }) => name))];
  const of = (name: string) => released.filter((one) => one.name === name);
  const judged = released.filter(({ inside }) => inside !== null);
  return {
    quantiles: [...new Set(released.filter(({ inside }) => inside === null).map(({ name }) => name))],
    medianErrorPercent: Object.fromEntries(
      names.map((name) => [name, median(of(name).map((one) => one.error))]),
    ),
    margins: Object.fromEntries(
      names.map((name) => {
        const margins = of(name).map(({ margin }) => margin);
        return [name, { median: median(margins), largest: Math.max(...margins) }];
      }),
    ),
    insidePercent: percent(judged.filter(({ inside }) => inside).length, judged.length),
    lostPercent: percent(seen.length - released.length, seen.length),
  };
}

function seenOf(
  algorithm: AlgorithmManifest,
  holdings: Holding[],
  parameters: Record<string, string | number>,
  releases: number,
): Seen[] {
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
  return seen;
}

interface Seen {
  name: string;
  error: number;
  margin: number;
  /** Null where no margin is shown, as of a quantile. */
  inside: boolean | null;
  lost: boolean;
}

/** Every number of every group that has enough people. */
function compared(noisy: PresentedAnswer, truth: PresentedAnswer, clamped: PresentedAnswer): Seen[] {
  const [others, expectations] = [rowsByLabels(noisy), rowsByLabels(clamped)];
  const seen: Seen[] = [];
  for (const [labels, row] of rowsByLabels(truth))
    for (const [column, { name, kind }] of truth.columns.entries()) {
      if (kind === "key" || row.suppressed || row.partial) continue;
      const other = others.get(labels);
      if (other === undefined || other.suppressed || other.partial) {
        seen.push({ name, error: Number.NaN, margin: Number.NaN, inside: null, lost: true });
        continue;
      }
      const [value, real, expected] = [other, row, expectations.get(labels)!].map((one) =>
        Number(one.values[column]),
      );
      const shown = other.margins[column] ?? null;
      seen.push({
        name,
        error: (100 * Math.abs(value! - real!)) / Math.abs(real!),
        margin: Number(shown),
        inside: shown === null ? null : Math.abs(value! - expected!) <= Number(shown),
        lost: false,
      });
    }
  return seen;
}

function rowsByLabels({ columns, rows }: PresentedAnswer): Map<string, PresentedRow> {
  return new Map(
    rows.map((row) => [JSON.stringify(row.values.filter((_, at) => columns[at]!.kind === "key")), row]),
  );
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

/** What would be released if noise were nothing: groups under floor or threshold are kept back all the same. */
function withoutNoise(plan: Plan, exact: ExactAnswer): ReleasedAnswer {
  const numbers = plan.releases.map((release) => numbersOf(release, plan, exact));
  const isShown = (group: number) =>
    numbers[plan.floor.release]![group]![0]! >= BigInt(plan.floor.minimum) &&
    (plan.threshold === null ||
      numbers[plan.threshold.release]![group]![0]! >= BigInt(plan.threshold.minimum));
  const { groups } = exact;
  const places = [...numbers[0]!.keys()]
    .filter((group) => groups === null || isShown(group))
    .sort((a, b) => (groups === null ? a - b : compareLabelLists(groups[a]!, groups[b]!)));
  return {
    version: "itd-answer/2",
    plan: planHash(plan),
    groups: groups === null ? null : places.map((group) => groups[group]!),
    values: numbers.map((own) =>
      places.flatMap((group) => own[group]!.map((value) => (isShown(group) ? String(value) : null))),
    ),
    variances: planVariances(plan).map(varianceText),
  };
}

/** By group; of a quantile the candidate that fits best. */
function numbersOf(release: Release, plan: Plan, { vectors }: ExactAnswer): bigint[][] {
  const vector = plan.vectors[release.vector]!;
  const [all, cells] = [vectors[release.vector]!, cellsOf(vector)];
  const groups = Array.from({ length: all.length / cells }, (_, group) =>
    all.slice(group * cells, (group + 1) * cells),
  );
  if (release.mechanism === "gaussian" || vector.kind !== "buckets") return groups;
  const { quantile, offset, first } = release;
  const share = { numerator: BigInt(quantile.numerator), denominator: BigInt(quantile.denominator) };
  return groups.map((counts) => {
    const scores = quantileScores(counts, share, BigInt(offset));
    const best = scores.reduce((a, b) => (a > b ? a : b));
    return [BigInt(first) + BigInt(scores.indexOf(best)) * BigInt(vector.step)];
  });
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
