/**
 * The trials of `uniform.ts` in plain numbers, about ten times as fast: every value is an integer below 2^53, so each step is exact, and
 * the same bytes give the same outcome.
 */
import { assert } from "../../primitives/assert.ts";
import type { RandomReader } from "./random-reader.ts";
import { bernoulli } from "./uniform.ts";

/** Denominators up to here: 256 times a remainder, plus the denominator, stays below 2^53. */
export const smallDenominatorMax = 2 ** 44;

/** Uniform in [0, bound), for a whole bound in [1, 2^44]. */
export function smallUniformBelow(bound: number, reader: RandomReader): number {
  assert(bound > 0 && bound <= smallDenominatorMax, "the bound is small");
  if (bound === 1) return 0;
  let size = 2;
  while (size < bound) size *= 2;
  for (;;) {
    let candidate = 0;
    for (let range = 1; range < size; range *= 256) candidate = candidate * 256 + reader.next();
    candidate %= size;
    if (candidate < bound) return candidate;
  }
}

/**
 * True with probability exactly numerator / denominator, for whole 0 <= numerator <= denominator <= 2^44.
 *
 * The division may round, the digit cannot: where the true quotient is below a whole number q, it is so by at least 1 / denominator, and
 * that is more than q * 2^-53, half of the distance to the next lower number, as q * denominator < 2^53.
 */
export function smallBernoulli(numerator: number, denominator: number, reader: RandomReader): boolean {
  if (numerator === denominator) return true;
  let remainder = numerator;
  while (remainder > 0) {
    const scaled = remainder * 256;
    const digit = Math.floor(scaled / denominator);
    const drawn = reader.next();
    if (drawn !== digit) return drawn < digit;
    remainder = scaled - digit * denominator;
  }
  return false;
}

/** True with probability exactly exp(-numerator / denominator), for whole 0 <= numerator < 2^53 and 1 <= denominator <= 2^44. */
export function smallBernoulliExp(numerator: number, denominator: number, reader: RandomReader): boolean {
  let fraction = numerator;
  if (numerator >= denominator) {
    fraction = numerator % denominator;
    for (let whole = (numerator - fraction) / denominator; whole > 0; whole--) {
      if (!smallBernoulliExpFraction(1, 1, reader)) return false;
    }
  }
  return smallBernoulliExpFraction(fraction, denominator, reader);
}

function smallBernoulliExpFraction(numerator: number, denominator: number, reader: RandomReader): boolean {
  let trials = 1;
  while (smallTrial(numerator, denominator, trials, reader)) trials++;
  return trials % 2 === 1;
}

function smallTrial(numerator: number, denominator: number, trials: number, reader: RandomReader): boolean {
  const product = denominator * trials;
  if (product <= smallDenominatorMax) return smallBernoulli(numerator, product, reader);
  const whole = BigInt(denominator) * BigInt(trials);
  return bernoulli({ numerator: BigInt(numerator), denominator: whole }, reader);
}
