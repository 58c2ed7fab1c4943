/** Whether every index in a plan leads to a part of the right kind. */
import { cellsOf, type Output, type Plan, rowsPerPersonOf, type Vector } from "./plan.ts";

export function isJoined(plan: Plan): boolean {
  const released = (place: number, mechanism: "gaussian" | "exponential"): Vector | undefined => {
    const release = plan.releases[place];
    return release?.mechanism === mechanism ? plan.vectors[release.vector] : undefined;
  };
  const isCount = (place: number) => {
    const vector = released(place, "gaussian");
    return vector?.kind === "count" || vector?.kind === "people" ? vector : undefined;
  };
  const isSum = (place: number, kind: "sum" | "squares") => {
    const vector = released(place, "gaussian");
    return vector?.kind === kind ? vector : undefined;
  };
  const hasParts = (output: Output): boolean => {
    switch (output.kind) {
      case "key":
        return output.key < plan.keys.length;
      case "count": {
        const vector = released(output.release, "gaussian");
        const counts = vector !== undefined && vector.kind !== "sum" && vector.kind !== "squares";
        return counts && output.cell < cellsOf(vector);
      }
      case "sum":
        return isSum(output.release, "sum")?.centre === "0";
      case "average":
        return isSum(output.sum, "sum") !== undefined && isCount(output.count) !== undefined;
      case "variance": {
        const [sum, squares] = [isSum(output.sum, "sum"), isSum(output.squares, "squares")];
        return sum !== undefined && sum.centre === squares?.centre && isCount(output.count) !== undefined;
      }
      case "quantile":
        return released(output.release, "exponential")?.kind === "buckets";
    }
  };
  const floor = isCount(plan.floor.release);
  const isOpen = plan.keys.some((key) => key.kind === "open");
  const threshold = plan.threshold === null ? undefined : released(plan.threshold.release, "gaussian");
  const last = plan.outputs.length;
  return (
    plan.releases.every((release) => {
      const vector = plan.vectors[release.vector];
      return vector !== undefined && (release.mechanism === "gaussian" || vector.kind === "buckets");
    }) &&
    (floor?.kind === "people" || (floor?.kind === "count" && floor.of === null)) &&
    (isOpen ? countsPeople(threshold, plan) : plan.threshold === null) &&
    new Set(plan.outputs.map((output) => output.name)).size === last &&
    plan.outputs.every(hasParts) &&
    plan.post.order.every(({ output }) => output < last) &&
    conditionOutputs(plan.post.having).every((output) => output < last)
  );
}

/** Where a person has one row, rows are persons. */
function countsPeople(vector: Vector | undefined, { rows }: Plan): boolean {
  if (vector?.kind === "count") return vector.of === null && rowsPerPersonOf(rows) === 1n;
  return vector?.kind === "people";
}

function conditionOutputs(condition: Plan["post"]["having"]): number[] {
  if (condition === null) return [];
  if (condition.kind === "compare") return [condition.output];
  const operands = condition.kind === "not" ? [condition.operand] : condition.operands;
  return operands.flatMap(conditionOutputs);
}
