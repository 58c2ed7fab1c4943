/**
 * Exact discrete Gaussian noise (Canonne, Kamath, Steinke 2020, algorithm 3): P(x) proportional to exp(-x^2 / (2 variance)).
 *
 * Added to integers of L2 sensitivity d it satisfies rho-zCDP with rho = d^2 / (2 variance) (theorem 4 there).
 */
import { assert } from "../../primitives/assert.ts";
import type { Randomness } from "../ports.ts";
import { sampleDiscreteLaplace } from "./discrete-laplace.ts";
import { type Rational, rational } from "./rational.ts";
import { bernoulliExp } from "./uniform.ts";

/** One draw; `variance` > 0 in squared units of the integer that is released (the parameter, within rounding also the variance). */
export function sampleDiscreteGaussian(variance: Rational, randomness: Randomness): bigint {
  const { numerator: n, denominator: d } = variance;
  assert(n > 0n, "the variance is positive");
  const t = integerSquareRoot(n / d) + 1n;
  for (;;) {
    const candidate = sampleDiscreteLaplace(rational(t), randomness);
    const magnitude = candidate < 0n ? -candidate : candidate;
    // (|y| - variance / t)^2 / (2 variance), over one denominator.
    const distance = magnitude * t * d - n;
    if (bernoulliExp(rational(distance * distance, 2n * n * d * t * t), randomness)) return candidate;
  }
}

/** The largest integer whose square is at most `value` (Newton's method). */
export function integerSquareRoot(value: bigint): bigint {
  assert(value >= 0n, "the value is not negative");
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}

/** The least variance for L2 sensitivity `sensitivity` at `rho` (zCDP): sensitivity^2 / (2 rho). */
export function gaussianVariance(sensitivity: bigint, rho: Rational): Rational {
  assert(sensitivity > 0n && rho.numerator > 0n, "sensitivity and rho are positive");
  return rational(sensitivity * sensitivity * rho.denominator, 2n * rho.numerator);
}
