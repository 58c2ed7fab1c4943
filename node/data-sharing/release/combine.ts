/**
 * One question over several repositories. Their plans may differ in domains, bounds and grids, as each follows its own dataset; rows
 * are matched by the labels of their keys, counts and sums add up, variances too. A person in two repositories counts twice.
 */
import { TrustedDataError } from "../../errors.ts";
import type { GroupKey, Output, Plan } from "../plan/plan.ts";
import type { ReleasedAnswer } from "./answer.ts";
import { compareLabelLists, compareLabels } from "./labels.ts";
import { groupsOf, type PresentedGroup, presentGroups } from "./present.ts";
import type { PresentedAnswer } from "./presented-answer.ts";

export interface AnswerOfPlan {
  plan: Plan;
  released: ReleasedAnswer;
}

/**
 * A group that some repositories suppress is made of the others and marked `partial`, as is one that a repository with an open key does
 * not show; one that is in the domain of only some is of those alone. HAVING, ORDER BY and LIMIT act on the combined numbers.
 * @throws TrustedDataError `answers_not_combinable`, `answer_invalid`.
 */
export function combineAnswers(answers: readonly AnswerOfPlan[]): PresentedAnswer & { repositories: number } {
  const plans = answers.map(({ plan }) => plan);
  requireAlike(plans);
  const quantile = quantileIn(plans);
  if (plans.length > 1 && quantile !== undefined)
    notCombinable(
      `${quantile} is a median, quantile, minimum or maximum, and that of all people does not follow from those of parts`,
    );
  const groups = new Map<string, PresentedGroup>();
  const shownBy = answers.map(({ plan, released }) => {
    const own = new Set<PresentedGroup>();
    for (const { labels, part } of groupsOf(plan, released)) {
      const key = JSON.stringify(labels);
      const group = groups.get(key) ?? { labels, parts: [] };
      groups.set(key, group);
      group.parts.push(part);
      own.add(group);
    }
    return own;
  });
  for (const [index, { plan, released }] of answers.entries()) {
    if (released.groups === null) continue;
    for (const group of groups.values())
      if (!shownBy[index]!.has(group)) group.parts.push({ plan, released: null });
  }
  const inOrder = [...groups.values()].sort(groupOrder(plans));
  return { ...presentGroups(plans, inOrder), repositories: answers.length };
}

/** The name of an output that cannot be put together from parts, or undefined. */
export function quantileIn(plans: readonly Plan[]): string | undefined {
  return plans.flatMap(({ outputs }) => outputs).find(({ kind }) => kind === "quantile")?.name;
}

/**
 * Whether answers to these plans fit one table: known before anybody is asked.
 * @throws TrustedDataError `answers_not_combinable`.
 */
export function requireAlike(plans: readonly Plan[]): void {
  const [first, ...others] = plans;
  if (first === undefined) notCombinable("there are none");
  for (const plan of others) {
    if (shapeOf(first) !== shapeOf(plan)) notCombinable("their columns differ in name or kind");
    if (first.keys.length !== plan.keys.length) notCombinable("they group by different keys");
    if (JSON.stringify(first.post) !== JSON.stringify(plan.post))
      notCombinable("they are filtered or ordered differently");
  }
}

/** What must be the same in all: names and kinds, without grids and places. */
function shapeOf({ outputs }: Plan): string {
  const kindOf = (output: Output) => {
    if (output.kind === "key") return [output.key];
    if (output.kind === "count") return [output.cell];
    return output.kind === "variance" ? [output.sample, output.root] : [];
  };
  return JSON.stringify(outputs.map((output) => [output.kind, output.name, output.shown, ...kindOf(output)]));
}

/** As in the first plan where its domains have all labels, else numbers by size and others as they come; as `compareLabelLists` if a key is open. */
function groupOrder(plans: Plan[]): (a: PresentedGroup, b: PresentedGroup) => number {
  if (plans.some(({ keys }) => keys.some(({ kind }) => kind === "open")))
    return (a, b) => compareLabelLists(a.labels, b.labels);
  const places = plans[0]!.keys.map((_, key) => labelPlaces(plans.map(({ keys }) => domainOf(keys[key]!))));
  return (a, b) => {
    for (const [key, order] of places.entries()) {
      const difference = order.get(a.labels[key]!)! - order.get(b.labels[key]!)!;
      if (difference !== 0) return difference;
    }
    return 0;
  };
}

function domainOf(key: GroupKey): string[] {
  return key.kind === "declared" ? key.labels : [];
}

function labelPlaces(labels: string[][]): Map<string, number> {
  const distinct = [...new Set(labels.flat())];
  if (distinct.length > labels[0]!.length && distinct.every((label) => /^-?\d+$/.test(label)))
    distinct.sort(compareLabels);
  return new Map(distinct.map((label, place) => [label, place]));
}

function notCombinable(reason: string): never {
  throw new TrustedDataError("answers_not_combinable", `The answers cannot be combined: ${reason}.`, {
    reason,
  });
}
