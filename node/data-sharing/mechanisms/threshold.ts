/**
 * Which groups of an open domain may be named: those whose noisy count of distinct people reaches tau (Korolova, Kenthapadi, Mishra, Ntoulas
 * 2009; Wilson and others 2020, section 3). A group of one person alone is then named with a probability of at most delta.
 *
 * That there is room for so many groups is the one other thing that an answer tells of those it does not name: whether there are too many
 * is decided by a noisy number of groups, or one person's group more would decide it.
 */
import { assert } from "../../primitives/assert.ts";
import { deltaOfThresholds, type MicroRho, microRhoPerRho } from "../accounting/zcdp.ts";
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

/** Of ten parts of the charge of the counts of people nine are for them, and one for the number of groups. */
export function peopleRhoOf(microRho: MicroRho): Rational {
  return rational(9n * microRho, 10n * microRhoPerRho);
}

/** Of the noise on the number of groups, which one person changes by `groupsPerPerson`. */
export function groupCountVariance(groupsPerPerson: bigint, microRho: MicroRho): Rational {
  return rational(10n * groupsPerPerson ** 2n * microRhoPerRho, 2n * microRho);
}

/**
 * How far below what an engine finds at most the noisy number of groups has to stay: so far that where the engine found too many, the noise
 * would have said so too, but for half of delta. That an engine fails is then no more than the noise says.
 */
export function groupCountSlack(groupsPerPerson: bigint, microRho: MicroRho): bigint {
  const delta = deltaOfThresholds(microRho);
  return leastWithTail(
    groupCountVariance(groupsPerPerson, microRho),
    rational(delta.numerator, 2n * delta.denominator),
  );
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
