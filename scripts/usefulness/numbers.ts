/**
 * The numbers of an answer without noise, each with its sampling error: how far it would lie from the same number of another sample of as
 * many people, drawn alike. People are the units that are drawn, so somebody's rows count as one cluster (Cochran 1977, sections 2.9 and
 * 9A; linearised after Taylor for what is a ratio, 6.3 there; for quantiles the interval of Woodruff 1952).
 */
import type { Output, Plan } from "../../node/data-sharing/plan/plan.ts";
import type { GroupTally } from "./tally.ts";

/** The 97.5% point of the normal distribution. */
export const normalPoint = 1.959_963_985;

/** Both in the unit of the column. */
export interface SampledNumber {
  value: number;
  /** Half the width of the 95% interval; null where a sample says nothing of it, as of a maximum. */
  margin: number | null;
}

export type NumberOutput = Exclude<Output, { kind: "key" }>;

/** Null where nobody is there to be measured. */
export function sampledNumber(
  output: NumberOutput,
  plan: Plan,
  group: GroupTally,
  people: number,
): SampledNumber | null {
  const vectorOf = (release: number) => plan.releases[release]!.vector;
  const unit = "scale" in output ? 10 ** output.scale : 1;
  const perPerson = people > 1 ? people / (people - 1) : 1;
  const margin = (squares: number) => normalPoint * Math.sqrt(perPerson * Math.max(0, squares));
  switch (output.kind) {
    case "count":
    case "sum": {
      const [vector, cell] = [vectorOf(output.release), output.kind === "count" ? output.cell : 0];
      const total = group.sum(vector, cell);
      const squares = group.squares(vector, cell) - (total * total) / people;
      return { value: total / unit, margin: margin(squares) / unit };
    }
    case "average": {
      const [sum, count] = [vectorOf(output.sum), vectorOf(output.count)];
      const rows = group.sum(count);
      if (rows === 0) return null;
      const mean = group.sum(sum) / rows;
      const squares = group.squaresOf(weightsOf([sum, 1], [count, -mean]));
      return { value: (centreOf(plan, sum) + mean) / unit, margin: margin(squares) / rows / unit };
    }
    case "variance": {
      const [squared, sum, count] = [
        vectorOf(output.squares),
        vectorOf(output.sum),
        vectorOf(output.count),
      ] as const;
      const rows = group.sum(count);
      const divisor = output.sample ? rows - 1 : rows;
      if (divisor <= 0) return null;
      const mean = group.sum(sum) / rows;
      const variance = group.sum(squared) / rows - mean * mean;
      const weights = weightsOf([squared, 1], [sum, -2 * mean], [count, mean * mean - variance]);
      const ofVariance = margin(group.squaresOf(weights)) / rows;
      const shown = (variance * rows) / divisor;
      if (!output.root) return { value: shown / unit ** 2, margin: ofVariance / unit ** 2 };
      const root = Math.sqrt(shown);
      return { value: root / unit, margin: root === 0 ? 0 : ofVariance / (2 * root) / unit };
    }
    case "quantile":
      return quantile(output, plan, group, perPerson);
  }
}

function quantile(
  output: Extract<Output, { kind: "quantile" }>,
  plan: Plan,
  group: GroupTally,
  perPerson: number,
): SampledNumber | null {
  const release = plan.releases[output.release]!;
  const vector = plan.vectors[release.vector]!;
  if (release.mechanism !== "exponential" || vector.kind !== "buckets")
    throw new Error("a quantile is chosen from candidates");
  const counts = [...group.sums[release.vector]!].sort(([a], [b]) => a - b);
  const rows = counts.reduce((sum, [, count]) => sum + Number(count), 0);
  if (rows === 0) return null;
  const share = Number(release.quantile.numerator) / Number(release.quantile.denominator);
  const unit = 10 ** output.scale;
  const [step, first] = [Number(vector.step) / unit, Number(release.first) / unit];
  /** Where so many rows lie below, each bucket's rows spread evenly over it. */
  const bucketAt = (rank: number): number => {
    let below = 0;
    for (const [cell, count] of counts) {
      const upTo = below + Number(count);
      if (rank <= upTo) return cell - 0.5 + Math.max(0, rank - below) / Number(count);
      below = upTo;
    }
    return counts.at(-1)![0] + 0.5;
  };
  const bucket = Math.min(vector.buckets - 1, Math.max(0, Math.round(bucketAt(share * rows))));
  const value = first + bucket * step;
  if (share === 0 || share === 1) return { value, margin: null };
  const squares = group.squaresOfRank(release.vector, bucket, share);
  const ranks = normalPoint * Math.sqrt(perPerson * Math.max(0, squares));
  const width = bucketAt(share * rows + ranks) - bucketAt(share * rows - ranks);
  return { value, margin: (width / 2) * step };
}

function centreOf(plan: Plan, vector: number): number {
  const of = plan.vectors[vector]!;
  return of.kind === "sum" ? Number(of.centre) : 0;
}

/** By vector; one that is named twice has the sum of its weights. */
function weightsOf(...pairs: [vector: number, weight: number][]): Map<number, number> {
  const weights = new Map<number, number>();
  for (const [vector, weight] of pairs) weights.set(vector, (weights.get(vector) ?? 0) + weight);
  return weights;
}
