/**
 * Exact discrete Laplace noise (Canonne, Kamath, Steinke 2020, algorithm 2): P(x) proportional to exp(-|x| / scale).
 *
 * Added to an integer of L1 sensitivity d it is (d / scale)-differentially private. The number of random bytes drawn depends on
 * the noise, so a caller that needs constant time must release on a fixed slot.
 */
import { assert } from "../../primitives/assert.ts";
import type { Randomness } from "../ports.ts";
import { type Rational, rational } from "./rational.ts";
import { bernoulliExp, uniformBelow } from "./uniform.ts";

/** One draw; `scale` > 0, in the unit of the integer that is released. */
export function sampleDiscreteLaplace(scale: Rational, randomness: Randomness): bigint {
  const { numerator: t, denominator: s } = scale;
  assert(t > 0n, "the scale is positive");
  for (;;) {
    const u = uniformBelow(t, randomness);
    if (!bernoulliExp(rational(u, t), randomness)) continue;
    let v = 0n;
    while (bernoulliExp(rational(1n), randomness)) v++;
    const magnitude = (u + t * v) / s;
    const negative = uniformBelow(2n, randomness) === 1n;
    // Zero has one sign only: else it would be twice as likely as the density says.
    if (negative && magnitude === 0n) continue;
    return negative ? -magnitude : magnitude;
  }
}
