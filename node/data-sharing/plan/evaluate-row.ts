/** What expressions and predicates of a plan are for one row. */
import { assert } from "../../primitives/assert.ts";
import type { DatePart, Expression, Predicate } from "./plan.ts";

/** Stored integers by column; null where a column is null. */
export type Row = Readonly<Record<string, bigint | null>>;

export function evaluateExpression(expression: Expression, row: Row): bigint | null {
  switch (expression.kind) {
    case "column": {
      const value = row[expression.name];
      assert(value !== undefined, "the row has the column");
      return value;
    }
    case "constant":
      return BigInt(expression.value);
    case "null":
      return null;
    case "add":
      return folded(expression.operands, row, (a, b) => a + b);
    case "multiply":
      return folded(expression.operands, row, (a, b) => a * b);
    case "subtract":
      return folded([expression.left, expression.right], row, (a, b) => a - b);
    case "divide": {
      const left = evaluateExpression(expression.left, row);
      return left === null ? null : left / BigInt(expression.divisor);
    }
    case "date-part": {
      const days = evaluateExpression(expression.of, row);
      return days === null ? null : datePart(expression.part, days);
    }
    case "case": {
      const taken = expression.branches.find(({ when }) => evaluatePredicate(when, row) === true);
      return evaluateExpression(taken?.value ?? expression.otherwise, row);
    }
  }
}

/** true, false, or null for unknown. */
export function evaluatePredicate(predicate: Predicate, row: Row): boolean | null {
  switch (predicate.kind) {
    case "always":
      return true;
    case "never":
      return false;
    case "is-null":
      return evaluateExpression({ kind: "column", name: predicate.column }, row) === null;
    case "not": {
      const inner = evaluatePredicate(predicate.operand, row);
      return inner === null ? null : !inner;
    }
    case "and":
    case "or": {
      const deciding = predicate.kind === "or";
      const parts = predicate.operands.map((operand) => evaluatePredicate(operand, row));
      if (parts.includes(deciding)) return deciding;
      return parts.includes(null) ? null : !deciding;
    }
    case "in": {
      const value = evaluateExpression(predicate.expression, row);
      return value === null ? null : predicate.values.some((other) => BigInt(other) === value);
    }
    case "compare": {
      const left = evaluateExpression(predicate.left, row);
      const right = evaluateExpression(predicate.right, row);
      if (left === null || right === null) return null;
      if (predicate.operator === "=") return left === right;
      return predicate.operator === "<" ? left < right : left <= right;
    }
  }
}

function folded(operands: Expression[], row: Row, combine: (a: bigint, b: bigint) => bigint): bigint | null {
  const values = operands.map((operand) => evaluateExpression(operand, row));
  return values.reduce((a, b) => (a === null || b === null ? null : combine(a, b)));
}

function datePart(part: DatePart, days: bigint): bigint {
  const date = new Date(Number(days) * 86_400_000);
  switch (part) {
    case "year":
      return BigInt(date.getUTCFullYear());
    case "quarter":
      return BigInt(Math.floor(date.getUTCMonth() / 3) + 1);
    case "month":
      return BigInt(date.getUTCMonth() + 1);
    case "day":
      return BigInt(date.getUTCDate());
    case "dow":
      return BigInt(date.getUTCDay());
    case "doy": {
      const first = new Date(date);
      first.setUTCMonth(0, 1);
      return BigInt(Math.round((date.getTime() - first.getTime()) / 86_400_000) + 1);
    }
  }
}
