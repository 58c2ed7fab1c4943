/**
 * A released answer as a table. Post-processing of released integers and public parameters: repository and client compute the same, and
 * no privacy is lost by it.
 */
import { groupCountOf, type Output, type Plan } from "../plan/plan.ts";
import { checkAnswer, planVariances, type ReleasedAnswer } from "./answer.ts";
import {
  averageCell,
  averageExtraScale,
  type Cell,
  countCell,
  rescaledTally,
  sumCell,
  type Tally,
} from "./cells.ts";

export interface PresentedColumn {
  name: string;
  kind: Output["kind"];
  /** Decimal places of its values; averages have two more than what they are made of. */
  scale: number;
}

export interface PresentedRow {
  /** A label for a key, else a decimal number as text; null where the group is suppressed or an average has nobody to be of. */
  values: (string | null)[];
  /** The 95% margin of the noise, approximate for averages; null where there is none. */
  margins: (string | null)[];
  /** Too few rows by the noisy count. */
  suppressed: boolean;
  /** Some of several repositories suppressed the group; the numbers are of the others. */
  partial: boolean;
}

export interface PresentedAnswer {
  columns: PresentedColumn[];
  rows: PresentedRow[];
}

/** One repository's numbers of one group. */
export interface GroupPart {
  plan: Plan;
  /** By vector; null for a suppressed group. */
  tallies: Tally[] | null;
}

/** @throws TrustedDataError `answer_invalid` where the answer is not one of this plan. */
export function presentAnswer(plan: Plan, released: ReleasedAnswer): PresentedAnswer {
  const columns = columnsOfOutputs([plan]);
  const rows = groupsOf(plan, released).map(({ labels, part }) => presentRow(columns, labels, [part]));
  return { columns, rows };
}

/** The groups of an answer in the plan's order, each with the labels of its keys. */
export function groupsOf(plan: Plan, released: ReleasedAnswer): { labels: string[]; part: GroupPart }[] {
  checkAnswer(plan, released);
  const variances = planVariances(plan);
  return Array.from({ length: groupCountOf(plan) }, (_, group) => {
    const values = released.values
      .map((vector) => vector[group])
      .filter((value) => typeof value === "string");
    const tallies = values.map((value, vector) => ({ value: BigInt(value), variance: variances[vector]! }));
    return { labels: labelsOf(plan, group), part: { plan, tallies: values.length === 0 ? null : tallies } };
  });
}

/** The columns of plans with equal outputs, on the finest of their grids. */
export function columnsOfOutputs(plans: Plan[]): PresentedColumn[] {
  return plans[0]!.outputs.map(({ name, kind }, index) => {
    const scale = Math.max(...plans.map((plan) => scaleOf(plan.outputs[index]!)));
    return { name, kind, scale: kind === "average" ? scale + averageExtraScale : scale };
  });
}

/** One row from the parts that are not suppressed. */
export function presentRow(columns: PresentedColumn[], labels: string[], parts: GroupPart[]): PresentedRow {
  const shown = parts.filter((part): part is { plan: Plan; tallies: Tally[] } => part.tallies !== null);
  const suppressed = shown.length === 0;
  const cells = parts[0]!.plan.outputs.map((output, index): Cell => {
    if (output.kind === "key") return { value: labels[output.key]!, margin: null };
    return suppressed ? { value: null, margin: null } : cellOf(index, columns[index]!.scale, shown);
  });
  return {
    values: cells.map((cell) => cell.value),
    margins: cells.map((cell) => cell.margin),
    suppressed,
    partial: !suppressed && shown.length < parts.length,
  };
}

function cellOf(index: number, scale: number, parts: { plan: Plan; tallies: Tally[] }[]): Cell {
  const sums: Tally[] = [];
  const counts: Tally[] = [];
  const centres: bigint[] = [];
  const grid = parts[0]!.plan.outputs[index]!.kind === "average" ? scale - averageExtraScale : scale;
  for (const { plan, tallies } of parts) {
    const output = plan.outputs[index]!;
    const factor = 10n ** BigInt(grid - scaleOf(output));
    if (output.kind === "count") counts.push(tallies[output.vector]!);
    if (output.kind === "sum") sums.push(rescaledTally(tallies[output.vector]!, factor));
    if (output.kind === "average") {
      const vector = plan.vectors[output.sum]!;
      sums.push(rescaledTally(tallies[output.sum]!, factor));
      counts.push(tallies[output.count]!);
      centres.push(vector.kind === "sum" ? BigInt(vector.centre) * factor : 0n);
    }
  }
  if (centres.length > 0)
    return averageCell(
      centres.map((centre, part) => ({ centre, sum: sums[part]!, count: counts[part]! })),
      grid,
    );
  return sums.length > 0 ? sumCell(sums, grid) : countCell(counts);
}

function scaleOf(output: Output): number {
  return "scale" in output ? output.scale : 0;
}

/** The labels of a group, by key; the last key counts fastest. */
function labelsOf(plan: Plan, group: number): string[] {
  const labels: string[] = [];
  let rest = group;
  for (const key of plan.keys.toReversed()) {
    labels.unshift(key.labels[rest % key.labels.length]!);
    rest = Math.floor(rest / key.labels.length);
  }
  return labels;
}
