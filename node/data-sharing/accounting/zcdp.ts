/**
 * Privacy loss in zero-concentrated differential privacy (Bun and Steinke 2016): rho adds up under composition (lemma 1.7 there).
 *
 * Rho is counted in whole micro-rho (1e-6), rounded up where a charge is computed and never down: what is reported is never less than what was lost.
 */
import { assert } from "../../primitives/assert.ts";
import { type Rational, rational } from "../mechanisms/rational.ts";

/** Millionths of rho; a bigint, so that sums are exact. */
export type MicroRho = bigint;

export const microRhoPerRho = 1_000_000n;

/** The least whole number of micro-rho that covers `rho`. */
export function microRhoAtLeast(rho: Rational): MicroRho {
  return (rho.numerator * microRhoPerRho + rho.denominator - 1n) / rho.denominator;
}

export function rhoOf(microRho: MicroRho): Rational {
  return rational(microRho, microRhoPerRho);
}

/**
 * Splits a charge into `parts` equal shares for the vectors that a plan releases; what does not divide is left unused.
 * The shares never add up to more than the charge.
 */
export function shareOfCharge(charge: MicroRho, parts: number): MicroRho {
  assert(Number.isSafeInteger(parts) && parts > 0, "a plan releases at least one vector");
  const share = charge / BigInt(parts);
  assert(share > 0n, "each released vector gets at least one micro-rho");
  return share;
}

/** The epsilon of (epsilon, delta)-DP that rho-zCDP implies: rho + 2 sqrt(rho ln(1 / delta)) (Bun and Steinke 2016, proposition 1.3). For reports. */
export function epsilonOf(microRho: MicroRho, delta: number): number {
  assert(delta > 0 && delta < 1, "delta lies between 0 and 1");
  const rho = Number(microRho) / Number(microRhoPerRho);
  return rho + 2 * Math.sqrt(rho * Math.log(1 / delta));
}

/** How many more answers at this charge the budget admits; what people are told instead of rho. */
export function answersLeft(budget: MicroRho, spent: MicroRho, chargePerAnswer: MicroRho): bigint {
  assert(chargePerAnswer > 0n, "an answer has a charge");
  return spent >= budget ? 0n : (budget - spent) / chargePerAnswer;
}
