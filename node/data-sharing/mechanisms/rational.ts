/** Exact non-negative rationals over BigInt; noise is never computed in floating point (Mironov 2012). */
import { assert } from "../../primitives/assert.ts";

export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** numerator / denominator; not reduced, as samplers need no canonical form. */
export function rational(numerator: bigint, denominator = 1n): Rational {
  assert(denominator > 0n && numerator >= 0n, "a rational has a positive denominator and is not negative");
  return { numerator, denominator };
}
