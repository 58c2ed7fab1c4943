/**
 * How well each candidate serves as a quantile of bucketed rows, for the exponential mechanism (after Smith 2011): minus the number of
 * rows, in parts of a row, by which the candidate misses the target rank. Integers throughout.
 */
import { assert } from "../../primitives/assert.ts";
import type { MicroRho } from "../accounting/zcdp.ts";
import { microEpsilonOf } from "./exponential-mechanism.ts";

/** A share a / b of the rows, 0 <= a <= b: 1 / 2 is the median, 0 / 1 MIN, 1 / 1 MAX. */
export interface Quantile {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/**
 * Scores of the candidates, at most 0, in units of 1 / b rows. Candidate j stands for the rows of bucket j; with below_j and upto_j the
 * rows before and up to the end of it,
 *   score_j = -max(0, b below_j - target, target - b upto_j),   target = a n + offset.
 *
 * `offset` (same units; 0 for inner quantiles) moves the target inward, where MIN and MAX would else tie with every empty candidate beyond
 * them: plus `extremeOffset` for MIN, minus it for MAX. It never moves the target past the middle, so that of fewer rows than the offset is
 * worth something like the median comes out, and not the other end.
 *
 * One row more moves the target by d, from a to b / 2 (rounded either way), as it moves an unmoved target by a and the middle by b / 2; it
 * moves b below_j and b upto_j by 0 or b. So any score changes by at most max(d, b - d) <= max(a, b - a): see `quantileSensitivity`.
 */
export function quantileScores(
  bucketCounts: readonly bigint[],
  quantile: Quantile,
  offset: bigint,
): bigint[] {
  const { numerator: a, denominator: b } = quantile;
  assert(b > 0n && a >= 0n && a <= b, "a quantile is a share of the rows");
  const rows = bucketCounts.reduce((sum, count) => sum + count, 0n);
  const target = movedInward(a * rows, offset, (b * rows) / 2n);
  let below = 0n;
  return bucketCounts.map((count) => {
    const upto = below + count;
    const missed = largest(0n, b * below - target, target - b * upto);
    below = upto;
    return -missed;
  });
}

/** The most that a person with up to `rowsPerPerson` rows changes any score by, in the units of `quantileScores`, whatever the offset. */
export function quantileSensitivity(
  { numerator: a, denominator: b }: Quantile,
  rowsPerPerson: bigint,
): bigint {
  return rowsPerPerson * largest(a, b - a);
}

/**
 * How far inside the rows MIN and MAX aim: ceil(2 sensitivity / epsilon * ln(10 candidates)), after which all empty candidates beyond the
 * extreme together are drawn at most once in ten times. A function of public parameters alone; ln is taken from above, by the bit length of
 * the 16th power.
 */
export function extremeOffset(candidateCount: number, sensitivity: bigint, microRho: MicroRho): bigint {
  assert(candidateCount > 0, "there is a candidate");
  const bits = BigInt(((10n * BigInt(candidateCount)) ** 16n).toString(2).length);
  const divisor = 16n * microEpsilonOf(microRho);
  return (2n * sensitivity * bits * microLogOfTwo + divisor - 1n) / divisor;
}

/** ln 2 in millionths, rounded up. */
const microLogOfTwo = 693_148n;

function movedInward(target: bigint, offset: bigint, middle: bigint): bigint {
  if (offset === 0n) return target;
  if (offset > 0n) return smallest(target + offset, largest(target, middle));
  return largest(target + offset, smallest(target, middle));
}

function largest(...values: bigint[]): bigint {
  return values.reduce((a, b) => (a > b ? a : b));
}

function smallest(...values: bigint[]): bigint {
  return values.reduce((a, b) => (a < b ? a : b));
}
