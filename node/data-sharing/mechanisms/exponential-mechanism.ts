/**
 * The exponential mechanism (McSherry and Talwar 2007), drawn exactly: candidate i with P(i) proportional to exp(epsilon score_i / (2 sensitivity)).
 *
 * Its loss ranges over epsilon in all, whatever the scores, so it is (epsilon^2 / 8)-zCDP (Cesar and Rogers 2021, lemma 3.2; Dong, Durfee,
 * Rogers 2020). Permute-and-flip (McKenna and Sheldon 2020) errs less at equal epsilon, but costs epsilon^2 / 2 to first order (its loss
 * ranges over 2 epsilon near ties), so at equal rho this one has twice the epsilon and errs less; the tests compare both exactly.
 *
 * Time and random bytes depend on the scores: release on a fixed slot.
 */
import { assert } from "../../primitives/assert.ts";
import type { MicroRho } from "../accounting/zcdp.ts";
import type { Randomness } from "../ports.ts";
import { integerSquareRoot } from "./discrete-gaussian.ts";
import { type RandomReader, withReader } from "./random-reader.ts";
import { smallBernoulliExp, smallDenominatorMax, smallUniformBelow } from "./small-uniform.ts";
import { bernoulliExp } from "./uniform.ts";

const microEpsilonPerEpsilon = 1_000_000n;

/**
 * Index of one of `scores` (integers, larger is better). `sensitivity` is the most that one person changes any score by; who changes them
 * by c at most costs only (c / sensitivity)^2 of the charge, so over several groups the root of the sum of c^2 may stand for all.
 *
 * By rejection: a uniform candidate is kept with probability exp(-epsilon (best - score) / (2 sensitivity)). At most as many rounds as
 * candidates are expected.
 */
export function selectCandidate(
  scores: readonly bigint[],
  sensitivity: bigint,
  microRho: MicroRho,
  randomness: Randomness,
): number {
  assert(scores.length > 0, "there is a candidate");
  const accepts = acceptance(scores, sensitivity, microRho);
  return withReader(randomness, (reader) => {
    for (;;) {
      const candidate = smallUniformBelow(scores.length, reader);
      if (accepts(candidate, reader)) return candidate;
    }
  });
}

/** The largest whole number of millionths whose square over 8 is at most rho. */
export function microEpsilonOf(microRho: MicroRho): bigint {
  assert(microRho > 0n, "rho is positive");
  return integerSquareRoot(8n * microRho * microEpsilonPerEpsilon);
}

/** Whether a candidate is kept: in plain numbers where all exponents fit, from the same bytes as in big integers. */
export function acceptance(
  scores: readonly bigint[],
  sensitivity: bigint,
  microRho: MicroRho,
  smallMax = smallDenominatorMax,
): (candidate: number, reader: RandomReader) => boolean {
  assert(sensitivity > 0n, "the sensitivity is positive");
  const best = scores.reduce((a, b) => (a > b ? a : b));
  const microEpsilon = microEpsilonOf(microRho);
  const denominator = 2n * sensitivity * microEpsilonPerEpsilon;
  const numerators = scores.map((score) => microEpsilon * (best - score));
  if (denominator <= smallMax && numerators.every((numerator) => numerator <= smallMax)) {
    const small = numerators.map(Number);
    const divisor = Number(denominator);
    return (candidate, reader) => smallBernoulliExp(small[candidate]!, divisor, reader);
  }
  return (candidate, reader) => bernoulliExp({ numerator: numerators[candidate]!, denominator }, reader);
}
