/**
 * HAVING, ORDER BY and LIMIT, over numbers that are released already: whoever shows the answer does it, and it costs no privacy. Numbers
 * are compared as they are shown, to the last decimal place.
 *
 * Three-valued as in SQL: a number that is not shown makes a comparison unknown, and a row passes where the whole is true. A suppressed
 * group passes no HAVING. Nothing comes after numbers and texts, in either direction; rows that are equal stay in the answer's own order.
 */
import { dateToDays } from "../manifests/grid.ts";
import type { AnswerCondition, Post } from "../plan/plan.ts";
import { compareDecimals, compareLabels } from "./labels.ts";
import type { PresentedColumn, PresentedRow } from "./presented-answer.ts";

type Truth = boolean | null;
type Columns = readonly Pick<PresentedColumn, "type">[];

/** `rows` with the values of all outputs, those for HAVING and ORDER BY alone among them. */
export function applyPost(
  { having, order, limit }: Post,
  columns: Columns,
  rows: readonly PresentedRow[],
): PresentedRow[] {
  const passing =
    having === null
      ? [...rows]
      : rows.filter((row) => !row.suppressed && truthOf(having, columns, row) === true);
  const sorted = passing.sort((a, b) => {
    for (const { output, descending } of order) {
      const difference = compareValues(a.values[output]!, b.values[output]!, descending);
      if (difference !== 0) return difference;
    }
    return 0;
  });
  return limit === null ? sorted : sorted.slice(0, limit);
}

function truthOf(condition: AnswerCondition, columns: Columns, row: PresentedRow): Truth {
  switch (condition.kind) {
    case "compare": {
      const number = numberOf(row.values[condition.output]!, columns[condition.output]!.type);
      return number === null ? null : holds(condition.operator, compareDecimals(number, condition.value));
    }
    case "and":
    case "or": {
      const truths = condition.operands.map((operand) => truthOf(operand, columns, row));
      const deciding = condition.kind === "or";
      if (truths.includes(deciding)) return deciding;
      return truths.includes(null) ? null : !deciding;
    }
    case "not": {
      const truth = truthOf(condition.operand, columns, row);
      return truth === null ? null : !truth;
    }
  }
}

/** What a condition compares: dates as days since 1970-01-01; null where there is nothing, or a label that is neither number nor date. */
function numberOf(value: string | null, type: PresentedColumn["type"]): string | null {
  if (value === null) return null;
  const days = type === "number" ? null : dateToDays(value);
  if (days !== null) return days.toString();
  return /^-?\d+(?:\.\d+)?$/.test(value) ? value : null;
}

function holds(operator: (AnswerCondition & { kind: "compare" })["operator"], order: number): boolean {
  switch (operator) {
    case "=":
      return order === 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

function compareValues(a: string | null, b: string | null, descending: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const order = compareLabels(a, b);
  return descending ? -order : order;
}
