/**
 * Which groups of an open domain may be named: those whose noisy count of distinct people reaches tau (Korolova, Kenthapadi, Mishra, Ntoulas
 * 2009; Wilson and others 2020, section 3). A group of one person alone is then named with a probability of at most delta.
 */
import { assert } from "../../primitives/assert.ts";
import { deltaOfThresholds, type MicroRho } from "../accounting/zcdp.ts";
import { leastWithTail } from "./discrete-tail.ts";
import { type Rational, rational } from "./rational.ts";

export interface ThresholdParameters {
  /** Of the discrete Gaussian noise on each count of people. */
  variance: Rational;
  /** In how many groups one person may be. */
  groupsPerPerson: bigint;
  /** What the release of the counts is charged. */
  microRho: MicroRho;
}

/**
 * The least tau with groupsPerPerson P(1 + N >= tau) <= delta. Delta is `deltaOfThresholds(microRho)`, 1e-15 for each micro-rho charged, so
 * that deltas add up as rho does and the one number in the ledger accounts for both. Integers alone decide, as tau is part of the plan
 * that both parties hash. The noise must be drawn for the groups that exist; a group under tau must leave no trace.
 */
export function thresholdFor({ variance, groupsPerPerson, microRho }: ThresholdParameters): bigint {
  assert(groupsPerPerson > 0n && microRho > 0n, "groups per person and the charge are positive");
  const delta = deltaOfThresholds(microRho);
  return 1n + leastWithTail(variance, rational(delta.numerator, delta.denominator * groupsPerPerson));
}
