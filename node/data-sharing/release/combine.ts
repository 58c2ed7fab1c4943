/**
 * One question over several repositories. Their plans may differ in domains, bounds and grids, as each follows its own dataset; rows
 * are matched by the labels of their keys, counts and sums add up, variances too. A person in two repositories counts twice.
 */
import { TrustedDataError } from "../../errors.ts";
import type { Plan } from "../plan/plan.ts";
import type { ReleasedAnswer } from "./answer.ts";
import { columnsOfOutputs, type GroupPart, groupsOf, type PresentedAnswer, presentRow } from "./present.ts";

export interface AnswerOfPlan {
  plan: Plan;
  released: ReleasedAnswer;
}

/**
 * A group that some repositories suppress is made of the others and marked `partial`; one that is in the domain of only some is of
 * those alone.
 * @throws TrustedDataError `answers_not_combinable`, `answer_invalid`.
 */
export function combineAnswers(answers: readonly AnswerOfPlan[]): PresentedAnswer & { repositories: number } {
  const [first] = answers;
  if (first === undefined) notCombinable("there are none");
  for (const { plan } of answers) checkAlike(first.plan, plan);
  const groups = new Map<string, { labels: string[]; parts: GroupPart[] }>();
  for (const { plan, released } of answers) {
    for (const { labels, part } of groupsOf(plan, released)) {
      const key = JSON.stringify(labels);
      const group = groups.get(key) ?? { labels, parts: [] };
      group.parts.push(part);
      groups.set(key, group);
    }
  }
  const columns = columnsOfOutputs(answers.map(({ plan }) => plan));
  const places = first.plan.keys.map((_, key) =>
    labelPlaces(answers.map(({ plan }) => plan.keys[key]!.labels)),
  );
  const rows = [...groups.values()]
    .sort((a, b) => byPlaces(a.labels, b.labels, places))
    .map(({ labels, parts }) => presentRow(columns, labels, parts));
  return { columns, rows, repositories: answers.length };
}

function checkAlike(one: Plan, other: Plan): void {
  const shape = (plan: Plan) =>
    JSON.stringify(
      plan.outputs.map((output) => [output.kind, output.name, output.kind === "key" ? output.key : null]),
    );
  if (shape(one) !== shape(other)) notCombinable("their columns differ in name or kind");
  if (one.keys.length !== other.keys.length) notCombinable("they group by different keys");
}

/** Where each label stands: as in the first plan where it has them all, else numbers by size and others as they come. */
function labelPlaces(labels: string[][]): Map<string, number> {
  const distinct = [...new Set(labels.flat())];
  if (distinct.length > labels[0]!.length && distinct.every((label) => /^-?\d+$/.test(label)))
    distinct.sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0));
  return new Map(distinct.map((label, place) => [label, place]));
}

function byPlaces(a: string[], b: string[], places: Map<string, number>[]): number {
  for (const [key, order] of places.entries()) {
    const difference = order.get(a[key]!)! - order.get(b[key]!)!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function notCombinable(reason: string): never {
  throw new TrustedDataError("answers_not_combinable", `The answers cannot be combined: ${reason}.`, {
    reason,
  });
}
