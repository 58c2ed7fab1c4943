/**
 * Exact discrete Laplace noise (Canonne, Kamath, Steinke 2020, algorithm 2): P(x) proportional to exp(-|x| / scale).
 *
 * Added to an integer of L1 sensitivity d it is (d / scale)-differentially private. The number of random bytes drawn depends on
 * the noise, so a caller that needs constant time must release on a fixed slot.
 */
import { assert } from "../../primitives/assert.ts";
import type { Randomness } from "../ports.ts";
import { type RandomReader, withReader } from "./random-reader.ts";
import { type Rational, rational } from "./rational.ts";
import { smallBernoulliExp, smallUniformBelow } from "./small-uniform.ts";
import { bernoulliExp, uniformBelow } from "./uniform.ts";

/** Scales whose numerator is at most this are drawn in plain numbers. */
export const smallScaleMax = 2 ** 40;
/** With at most so many steps the magnitude stays below 2^52; more are drawn once in e^4096 times, and go through big integers. */
const smallStepCountMax = 4_095;

/** One draw; `scale` > 0, in the unit of the integer that is released. */
export function sampleDiscreteLaplace(scale: Rational, randomness: Randomness): bigint {
  const { numerator, denominator } = scale;
  const small = numerator <= smallScaleMax && denominator <= smallScaleMax;
  return withReader(randomness, (reader) =>
    small
      ? BigInt(drawSmallLaplace(Number(numerator), Number(denominator), reader))
      : drawLaplace(scale, reader),
  );
}

/** The same over integers of any size. */
export function drawLaplace(scale: Rational, reader: RandomReader): bigint {
  const { numerator: t, denominator: s } = scale;
  assert(t > 0n, "the scale is positive");
  const one = rational(1n);
  for (;;) {
    const u = uniformBelow(t, reader);
    if (!bernoulliExp({ numerator: u, denominator: t }, reader)) continue;
    let v = 0n;
    while (bernoulliExp(one, reader)) v++;
    const magnitude = (u + t * v) / s;
    const negative = (reader.next() & 1) === 1;
    // Zero has one sign only: else it would be twice as likely as the density says.
    if (negative && magnitude === 0n) continue;
    return negative ? -magnitude : magnitude;
  }
}

/** The same from the same bytes for a scale t / s with whole t and s in [1, 2^40]; a big integer where a number would not be exact. */
export function drawSmallLaplace(t: number, s: number, reader: RandomReader): number | bigint {
  assert(t > 0, "the scale is positive");
  for (;;) {
    const u = smallUniformBelow(t, reader);
    if (!smallBernoulliExp(u, t, reader)) continue;
    let v = 0;
    while (smallBernoulliExp(1, 1, reader)) v++;
    const magnitude =
      v <= smallStepCountMax ? Math.floor((u + t * v) / s) : (BigInt(u) + BigInt(t) * BigInt(v)) / BigInt(s);
    const negative = (reader.next() & 1) === 1;
    if (negative && !magnitude) continue;
    return negative ? -magnitude : magnitude;
  }
}
