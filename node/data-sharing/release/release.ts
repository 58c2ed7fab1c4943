/**
 * From exact integers to a safe answer: exact discrete Gaussian noise on every number, candidates by the exponential mechanism, then
 * threshold and floor. The one place where exact answers are seen; nothing but noisy integers, and the labels of groups above the
 * threshold, leaves it.
 *
 * Declared keys: noise is drawn for every group, whether or not the floor then suppresses it. Open keys: noise is drawn on the people of
 * every group that there is; a group is named only if its noisy people reach the threshold, and its floor, and all else is drawn for
 * named groups alone, so that no more than the number of people's draws tells how many groups there are. A group under the floor is
 * left out, not named as suppressed: absence then means one thing, and combining answers needs no second kind of it. Where there are too
 * many groups by a noisy number of them, none is named (open-groups.ts).
 *
 * The floor looks at a noisy count. Where it counts rows and people may have several, a shown group can have fewer people than the floor;
 * what protects them is the noise. Time and random bytes used depend on the noise, so answers are to be sent on fixed slots.
 */
import { assert } from "../../primitives/assert.ts";
import { sampleDiscreteGaussians } from "../mechanisms/discrete-gaussian.ts";
import { selectCandidate } from "../mechanisms/exponential-mechanism.ts";
import { quantileScores } from "../mechanisms/quantile-scores.ts";
import { cellsOf, groupCountOf, type Plan, releasedCellsOf } from "../plan/plan.ts";
import { planHash } from "../plan/plan-hash.ts";
import type { ExactAnswer, Randomness } from "../ports.ts";
import { planVariances, type ReleasedAnswer, shownGroupsMax, varianceText } from "./answer.ts";
import { compareLabelLists, labelsFit } from "./labels.ts";
import { hasRoomForGroups } from "./open-groups.ts";

/** What is known of an open group once its noise is drawn. */
interface NamedGroup {
  group: number;
  labels: string[];
  people: bigint;
}

/** `exact` must be of this plan. */
export function releaseAnswer(exact: ExactAnswer, plan: Plan, randomness: Randomness): ReleasedAnswer {
  requireShape(exact, plan);
  const { groups, values } =
    exact.groups === null
      ? releaseDeclared(exact, plan, randomness)
      : releaseOpen(exact, exact.groups, plan, randomness);
  const variances = planVariances(plan).map(varianceText);
  return { version: "itd-answer/2", plan: planHash(plan), groups, values, variances };
}

/** Of an engine that failed: nobody's rows. */
export function emptyAnswer(plan: Plan): ExactAnswer {
  const groups = groupCountOf(plan);
  return {
    groups: groups === null ? [] : null,
    vectors: plan.vectors.map((vector) => new Array<bigint>((groups ?? 0) * cellsOf(vector)).fill(0n)),
  };
}

function releaseDeclared(
  exact: ExactAnswer,
  plan: Plan,
  randomness: Randomness,
): Pick<ReleasedAnswer, "groups" | "values"> {
  const all = Array.from({ length: groupCountOf(plan)! }, (_, group) => group);
  const noisy = plan.releases.map((_, release) => drawRelease(exact, plan, release, all, randomness));
  const isShown = noisy[plan.floor.release]!.map((count) => count >= BigInt(plan.floor.minimum));
  const values = noisy.map((numbers, release) => {
    const cells = releasedCellsOf(plan, plan.releases[release]!);
    return numbers.map((value, index) => (isShown[Math.floor(index / cells)] ? value.toString() : null));
  });
  return { groups: null, values };
}

function releaseOpen(
  exact: ExactAnswer,
  groups: string[][],
  plan: Plan,
  randomness: Randomness,
): Pick<ReleasedAnswer, "groups" | "values"> {
  const { floor, threshold } = plan;
  assert(threshold !== null, "a plan with an open key has a threshold");
  const draw = (release: number, of: readonly number[]) => drawRelease(exact, plan, release, of, randomness);
  if (!hasRoomForGroups(groups.length, plan, randomness))
    return { groups: [], values: plan.releases.map(() => []) };
  const people = draw(threshold.release, [...groups.keys()]);
  const above = groups
    .map((labels, group) => ({ group, labels, people: people[group]! }))
    .filter((one) => one.people >= BigInt(threshold.minimum))
    // To fail at an odd label would tell that it is there.
    .filter(({ labels }) => labelsFit(plan.keys, labels));
  const named = mostPeopled(above, shownGroupsMax(plan));
  const places = named.map(({ group }) => group);
  const noisy = plan.releases.map((_, release) =>
    release === threshold.release ? named.map((one) => one.people) : draw(release, places),
  );
  const shown = [...named.keys()].filter((place) => noisy[floor.release]![place]! >= BigInt(floor.minimum));
  const values = noisy.map((numbers, release) => {
    const cells = releasedCellsOf(plan, plan.releases[release]!);
    return shown.flatMap((place) => numbers.slice(place * cells, (place + 1) * cells).map(String));
  });
  return { groups: shown.map((place) => named[place]!.labels), values };
}

/** In the order of their labels; where there are too many to show, those with the most people by the noisy count. */
function mostPeopled(groups: NamedGroup[], most: number): NamedGroup[] {
  const inOrder = groups.toSorted((a, b) => compareLabelLists(a.labels, b.labels));
  if (inOrder.length <= most) return inOrder;
  const byPeople = inOrder.toSorted((a, b) => (a.people > b.people ? -1 : a.people < b.people ? 1 : 0));
  const kept = new Set(byPeople.slice(0, most));
  return inOrder.filter((group) => kept.has(group));
}

/** The numbers of one release for these groups, one group after the other. */
function drawRelease(
  exact: ExactAnswer,
  plan: Plan,
  index: number,
  groups: readonly number[],
  randomness: Randomness,
): bigint[] {
  const release = plan.releases[index]!;
  const vector = plan.vectors[release.vector]!;
  const cells = cellsOf(vector);
  const cellsOfGroup = (group: number) =>
    exact.vectors[release.vector]!.slice(group * cells, (group + 1) * cells);
  if (release.mechanism === "gaussian") {
    const values = groups.flatMap(cellsOfGroup);
    const noise = sampleDiscreteGaussians(planVariances(plan)[index]!, values.length, randomness);
    return values.map((value, place) => value + noise[place]!);
  }
  const { first, offset, sensitivity, microRho } = release;
  assert(vector.kind === "buckets", "candidates are counted in buckets");
  const quantile = {
    numerator: BigInt(release.quantile.numerator),
    denominator: BigInt(release.quantile.denominator),
  };
  return groups.map((group) => {
    const scores = quantileScores(cellsOfGroup(group), quantile, BigInt(offset));
    const chosen = selectCandidate(scores, BigInt(sensitivity), BigInt(microRho), randomness);
    return BigInt(first) + BigInt(chosen) * BigInt(vector.step);
  });
}

function requireShape(exact: ExactAnswer, plan: Plan): void {
  const count = groupCountOf(plan);
  assert((exact.groups === null) === (count !== null), "groups are listed where a key is open");
  const groups = count ?? exact.groups!.length;
  assert(exact.vectors.length === plan.vectors.length, "the answer has the plan's vectors");
  assert(
    exact.vectors.every((vector, index) => vector.length === groups * cellsOf(plan.vectors[index]!)),
    "every vector has its cells for every group",
  );
}
