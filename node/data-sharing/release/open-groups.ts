/**
 * Whether there is room for the groups of an open key. An engine finds only so many; were that alone to decide whether there is an answer, one
 * person with a key of their own could be seen by it, and so the exact number of any rows. So the number of groups gets noise.
 */
import { assert } from "../../primitives/assert.ts";
import { sampleDiscreteGaussian } from "../mechanisms/discrete-gaussian.ts";
import { groupCountSlack, groupCountVariance } from "../mechanisms/threshold.ts";
import { openGroupsMaxOf, type Plan } from "../plan/plan.ts";
import type { Randomness } from "../ports.ts";

type Open = Pick<Plan, "vectors" | "releases" | "threshold">;

/** The most that the noisy number of groups may be; below 1 where people may be in so many groups that the noise takes all room. */
export function openGroupsLimit(plan: Open): bigint {
  const { groupsPerPerson, microRho } = termsOf(plan);
  return BigInt(openGroupsMaxOf(plan)) - groupCountSlack(groupsPerPerson, microRho);
}

export function hasRoomForGroups(count: number, plan: Open, randomness: Randomness): boolean {
  const { groupsPerPerson, microRho } = termsOf(plan);
  const noise = sampleDiscreteGaussian(groupCountVariance(groupsPerPerson, microRho), randomness);
  return BigInt(count) + noise <= openGroupsLimit(plan);
}

function termsOf({ releases, threshold }: Open): { groupsPerPerson: bigint; microRho: bigint } {
  assert(threshold !== null, "a plan with an open key has a threshold");
  const release = releases[threshold.release]!;
  assert(release.mechanism === "gaussian", "people are counted");
  // Of a count of people in groups, each once, the square of the sensitivity is the number of groups of a person.
  return { groupsPerPerson: BigInt(release.sensitivitySquared), microRho: BigInt(release.microRho) };
}
