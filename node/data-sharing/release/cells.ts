/**
 * Numbers as people read them, from noisy integers of one or several repositories: exact fixed point, each with the 95% margin of its
 * noise. The margin says how far noise moves the number, not how far a sample is from a population.
 */

import { formatDecimal } from "../manifests/grid.ts";
import { gaussianNoiseMargin } from "../mechanisms/noise-interval.ts";
import type { Rational } from "../mechanisms/rational.ts";
import { added, normalMargin, roundDivide, scaled, sum } from "./fixed-point.ts";

/** A noisy integer and the variance of its noise. */
export interface Tally {
  value: bigint;
  variance: Rational;
}

/** One repository's part of an average; sum and centre in the same steps. */
export interface AverageTerm {
  sum: Tally;
  count: Tally;
  /** What was taken off each value before it was summed. */
  centre: bigint;
}

/** Between which all values lie that are averaged, both inside; in the same steps. */
export interface Bounds {
  low: bigint;
  high: bigint;
}

export interface Cell {
  value: string | null;
  margin: string | null;
}

export const emptyCell: Cell = { value: null, margin: null };

/** An average is shown with two more decimal places than the values it is made of; a variance with two more than their squares. */
export const extraScale = 2;

/** A negative noisy count is shown as 0, which is nearer to any count that there can be. */
export function countCell(tallies: Tally[]): Cell {
  const { value, variance } = total(tallies);
  return {
    value: (value < 0n ? 0n : value).toString(),
    margin: gaussianNoiseMargin(variance).toString(),
  };
}

export function sumCell(tallies: Tally[], scale: number): Cell {
  const { value, variance } = total(tallies);
  return {
    value: formatDecimal(value, scale),
    margin: formatDecimal(gaussianNoiseMargin(variance), scale),
  };
}

/**
 * sum over parts of (S + centre * C) / sum of C. Nothing where the noisy count is not positive; what noise moved beyond the bounds is shown
 * as the bound, which is nearer to any average that there can be.
 *
 * The margin is approximate (delta method): to first order S moves the average A by 1 / C and C by (centre - A) / C. It holds where the
 * count is large against its own noise.
 */
export function averageCell(terms: AverageTerm[], { low, high }: Bounds, scale: number): Cell {
  const count = sum(terms.map((term) => term.count.value));
  if (count <= 0n) return emptyCell;
  const numerator = sum(terms.map((term) => term.sum.value + term.centre * term.count.value));
  const extra = 10n ** BigInt(extraScale);
  // The variance of A times count^4.
  const variance = terms
    .map(({ sum: { variance: ofSum }, count: { variance: ofCount }, centre }) =>
      added(scaled(ofSum, count * count), scaled(ofCount, (centre * count - numerator) ** 2n)),
    )
    .reduce(added);
  const { numerator: top, denominator: bottom } = scaled(variance, extra * extra);
  const margin = normalMargin({ numerator: top, denominator: bottom * count ** 4n });
  const average = roundDivide(numerator * extra, count);
  const [least, most] = [low * extra, high * extra];
  const held = average < least ? least : average > most ? most : average;
  return {
    value: formatDecimal(held, scale + extraScale),
    margin: formatDecimal(margin, scale + extraScale),
  };
}

/** The tally in steps of a finer grid. */
export function rescaledTally({ value, variance }: Tally, factor: bigint): Tally {
  return { value: value * factor, variance: scaled(variance, factor * factor) };
}

function total(tallies: Tally[]): Tally {
  return {
    value: sum(tallies.map((tally) => tally.value)),
    variance: tallies.map((tally) => tally.variance).reduce(added),
  };
}
