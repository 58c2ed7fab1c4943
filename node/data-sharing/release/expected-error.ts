/**
 * How far noise will move the numbers of an answer, before anything is asked: for groups of equal size, from the plan alone. For reports
 * only, so floating point does no harm here.
 */
import { rhoOf } from "../accounting/zcdp.ts";
import type { Output, Plan, Release, Vector } from "../plan/plan.ts";
import { planVariances } from "./answer.ts";

/** The 97.5% point of the normal distribution. */
const normalPoint = 1.959_963_985;
/** With 95% the exponential mechanism misses by less than ln(candidates / 5%) times twice its sensitivity over epsilon. */
const missedShare = 0.05;

export interface ExpectedError {
  name: string;
  kind: Output["kind"];
  /** Half the width of the 95% interval of the noise, in the unit of the column; null for a quantile and a key. */
  margin: number | null;
  /** For a quantile: by how many of the group's rows its rank is off, with 95%. */
  rank: number | null;
}

/** Of each shown column that is no key, for a group of `rows` rows. Averages and variances: at their worst within the bounds. */
export function expectedErrors(plan: Plan, rows: number): ExpectedError[] {
  return plan.outputs
    .filter((output) => output.shown && output.kind !== "key")
    .map((output) => ({
      name: output.name,
      kind: output.kind,
      margin: output.kind === "quantile" ? null : marginOf(output, plan, rows),
      rank: output.kind === "quantile" ? rankError(plan.releases[output.release]!, plan) : null,
    }));
}

function marginOf(output: Output, plan: Plan, rows: number): number {
  const deviation = (place: number): number => {
    const variance = planVariances(plan)[place]!;
    return variance === null ? 0 : Math.sqrt(Number(variance.numerator) / Number(variance.denominator));
  };
  switch (output.kind) {
    case "count":
      return normalPoint * deviation(output.release);
    case "sum":
      return (normalPoint * deviation(output.release)) / 10 ** output.scale;
    case "average": {
      const half = halfWidth(vectorOf(plan, output.sum));
      const moved = Math.hypot(deviation(output.sum), half * deviation(output.count));
      return (normalPoint * moved) / rows / 10 ** output.scale;
    }
    case "variance": {
      // Values spread evenly between the bounds.
      const variance = (2 * halfWidth(vectorOf(plan, output.sum))) ** 2 / 12;
      const moved = Math.hypot(deviation(output.squares), variance * deviation(output.count)) / rows;
      const unit = 10 ** output.scale;
      return output.root
        ? (normalPoint * moved) / (2 * Math.sqrt(variance)) / unit
        : (normalPoint * moved) / unit ** 2;
    }
    default:
      return 0;
  }
}

/**
 * By how many of a group's rows the rank of a released candidate is off, with 95% (Dwork and Roth 2014, corollary 3.12: the score is within
 * 2 sensitivity / epsilon * ln(candidates / 5%) of the best, which is 0); and by what the rank was moved inward.
 */
export function rankError(release: Release, plan: Pick<Plan, "vectors">): number {
  if (release.mechanism !== "exponential") return 0;
  const vector = plan.vectors[release.vector]!;
  const candidates = vector.kind === "buckets" ? vector.buckets : 1;
  const rho = rhoOf(BigInt(release.microRho));
  const epsilon = Math.sqrt((8 * Number(rho.numerator)) / Number(rho.denominator));
  const scores = ((2 * Number(release.sensitivity)) / epsilon) * Math.log(candidates / missedShare);
  return (scores + Math.abs(Number(release.offset))) / Number(release.quantile.denominator);
}

function vectorOf(plan: Plan, release: number): Vector {
  return plan.vectors[plan.releases[release]!.vector]!;
}

function halfWidth(vector: Vector): number {
  return vector.kind === "sum" ? (Number(vector.high) - Number(vector.low)) / 2 : 0;
}
