/** From how many people on the noise of a number is smaller than its sampling error. */
import type { AlgorithmErrors, SizeError } from "./measure.ts";

export interface Crossing {
  people: number;
  /** Smaller already at the least number that was measured, or greater still at the largest. */
  kind: "at-most" | "about" | "more-than";
}

/** Of a series at a charge: between two sizes on a straight line, both scales logarithmic. Null where sampling has no error. */
export function crossingOf({ sizes }: AlgorithmErrors, series: number, charge: number): Crossing | null {
  const points = sizes.map((size) => ({ people: size.people, excess: excessOf(size, series, charge) }));
  if (points.some(({ excess }) => excess === null)) return null;
  const last = points.findLastIndex(({ excess }) => excess! > 0);
  const [before, after] = [points[last], points[last + 1]];
  if (before === undefined) return { people: after!.people, kind: "at-most" };
  if (after === undefined) return { people: before.people, kind: "more-than" };
  // Where groups are not shown before, or the noise moves nothing after, there is no line.
  if (!Number.isFinite(before.excess!) || !Number.isFinite(after.excess!))
    return { people: after.people, kind: "at-most" };
  const share = before.excess! / (before.excess! - after.excess!);
  const log = Math.log(before.people) + share * Math.log(after.people / before.people);
  return { people: Math.exp(log), kind: "about" };
}

/** The logarithm of noise over sampling error. */
function excessOf({ series }: SizeError, index: number, charge: number): number | null {
  const { noise, sampling } = series[index]!;
  return sampling === null ? null : Math.log(noise[charge]! / sampling);
}
