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

/** Thresholds spend delta as they spend rho, this much for each micro-rho: 1e-9 for a rho of one. */
const deltaPerMicroRho = rational(1n, 10n ** 15n);

/** The delta that releases with thresholds may have spent within this much rho, see `thresholdFor`. Deltas add up, and so does this. */
export function deltaOfThresholds(microRho: MicroRho): Rational {
  return rational(microRho * deltaPerMicroRho.numerator, deltaPerMicroRho.denominator);
}

/**
 * An epsilon of (epsilon, delta)-differential privacy that the charges imply, for reports; never below the exact value of the formula.
 *
 * Of `delta` in all, what thresholds may have spent is set aside (a delta'-approximate zCDP mechanism is (epsilon, delta + delta')-private:
 * Bun and Steinke 2016, section 8). The rest goes into rho-zCDP's conversion (Canonne, Kamath, Steinke 2020, proposition 12 and corollary
 * 13): for each order alpha > 1, epsilon = alpha rho + ln(1 - 1 / alpha) - (ln delta + ln alpha) / (alpha - 1). The order is searched; any is valid.
 * Infinite where thresholds alone may have spent all of delta, from a rho of delta 10^9 on.
 */
export function epsilonOf(microRho: MicroRho, delta: number): number {
  assert(delta > 0 && delta < 1, "delta lies between 0 and 1");
  if (microRho === 0n) return 0;
  const { numerator, denominator } = deltaOfThresholds(microRho);
  const left = delta - Number(numerator) / Number(denominator);
  if (left <= 0) return Number.POSITIVE_INFINITY;
  const rho = Number(microRho) / Number(microRhoPerRho);
  // alpha - 1 = exp(x): near sqrt(ln(1 / delta) / rho), and the epsilon of it falls and rises once.
  const at = (x: number) => epsilonAtOrder(rho, left, Math.exp(x));
  const middle = Math.log(Math.max(-Math.log(left), 1) / rho) / 2;
  let [low, high] = [middle - 5, middle + 5];
  for (let i = 0; i < 200; i++) {
    const [one, other] = [low + (high - low) / 3, high - (high - low) / 3];
    if (at(one) < at(other)) high = other;
    else low = one;
  }
  // What rounding may have taken off, many times over.
  return Math.max(0, at(low)) * (1 + 1e-12);
}

/** `above` is alpha - 1. */
function epsilonAtOrder(rho: number, delta: number, above: number): number {
  return (1 + above) * rho - Math.log1p(1 / above) - (Math.log(delta) + Math.log1p(above)) / above;
}

/**
 * How many more answers at this charge the budget admits; what people are told instead of rho. Thresholds need no count of their own, as
 * their delta is in step with rho.
 */
export function answersLeft(budget: MicroRho, spent: MicroRho, chargePerAnswer: MicroRho): bigint {
  assert(chargePerAnswer > 0n, "an answer has a charge");
  return spent >= budget ? 0n : (budget - spent) / chargePerAnswer;
}
