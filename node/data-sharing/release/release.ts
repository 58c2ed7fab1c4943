/**
 * From exact integers to a safe answer: exact discrete Gaussian noise on every number of every group, then the floor. The one place
 * where exact answers are seen; nothing but noisy integers leaves it.
 *
 * The floor looks at the noisy count of rows. Where people may have several rows, a shown group can have fewer people than the floor;
 * what protects them is the noise. Time and random bytes used depend on the noise, so answers are to be sent on fixed slots.
 */
import { assert } from "../../primitives/assert.ts";
import { sampleDiscreteGaussian } from "../mechanisms/discrete-gaussian.ts";
import { groupCountOf, type Plan } from "../plan/plan.ts";
import { planHash } from "../plan/plan-hash.ts";
import type { ExactAnswer, Randomness } from "../ports.ts";
import { planVariances, type ReleasedAnswer, varianceText } from "./answer.ts";

/** Draws noise for every group, also for those that the floor then suppresses. `exact` must be of this plan. */
export function releaseAnswer(exact: ExactAnswer, plan: Plan, randomness: Randomness): ReleasedAnswer {
  const groups = groupCountOf(plan);
  const variances = planVariances(plan);
  assert(exact.vectors.length === plan.vectors.length, "the answer has the plan's vectors");
  assert(
    exact.vectors.every((vector) => vector.length === groups),
    "every vector has the plan's groups",
  );
  const noisy = exact.vectors.map((vector, index) =>
    vector.map((value) => value + sampleDiscreteGaussian(variances[index]!, randomness)),
  );
  const floor = BigInt(plan.floor.minimumPeople);
  const shown = noisy[plan.floor.vector]!.map((rows) => rows >= floor);
  return {
    version: "itd-answer/1",
    plan: planHash(plan),
    values: noisy.map((vector) => vector.map((value, group) => (shown[group] ? value.toString() : null))),
    variances: variances.map(varianceText),
  };
}
