/** How far one person can move what is released: what its noise is measured against. */
import type { Bounding, Vector } from "./plan.ts";

/** What one person can do at most. */
export interface Contribution {
  /** Rows before bounding, all groups together. */
  rows: bigint;
  bounding: Bounding;
  /** Groups that there can be; null for any number. */
  groups: number | null;
}

/**
 * The square of the largest L2 change of the vector, over the cells of all groups, when one person comes or goes; at least 1.
 *
 * A row lies in one group at most and moves one cell of it by at most m: 1 for a count or a bucket, the farther of the bounds from the centre
 * for a sum, its square for squares. Stored bounding: the changes add up to at most rows * m (L1), and the L2 norm is never above the L1
 * norm. Bounding in the query: at most g groups, in each a change of at most rowsPerGroup * m (rescaling to rowsPerGroup rows' worth keeps
 * the total of a group's cells within that, and rounding toward zero only lessens it), so sqrt(g) * rowsPerGroup * m; both bounds hold, and
 * the smaller counts. Persons: one cell in each of g groups.
 */
export function sensitivitySquaredOf(vector: Vector, { rows, bounding, groups }: Contribution): bigint {
  const places = smallest(rows, bounding.kind === "query" ? BigInt(bounding.groups) : rows, groups);
  if (vector.kind === "people") return places;
  const most = largestChange(vector);
  const all = (rows * most) ** 2n;
  if (bounding.kind === "stored") return all;
  const perGroup = smallest(rows, BigInt(bounding.rowsPerGroup), null);
  return smallest(all, places * (perGroup * most) ** 2n, null);
}

/** Of one cell by one row; at least 1. */
function largestChange(vector: Exclude<Vector, { kind: "people" }>): bigint {
  if (vector.kind === "count" || vector.kind === "buckets") return 1n;
  const [below, above] = [BigInt(vector.low), BigInt(vector.high)].map((bound) => {
    const distance = bound - BigInt(vector.centre);
    return distance < 0n ? -distance : distance;
  }) as [bigint, bigint];
  const farthest = [below, above].reduce((a, b) => (a > b ? a : b), 1n);
  return vector.kind === "squares" ? farthest ** 2n : farthest;
}

function smallest(a: bigint, b: bigint, c: number | null): bigint {
  const least = a < b ? a : b;
  return c !== null && BigInt(c) < least ? BigInt(c) : least;
}
