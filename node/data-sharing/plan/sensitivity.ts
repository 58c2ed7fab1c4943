/** How far one person can move a released vector: what its noise is measured against. */
import type { Vector } from "./plan.ts";

/**
 * The largest L2 change of the vector when one person with at most `rowsPerPerson` rows comes or goes; at least 1.
 *
 * Each row lies in one group at most and moves that group's number by at most m: 1 for a count, the farther of the bounds from the
 * centre for a sum. The changes of all groups together are at most rowsPerPerson * m in absolute sum (L1), and the L2 norm is never above
 * the L1 norm. All rows in one group reach it.
 */
export function sensitivityOf(vector: Vector, rowsPerPerson: number): bigint {
  const rows = BigInt(rowsPerPerson);
  if (vector.kind === "count") return rows;
  const [below, above] = [BigInt(vector.low), BigInt(vector.high)].map((bound) => {
    const distance = bound - BigInt(vector.centre);
    return distance < 0n ? -distance : distance;
  }) as [bigint, bigint];
  const farthest = below > above ? below : above;
  return rows * (farthest > 1n ? farthest : 1n);
}
