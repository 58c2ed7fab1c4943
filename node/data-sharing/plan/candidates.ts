/** The values that MEDIAN, MIN and the like choose from: a public grid over the bounds, so that which value comes out tells no more than it should. */
import { decimalToGrid } from "../manifests/grid.ts";
import type { Interval } from "./columns.ts";
import type { Expression, Vector } from "./plan.ts";
import { type Place, refuse } from "./sql-node.ts";

/** More would cost time and hardly any error less: the error grows with the logarithm of their number. */
export const candidatesMax = 1_000;

/**
 * The grid from the lower bound on, in steps of the column's own grid. `step` is in the unit of the value with `scale` decimal places; null
 * for the least of 1, 2, 5, 10, 20, ... steps that gives at most `most` candidates. A row counts for the nearest candidate.
 */
export function candidatesOf(
  of: Expression,
  { low, high }: Interval,
  scale: number,
  step: number | null,
  most: number,
  place: Place,
): { first: bigint; vector: Extract<Vector, { kind: "buckets" }> } {
  const steps = step === null ? fittingStep(high - low, most) : decimalToGrid(step, scale);
  if (steps === null || steps <= 0n)
    refuse(place, `its candidates are declared with more than ${scale} decimal places`);
  const count = (high - low) / steps + 1n;
  if (count > BigInt(most)) refuse(place, `it would choose from ${count} candidates, more than ${most}`);
  if (count < 2n) refuse(place, "its candidates lie farther apart than its bounds");
  const vector = {
    kind: "buckets" as const,
    of,
    low: String(low - steps / 2n),
    step: String(steps),
    buckets: Number(count),
  };
  return { first: low, vector };
}

function fittingStep(span: bigint, most: number): bigint {
  for (let power = 1n; ; power *= 10n) {
    for (const factor of [1n, 2n, 5n])
      if (span / (factor * power) + 1n <= BigInt(most)) return factor * power;
  }
}
