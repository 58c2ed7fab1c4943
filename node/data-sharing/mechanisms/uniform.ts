/** Exact uniform integers and Bernoulli trials from random bytes, by rejection, so that no outcome is favoured. */
import { assert } from "../../primitives/assert.ts";
import type { Randomness } from "../ports.ts";
import type { Rational } from "./rational.ts";

/** Uniform in [0, bound). */
export function uniformBelow(bound: bigint, randomness: Randomness): bigint {
  assert(bound > 0n, "the range is not empty");
  const bits = (bound - 1n).toString(2).length;
  const byteCount = Math.ceil(bits / 8);
  const mask = (1n << BigInt(bits)) - 1n;
  for (;;) {
    const hex = Buffer.from(randomness.bytes(byteCount)).toString("hex");
    const candidate = BigInt(`0x${hex}`) & mask;
    if (candidate < bound) return candidate;
  }
}

/** True with probability exactly p. */
export function bernoulli(p: Rational, randomness: Randomness): boolean {
  assert(p.numerator <= p.denominator, "a probability is at most one");
  return uniformBelow(p.denominator, randomness) < p.numerator;
}

/** True with probability exactly exp(-gamma), for any gamma >= 0 (Canonne, Kamath, Steinke 2020, algorithm 1). */
export function bernoulliExp(gamma: Rational, randomness: Randomness): boolean {
  const { numerator, denominator } = gamma;
  for (let whole = numerator / denominator; whole > 0n; whole--) {
    if (!bernoulliExpFraction(1n, 1n, randomness)) return false;
  }
  return bernoulliExpFraction(numerator % denominator, denominator, randomness);
}

function bernoulliExpFraction(numerator: bigint, denominator: bigint, randomness: Randomness): boolean {
  let trials = 1n;
  while (uniformBelow(denominator * trials, randomness) < numerator) trials++;
  return trials % 2n === 1n;
}
