/**
 * Exact uniform integers and Bernoulli trials from random bytes, over integers of any size. `small-uniform.ts` does the same from the
 * same bytes where plain numbers are exact.
 */
import { assert } from "../../primitives/assert.ts";
import type { RandomReader } from "./random-reader.ts";
import type { Rational } from "./rational.ts";

/** Uniform in [0, bound), by rejection, so that no outcome is favoured. */
export function uniformBelow(bound: bigint, reader: RandomReader): bigint {
  assert(bound > 0n, "the range is not empty");
  if (bound === 1n) return 0n;
  const bits = (bound - 1n).toString(2).length;
  const mask = (1n << BigInt(bits)) - 1n;
  for (;;) {
    let candidate = 0n;
    for (let read = 0; read < bits; read += 8) candidate = (candidate << 8n) | BigInt(reader.next());
    candidate &= mask;
    if (candidate < bound) return candidate;
  }
}

/**
 * True with probability exactly p: whether a uniform real, drawn digit by digit to base 256, lies below p. The first digit decides in
 * all but one case of 256.
 */
export function bernoulli(p: Rational, reader: RandomReader): boolean {
  const { denominator } = p;
  let remainder = p.numerator;
  assert(remainder <= denominator, "a probability is at most one");
  if (remainder === denominator) return true;
  while (remainder > 0n) {
    const scaled = remainder << 8n;
    const digit = scaled / denominator;
    const drawn = reader.next();
    if (drawn !== Number(digit)) return drawn < Number(digit);
    remainder = scaled - digit * denominator;
  }
  return false;
}

/** True with probability exactly exp(-gamma), for any gamma >= 0 (Canonne, Kamath, Steinke 2020, algorithm 1). */
export function bernoulliExp(gamma: Rational, reader: RandomReader): boolean {
  const { numerator, denominator } = gamma;
  for (let whole = numerator / denominator; whole > 0n; whole--) {
    if (!bernoulliExpFraction(1n, 1n, reader)) return false;
  }
  return bernoulliExpFraction(numerator % denominator, denominator, reader);
}

function bernoulliExpFraction(numerator: bigint, denominator: bigint, reader: RandomReader): boolean {
  let trials = 1n;
  while (bernoulli({ numerator, denominator: denominator * trials }, reader)) trials++;
  return trials % 2n === 1n;
}
