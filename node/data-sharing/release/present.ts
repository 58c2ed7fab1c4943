/**
 * A released answer as a table. Post-processing of released integers and public parameters: repository and client compute the same, and
 * no privacy is lost by it.
 */
import { formatDecimal } from "../manifests/grid.ts";
import { groupCountOf, type Output, type Plan } from "../plan/plan.ts";
import { planVariances, type ReleasedAnswer } from "./answer.ts";
import { type Cell, emptyCell } from "./cells.ts";
import { checkAnswer } from "./check-answer.ts";
import { rankError } from "./expected-error.ts";
import { declaredLabels } from "./labels.ts";
import { gridScaleOf, outputCell, type Released, type ShownPart, shownScaleOf } from "./output-cells.ts";
import { applyPost } from "./post.ts";
import type { PresentedAnswer, PresentedColumn, PresentedRow } from "./presented-answer.ts";

/** One repository's numbers of one group; null where it does not show it. */
export interface GroupPart {
  plan: Plan;
  released: Released[][] | null;
}

export interface PresentedGroup {
  labels: string[];
  parts: GroupPart[];
}

/** @throws TrustedDataError `answer_invalid` where the answer is not one of this plan. */
export function presentAnswer(plan: Plan, released: ReleasedAnswer): PresentedAnswer {
  return presentGroups(
    [plan],
    groupsOf(plan, released).map(({ labels, part }) => ({ labels, parts: [part] })),
  );
}

/** The groups of an answer in its own order, each with the labels of its keys. */
export function groupsOf(plan: Plan, answer: ReleasedAnswer): { labels: string[]; part: GroupPart }[] {
  checkAnswer(plan, answer);
  const variances = planVariances(plan);
  const count = answer.groups?.length ?? groupCountOf(plan)!;
  return Array.from({ length: count }, (_, group) => {
    const released = answer.values.map((values, release): Released[] => {
      const cells = values.length / count;
      return values
        .slice(group * cells, (group + 1) * cells)
        .filter((value) => value !== null)
        .map((value) => ({ value: BigInt(value), variance: variances[release]! }));
    });
    const isShown = released.some((cells) => cells.length > 0);
    return {
      labels: answer.groups?.[group] ?? declaredLabels(plan, group),
      part: { plan, released: isShown ? released : null },
    };
  });
}

/** The table of these groups after HAVING, ORDER BY and LIMIT. All plans have the same outputs, on grids of their own. */
export function presentGroups(plans: Plan[], groups: PresentedGroup[]): PresentedAnswer {
  const [{ outputs, post }] = plans as [Plan];
  const grids = outputs.map((_, index) =>
    Math.max(...plans.map((plan) => gridScaleOf(plan.outputs[index]!))),
  );
  const columns = outputs.map((output, index) => columnOf(plans[0]!, output, grids[index]!));
  const rows = applyPost(
    post,
    columns,
    groups.map((group) => rowOf(outputs, grids, group)),
  );
  const isShown = (_: unknown, index: number) => outputs[index]!.shown;
  return {
    columns: columns.filter(isShown),
    rows: rows.map((row) => ({
      ...row,
      values: row.values.filter(isShown),
      margins: row.margins.filter(isShown),
    })),
  };
}

function columnOf(plan: Plan, output: Output, grid: number): PresentedColumn {
  const { name, kind } = output;
  const column = {
    name,
    kind,
    ...(output.kind === "count" && output.label !== undefined && { label: output.label }),
    scale: shownScaleOf(output, grid),
    spacing: null,
    rankMargin: null,
  };
  if (output.kind !== "quantile") return { ...column, type: kind === "key" ? "text" : "number" };
  const release = plan.releases[output.release]!;
  const vector = plan.vectors[release.vector]!;
  return {
    ...column,
    type: output.type,
    spacing: vector.kind === "buckets" ? formatDecimal(BigInt(vector.step), output.scale) : null,
    rankMargin: Math.ceil(rankError(release, plan)),
  };
}

/** One row from the parts that are not suppressed. */
function rowOf(outputs: Output[], grids: number[], { labels, parts }: PresentedGroup): PresentedRow {
  const shown = parts.filter((part): part is ShownPart => part.released !== null);
  const suppressed = shown.length === 0;
  const cells = outputs.map((output, index): Cell => {
    if (output.kind === "key") return { value: labels[output.key]!, margin: null };
    return suppressed ? emptyCell : outputCell(index, grids[index]!, shown);
  });
  return {
    values: cells.map((cell) => cell.value),
    margins: cells.map((cell) => cell.margin),
    suppressed,
    partial: !suppressed && shown.length < parts.length,
  };
}
