/**
 * Expressions and predicates of a plan as SQL over a scope of columns. From the columns' ranges the interval of every value is known, and
 * with it the type in which it is computed: 64-bit integers below 2^62, exact numerics beyond. No row can make them fail.
 */
import type { Interval } from "../../data-sharing/plan/columns.ts";
import type { DatePart, Expression, Predicate } from "../../data-sharing/plan/plan.ts";
import { assert } from "../../primitives/assert.ts";
import { type NumberType, numberLiteral, typed, typeFor } from "./sql-text.ts";
import { dayRange } from "./table-columns.ts";

export interface Value {
  sql: string;
  type: NumberType;
  /** What it lies in where it is not null. */
  range: Interval;
  isNullable: boolean;
}

export interface ScopeColumn extends Value {
  /** Of an open text column: the text, null where the value is. */
  text: string | null;
}

/** Columns by the names that the plan has for them at a place. */
export type Scope = Pick<ReadonlyMap<string, ScopeColumn>, "get">;

export function expressionSql(expression: Expression, scope: Scope): Value {
  const inner = (part: Expression) => expressionSql(part, scope);
  switch (expression.kind) {
    case "column":
      return columnOf(expression.name, scope);
    case "constant":
      return constant(BigInt(expression.value));
    case "null":
      return { sql: "CAST(NULL AS bigint)", type: "bigint", range: { low: 0n, high: 0n }, isNullable: true };
    case "add":
      return folded(expression.operands.map(inner), "+");
    case "multiply":
      return folded(expression.operands.map(inner), "*");
    case "subtract":
      return folded([inner(expression.left), inner(expression.right)], "-");
    case "divide":
      return quotient(inner(expression.left), BigInt(expression.divisor));
    case "date-part":
      return datePart(expression.part, inner(expression.of));
    case "case": {
      const branches = expression.branches.map(({ when, value }) => ({
        when: predicateSql(when, scope),
        value: inner(value),
      }));
      const otherwise = inner(expression.otherwise);
      const values = [...branches.map(({ value }) => value), otherwise];
      const range = {
        low: least(values.map((value) => value.range.low)),
        high: largest(values.map((value) => value.range.high)),
      };
      const type = values.some((value) => value.type === "numeric") ? "numeric" : "bigint";
      const cases = branches.map(({ when, value }) => `WHEN ${when} THEN ${inType(value, type)}`);
      const isNullable = values.some((value) => value.isNullable);
      return { sql: `CASE ${cases.join(" ")} ELSE ${inType(otherwise, type)} END`, type, range, isNullable };
    }
  }
}

export function predicateSql(predicate: Predicate, scope: Scope): string {
  switch (predicate.kind) {
    case "always":
      return "true";
    case "never":
      return "false";
    case "is-null":
      return `(${columnOf(predicate.column, scope).sql} IS NULL)`;
    case "not":
      return `(NOT ${predicateSql(predicate.operand, scope)})`;
    case "and":
    case "or": {
      if (predicate.operands.length === 0) return predicate.kind === "and" ? "true" : "false";
      const parts = predicate.operands.map((operand) => predicateSql(operand, scope));
      return `(${parts.join(predicate.kind === "and" ? " AND " : " OR ")})`;
    }
    case "in":
      return membership(expressionSql(predicate.expression, scope), predicate.values.map(BigInt));
    case "compare": {
      assert(["=", "<", "<="].includes(predicate.operator), "an operator of plans");
      const [left, right] = [predicate.left, predicate.right].map((side) => expressionSql(side, scope));
      return `(${left!.sql} ${predicate.operator} ${right!.sql})`;
    }
  }
}

/** Held to low ... high; nothing is written where it lies inside anyway. LEAST and GREATEST skip NULL and so would make it a bound. */
export function clamped(value: Value, low: bigint, high: bigint): Value {
  const { sql, range, isNullable } = value;
  const inside = (bound: bigint) => (bound < low ? low : bound > high ? high : bound);
  const held = { low: inside(range.low), high: inside(range.high) };
  const type = value.type === "numeric" ? "numeric" : typeFor(magnitudeOf(held));
  const cases = [
    ...(range.low < held.low
      ? [`WHEN ${sql} < ${numberLiteral(held.low)} THEN ${typed(held.low, type)}`]
      : []),
    ...(range.high > held.high
      ? [`WHEN ${sql} > ${numberLiteral(held.high)} THEN ${typed(held.high, type)}`]
      : []),
  ];
  if (cases.length === 0) return value;
  return { sql: `CASE ${cases.join(" ")} ELSE ${inType(value, type)} END`, type, range: held, isNullable };
}

/** value - constant, or its square. */
export function shifted(value: Value, by: bigint): Value {
  return by === 0n ? value : folded([value, constant(by)], "-");
}

