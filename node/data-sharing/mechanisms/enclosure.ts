/**
 * Real numbers enclosed between two integers over 2^320, so that a bound is a bound on every machine: each step rounds the lower end down
 * and the upper end up.
 */
import { assert } from "../../primitives/assert.ts";
import { integerSquareRoot } from "./discrete-gaussian.ts";
import type { Rational } from "./rational.ts";

/** Enough for tails of 2^-150 with 170 digits to spare. */
export const fractionBits = 320n;
export const one = 1n << fractionBits;

/** A non-negative real number, low / 2^320 <= x <= high / 2^320. */
export interface Enclosure {
  readonly low: bigint;
  readonly high: bigint;
}

export function enclosure({ numerator, denominator }: Rational): Enclosure {
  const scaled = numerator << fractionBits;
  return { low: scaled / denominator, high: ceilDivide(scaled, denominator) };
}

export function whole(value: bigint): Enclosure {
  return { low: value << fractionBits, high: value << fractionBits };
}

export function times(a: Enclosure, b: Enclosure): Enclosure {
  return { low: (a.low * b.low) >> fractionBits, high: shiftUp(a.high * b.high) };
}

export function over(a: Enclosure, b: Enclosure): Enclosure {
  assert(b.low > 0n, "the divisor is positive");
  return { low: (a.low << fractionBits) / b.high, high: ceilDivide(a.high << fractionBits, b.low) };
}

export function overWhole(a: Enclosure, divisor: bigint): Enclosure {
  return { low: a.low / divisor, high: ceilDivide(a.high, divisor) };
}

export function plus(a: Enclosure, b: Enclosure): Enclosure {
  return { low: a.low + b.low, high: a.high + b.high };
}

export function squareRoot(a: Enclosure): Enclosure {
  return {
    low: integerSquareRoot(a.low << fractionBits),
    high: integerSquareRoot(a.high << fractionBits) + 1n,
  };
}

/**
 * exp(-x) for a rational x >= 0: the alternating series of exp(-x / 2^k) < 1, whose partial sums lie on both sides in turn, squared k times.
 */
export function expMinus(x: Rational): Enclosure {
  let halvings = 0n;
  while (x.numerator << 3n > x.denominator << halvings) halvings++;
  const small = enclosure({ numerator: x.numerator, denominator: x.denominator << halvings });
  let [term, sum] = [whole(1n), whole(1n)];
  let [low, high] = [0n, one];
  for (let n = 1n; term.high > 1n || n % 2n === 0n; n++) {
    term = overWhole(times(term, small), n);
    // The partial sum up to an odd power lies below, up to an even one above.
    if (n % 2n === 1n) {
      sum = { low: sum.low - term.high, high: sum.high - term.low };
      low = sum.low;
    } else {
      sum = plus(sum, term);
      high = sum.high;
    }
  }
  return squared({ low, high }, halvings);
}

function squared(a: Enclosure, count: bigint): Enclosure {
  let power = a;
  for (let i = 0n; i < count; i++) power = times(power, power);
  return power;
}

function ceilDivide(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}

function shiftUp(value: bigint): bigint {
  return (value + one - 1n) >> fractionBits;
}
