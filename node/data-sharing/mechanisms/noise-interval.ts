/** How far noise alone moves a released number. Post-processing of public parameters, so floating point does no harm here. */
import { integerSquareRoot } from "./discrete-gaussian.ts";
import type { Rational } from "./rational.ts";

/** Two-sided confidence of every interval that the project prints. */
export const confidence = 0.95;

/** Up to this variance the exact weights are summed. */
const summedVarianceMax = 10_000;

/** The square of the 97.5% point of the normal distribution, over 10^40, rounded up. */
const normalPointSquared = 38414588206941259583613754373625968462134n;
const normalPointScale = 10n ** 40n;

/**
 * The least integer t with P(|noise| <= t) >= 95% for discrete Gaussian noise of this variance parameter, in units of the released integer.
 *
 * Summed from the exact weights up to a standard deviation of 100. Above, P(noise > t) is at most the normal tail beyond t + 1/2 (a convex
 * weight is at most its mean over the unit interval around it), and less by so little that t is one too large for fewer than one variance
 * in 1,000: the least t with (2 t + 1)^2 >= 4 z^2 variance, in integers.
 */
export function gaussianNoiseMargin(variance: Rational): bigint {
  const { numerator, denominator } = variance;
  const approximate = Number(numerator) / Number(denominator);
  if (approximate <= summedVarianceMax) return summedMargin(approximate);
  const squared = (4n * normalPointSquared * numerator) / (denominator * normalPointScale);
  // floor(square root) / 2, rounded up after taking off the half: 2 t + 1 > root unless it is exact.
  return (integerSquareRoot(squared) + 1n) / 2n;
}

function summedMargin(variance: number): bigint {
  const weight = (x: number) => Math.exp(-(x * x) / (2 * variance));
  let mass = 1;
  for (let x = 1; x <= Math.ceil(12 * Math.sqrt(variance)) + 1; x++) mass += 2 * weight(x);
  let inside = 1;
  let margin = 0;
  while (inside < confidence * mass) inside += 2 * weight(++margin);
  return BigInt(margin);
}
