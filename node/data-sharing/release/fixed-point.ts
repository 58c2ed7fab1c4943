/** Exact arithmetic behind the numbers that people read: whole numbers and fractions of them, rounded once and in a stated direction. */
import { integerSquareRoot } from "../mechanisms/discrete-gaussian.ts";
import { type Rational, rational } from "../mechanisms/rational.ts";
import { lowestTerms } from "./answer.ts";

/** The square of the 97.5% point of the normal distribution, in millionths, rounded up. */
const normalPointSquared = 3_841_459n;

/** The least whole number of steps that holds 95% of normal noise; `variance` in steps squared. */
export function normalMargin({ numerator, denominator }: Rational): bigint {
  return ceilSquareRoot(ceilDivide(normalPointSquared * numerator, 1_000_000n * denominator));
}

export function added(a: Rational, b: Rational): Rational {
  return lowestTerms(
    rational(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator),
  );
}

export function scaled(a: Rational, factor: bigint): Rational {
  return rational(a.numerator * factor, a.denominator);
}

/** To the nearest, halves away from zero; the divisor is positive. */
export function roundDivide(value: bigint, divisor: bigint): bigint {
  const magnitude = ((value < 0n ? -value : value) * 2n + divisor) / (2n * divisor);
  return value < 0n ? -magnitude : magnitude;
}

/** Upwards; of non-negative numbers. */
export function ceilDivide(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}

export function ceilSquareRoot(value: bigint): bigint {
  const root = integerSquareRoot(value);
  return root * root < value ? root + 1n : root;
}

/** The root of value / divisor to the nearest: floor(sqrt(4 x)) is floor(2 sqrt(x)). */
export function roundSquareRoot(value: bigint, divisor: bigint): bigint {
  return (integerSquareRoot((4n * value) / divisor) + 1n) / 2n;
}

export function sum(values: bigint[]): bigint {
  return values.reduce((a, b) => a + b, 0n);
}