export function squared(value: Value): Value {
  return folded([value, value], "*");
}

/** Membership; a run of neighbours is a range. Unknown for null, also where no value can be equal. */
export function membership({ sql, range, isNullable }: Value, values: readonly bigint[]): string {
  const places = [...new Set(values)]
    .filter((value) => value >= range.low && value <= range.high)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  if (places.length === 0) return `(CASE WHEN ${sql} IS NULL THEN CAST(NULL AS boolean) ELSE false END)`;
  const [first, last] = [places[0]!, places.at(-1)!];
  // All values that there can be: a planner guesses that hardly any row is inside of two bounds.
  if (first === range.low && last === range.high && last - first + 1n === BigInt(places.length))
    return isNullable ? `(${sql} IS NOT NULL OR CAST(NULL AS boolean))` : "true";
  if (last - first + 1n === BigInt(places.length))
    return first === last
      ? `(${sql} = ${numberLiteral(first)})`
      : `(${sql} BETWEEN ${numberLiteral(first)} AND ${numberLiteral(last)})`;
  return `(${sql} IN (${places.map(numberLiteral).join(", ")}))`;
}

export function inType({ sql, type }: Pick<Value, "sql" | "type">, wanted: NumberType): string {
  return type === wanted ? sql : `CAST(${sql} AS ${wanted})`;
}

function columnOf(name: string, scope: Scope): ScopeColumn {
  const column = scope.get(name);
  assert(column !== undefined, "a plan names columns of its rows");
  return column;
}

function constant(value: bigint): Value {
  const type = typeFor(value < 0n ? -value : value);
  return { sql: typed(value, type), type, range: { low: value, high: value }, isNullable: false };
}

/** Computed in a type that holds the result in whichever order the parts are taken. */
function folded(parts: Value[], operator: "+" | "-" | "*"): Value {
  const magnitudes = parts.map((part) => magnitudeOf(part.range));
  const reach =
    operator === "*"
      ? magnitudes.reduce((a, b) => a * largest([b, 1n]), 1n)
      : magnitudes.reduce((a, b) => a + b, 0n);
  const type = parts.some((part) => part.type === "numeric") ? "numeric" : typeFor(reach);
  const sql = `(${parts.map((part) => inType(part, type)).join(` ${operator} `)})`;
  const range = parts.map((part) => part.range).reduce((a, b) => combined(a, b, operator));
  return { sql, type, range, isNullable: parts.some((part) => part.isNullable) };
}

function combined(a: Interval, b: Interval, operator: "+" | "-" | "*"): Interval {
  if (operator === "+") return { low: a.low + b.low, high: a.high + b.high };
  if (operator === "-") return { low: a.low - b.high, high: a.high - b.low };
  const corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
  return { low: least(corners), high: largest(corners) };
}

/** Rounded toward zero, which for what plans divide is down. */
export function quotient(left: Value, divisor: bigint): Value {
  assert(divisor > 0n, "a divisor is positive");
  const range = { low: left.range.low / divisor, high: left.range.high / divisor };
  const type = left.type === "numeric" ? "numeric" : typeFor(divisor);
  const [dividend, by] = [inType(left, type), typed(divisor, type)];
  return {
    sql: type === "numeric" ? `div(${dividend}, ${by})` : `(${dividend} / ${by})`,
    type,
    range,
    isNullable: left.isNullable,
  };
}

const partRanges: Record<DatePart, Interval> = {
  year: { low: 1n, high: 9999n },
  quarter: { low: 1n, high: 4n },
  month: { low: 1n, high: 12n },
  day: { low: 1n, high: 31n },
  dow: { low: 0n, high: 6n },
  doy: { low: 1n, high: 366n },
};

/** Null for days that no date of a plan has: PostgreSQL's calendar ends, too. */
function datePart(part: DatePart, { sql, range, isNullable }: Value): Value {
  const partRange = partRanges[part];
  assert(partRange !== undefined, "a part of plans");
  const value = `CAST(EXTRACT(${part} FROM date '1970-01-01' + CAST(${sql} AS integer)) AS bigint)`;
  const isInside = range.low >= dayRange.low && range.high <= dayRange.high;
  const guarded = `CASE WHEN ${sql} BETWEEN ${numberLiteral(dayRange.low)} AND ${numberLiteral(dayRange.high)} THEN ${value} END`;
  return {
    sql: isInside ? value : guarded,
    type: "bigint",
    range: partRange,
    isNullable: isNullable || !isInside,
  };
}

export function magnitudeOf({ low, high }: Interval): bigint {
  return largest([low, -low, high, -high]);
}

export function largest(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => (a > b ? a : b));
}

export function least(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => (a < b ? a : b));
}
