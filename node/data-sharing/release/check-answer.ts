/** Holds an answer from outside to its plan. Whether its noise was really drawn cannot be seen from an answer. */
import { TrustedDataError } from "../../errors.ts";
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { groupCountOf, type Plan, releasedCellsOf } from "../plan/plan.ts";
import { planHash } from "../plan/plan-hash.ts";
import { planVariances, type ReleasedAnswer, shownGroupsMax, varianceText } from "./answer.ts";
import { compareLabelLists, labelsFit } from "./labels.ts";

/**
 * @throws TrustedDataError `answer_invalid` where it belongs to another plan, has another shape or another noise than the plan asks for,
 * shows a group that floor or threshold keep back, or a value that is no candidate of its release.
 */
export function checkAnswer(plan: Plan, answer: ReleasedAnswer): void {
  if (answer.plan !== planHash(plan)) invalid("plan", "it answers another plan");
  const groups = checkGroups(plan, answer);
  const cells = plan.releases.map((release) => releasedCellsOf(plan, release));
  const isShaped = ({ length }: unknown[], release: number) => length === groups * cells[release]!;
  if (answer.values.length !== cells.length || !answer.values.every(isShaped))
    invalid("values", "it has another number of values than its plan");
  if (canonicalJson(answer.variances) !== canonicalJson(planVariances(plan).map(varianceText)))
    invalid("variances", "its noise is not that of its plan");
  for (let group = 0; group < groups; group++) {
    const own = answer.values.map((values, release) =>
      values.slice(group * cells[release]!, (group + 1) * cells[release]!),
    );
    checkGroup(plan, own);
  }
}

/** How many groups the answer has. */
function checkGroups(plan: Plan, { groups }: ReleasedAnswer): number {
  const count = groupCountOf(plan);
  if ((groups === null) !== (count !== null)) invalid("groups", "its groups are not those of its plan");
  if (groups === null) return count!;
  if (groups.length > shownGroupsMax(plan)) invalid("groups", "it shows too many groups");
  if (!groups.every((labels) => labelsFit(plan.keys, labels)))
    invalid("groups", "a label does not fit its key");
  if (groups.some((labels, index) => index > 0 && compareLabelLists(groups[index - 1]!, labels) >= 0))
    invalid("groups", "its groups are not in order, each once");
  return groups.length;
}

/** `values[r][c]` of one group. */
function checkGroup(plan: Plan, values: (string | null)[][]): void {
  const all = values.flat();
  const known = all.filter((value) => value !== null).length;
  if (known === 0) {
    if (plan.threshold !== null) invalid("values", "a group is suppressed that need not be named");
    return;
  }
  if (known !== all.length) invalid("values", "a group is suppressed in part");
  const { floor, threshold } = plan;
  if (BigInt(values[floor.release]![0]!) < BigInt(floor.minimum))
    invalid("values", "a group under the floor is shown");
  if (threshold !== null && BigInt(values[threshold.release]![0]!) < BigInt(threshold.minimum))
    invalid("values", "a group under the threshold is shown");
  for (const [index, release] of plan.releases.entries()) {
    const vector = plan.vectors[release.vector]!;
    if (release.mechanism === "gaussian" || vector.kind !== "buckets") continue;
    const offset = BigInt(values[index]![0]!) - BigInt(release.first);
    const step = BigInt(vector.step);
    if (offset < 0n || offset % step !== 0n || offset / step >= BigInt(vector.buckets))
      invalid("values", "a value is none of its candidates");
  }
}

function invalid(field: string, reason: string): never {
  throw new TrustedDataError("answer_invalid", `The answer cannot be read: ${reason}.`, { [field]: reason });
}
