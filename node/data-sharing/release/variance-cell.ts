/** Variance and standard deviation from noisy sums, with the margin of their noise. */
import { formatDecimal } from "../manifests/grid.ts";
import { type AverageTerm, type Cell, emptyCell, extraScale, type Tally } from "./cells.ts";
import { added, normalMargin, roundDivide, roundSquareRoot, scaled, sum } from "./fixed-point.ts";

/** One repository's part of a variance: sums of value - centre and of its square, all in the same steps. */
export interface VarianceTerm extends AverageTerm {
  squares: Tally;
}

export interface VarianceKind {
  /** Over count - 1 rather than count. */
  sample: boolean;
  /** The standard deviation. */
  root: boolean;
}

/**
 * V = W / (N D) of W = M2 N - M1^2 for the count N, the sum M1 and the sum of squares M2 of all parts about zero, and D = N, or N - 1 for a
 * sample. Nothing where D is not positive; 0 where noise made V negative. `scale` is that of the values.
 *
 * The margin is approximate (delta method): to first order, with c the centre and A = M1 / N, squares move V by 1 / D, a sum by
 * 2 (c - A) / D, and a count by ((c - A)^2 - V) / D; it holds where the count is large against its own noise. The root is monotone, so its
 * interval is the root of that of V; its margin is the longer side, the lower one.
 */
export function varianceCell(terms: VarianceTerm[], { sample, root }: VarianceKind, scale: number): Cell {
  const count = sum(terms.map((term) => term.count.value));
  const divisor = sample ? count - 1n : count;
  if (divisor <= 0n) return emptyCell;
  const first = sum(terms.map((term) => term.sum.value + term.centre * term.count.value));
  const second = sum(
    terms.map(
      ({ squares, sum: { value }, count: { value: own }, centre }) =>
        squares.value + 2n * centre * value + centre * centre * own,
    ),
  );
  const signed = second * count - first * first;
  const numerator = signed < 0n ? 0n : signed;
  const ofDecimals = 10n ** BigInt(extraScale);
  // The variance of V times count^4 divisor^4; `away` is (c - A) count, and `byCount` ((c - A)^2 - V) count^2 divisor.
  const variance = terms
    .map(({ squares, sum: ofSum, count: ofCount, centre }) => {
      const away = centre * count - first;
      const byCount = away * away * divisor - numerator * count;
      return [
        scaled(squares.variance, count ** 4n * divisor ** 2n),
        scaled(ofSum.variance, (2n * away * count * divisor) ** 2n),
        scaled(ofCount.variance, byCount * byCount),
      ].reduce(added);
    })
    .reduce(added);
  const ofVariance = { ...variance, denominator: variance.denominator * count ** 4n * divisor ** 4n };
  if (!root) {
    const places = 2 * scale + extraScale;
    const margin = normalMargin(scaled(ofVariance, ofDecimals ** 2n));
    return {
      value: formatDecimal(roundDivide(numerator * ofDecimals, count * divisor), places),
      margin: formatDecimal(margin, places),
    };
  }
  const places = scale + extraScale;
  // In squares of the steps that are shown.
  const margin = normalMargin(scaled(ofVariance, ofDecimals ** 4n));
  const shown = numerator * ofDecimals ** 2n;
  const all = count * divisor;
  const value = roundSquareRoot(shown, all);
  const low = shown - margin * all;
  const below = value - roundSquareRoot(low < 0n ? 0n : low, all);
  const above = roundSquareRoot(shown + margin * all, all) - value;
  const longer = below > above ? below : above;
  // One step for what was rounded.
  return { value: formatDecimal(value, places), margin: formatDecimal(longer + 1n, places) };
}
