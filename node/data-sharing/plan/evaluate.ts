/**
 * What a plan means, as a small interpreter over rows of integers: the reference that engines are compared with, and the means by
 * which a key's domain is found. Slow on purpose of being plain.
 */
import { assert } from "../../primitives/assert.ts";
import type { ExactAnswer } from "../ports.ts";
import { type Expression, groupCountOf, type Plan, type Predicate, type Vector } from "./plan.ts";

/** Stored integers by column; null where a column is null. */
export type Row = Readonly<Record<string, bigint | null>>;

export interface PersonRow {
  person: string;
  /** The place of the row among those of its person; the first ones take part. By default the order of the rows. */
  rank?: number;
  columns: Row;
}

/** Runs the plan without noise. */
export function executePlan(rows: readonly PersonRow[], plan: Plan): ExactAnswer {
  const vectors = plan.vectors.map(() => new Array<bigint>(groupCountOf(plan)).fill(0n));
  const places = plan.keys.map((key) => new Map(key.values.map((value, index) => [value, index])));
  for (const { columns } of boundedRows(rows, plan.rowsPerPerson)) {
    if (evaluatePredicate(plan.filter, columns) !== true) continue;
    const group = groupOf(plan, places, columns);
    if (group === null) continue;
    plan.vectors.forEach((vector, index) => {
      vectors[index]![group]! += contribution(vector, columns);
    });
  }
  return { vectors };
}

export function evaluateExpression(expression: Expression, row: Row): bigint | null {
  switch (expression.kind) {
    case "column": {
      const value = row[expression.name];
      assert(value !== undefined, "the row has the column");
      return value;
    }
    case "constant":
      return BigInt(expression.value);
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

function boundedRows(rows: readonly PersonRow[], rowsPerPerson: number): PersonRow[] {
  const byPerson = Map.groupBy(rows, (row) => row.person);
  return [...byPerson.values()].flatMap((own) =>
    own.toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0)).slice(0, rowsPerPerson),
  );
}

/** The group's number, the last key fastest; null for a row of no group. */
function groupOf(plan: Plan, places: Map<string, number>[], row: Row): number | null {
  let group = 0;
  for (const [index, key] of plan.keys.entries()) {
    const place = places[index]!.get(String(evaluateExpression(key.expression, row)));
    if (place === undefined) return null;
    group = group * key.values.length + place;
  }
  return group;
}

function contribution(vector: Vector, row: Row): bigint {
  const value = vector.of === null ? 0n : evaluateExpression(vector.of, row);
  if (value === null) return 0n;
  if (vector.kind === "count") return 1n;
  const [low, high] = [BigInt(vector.low), BigInt(vector.high)];
  return (value < low ? low : value > high ? high : value) - BigInt(vector.centre);
}
