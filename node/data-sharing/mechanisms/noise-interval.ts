/** How far noise alone moves a released number. Post-processing of public parameters, so floating point does no harm here. */
import type { Rational } from "./rational.ts";

/** Two-sided confidence of every interval that the project prints. */
export const confidence = 0.95;

/**
 * The least integer t with P(|noise| <= t) >= 95% for discrete Gaussian noise of this variance parameter, in units of the released integer.
 * Summed from the exact weights up to a standard deviation of 1,000; above it the continuous quantile is the same to within one unit, and is rounded up.
 */
export function gaussianNoiseMargin(variance: Rational): bigint {
  const sigma = Math.sqrt(Number(variance.numerator) / Number(variance.denominator));
  if (sigma > 1_000) return BigInt(Math.ceil(sigma * 1.959_963_984_540_054)) + 1n;
  const weight = (x: number) => Math.exp(-(x * x) / (2 * sigma * sigma));
  let mass = 1;
  for (let x = 1; x <= Math.ceil(12 * sigma) + 1; x++) mass += 2 * weight(x);
  let inside = 1;
  let margin = 0;
  while (inside < confidence * mass) inside += 2 * weight(++margin);
  return BigInt(margin);
}
