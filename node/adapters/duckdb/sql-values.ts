/** Pieces of SQL for whole numbers, each with the range that it lies in, so that a type can be chosen in which no row overflows. */
import type { Interval } from "../../data-sharing/plan/columns.ts";
import { assert } from "../../primitives/assert.ts";

export interface Value {
  sql: string;
  /** What it lies in where it is not null. */
  range: Interval;
}

/** One less than HUGEINT has, so that a sum of two still fits. */
export const hugeBits = 126n;

export type SqlInteger = "BIGINT" | "HUGEINT";

/** @param reach The largest magnitude, of every intermediate value too. */
export function typeFor(reach: bigint): SqlInteger {
  assert(reach < 1n << hugeBits, "values of a plan fit 126 bits");
  return reach < 1n << 62n ? "BIGINT" : "HUGEINT";
}

export function literal(value: bigint): string {
  assert(value === saturated(value), "a literal fits 126 bits");
  return value < 0n ? `(${value})` : String(value);
}

/** Compares with all values of columns as `value` does. */
export function saturated(value: bigint): bigint {
  const most = 1n << hugeBits;
  return value > most ? most : value < -most ? -most : value;
}

export function cast(value: Value, type: SqlInteger): string {
  return `CAST(${value.sql} AS ${type})`;
}

/** Membership; a run of neighbours is a range, for which engines are faster. */
export function within(sql: string, values: readonly bigint[]): string {
  const places = values.filter((value) => saturated(value) === value).sort(ascending);
  // Three-valued: unknown for null, also where no value can be equal.
  if (places.length === 0) return `(CASE WHEN ${sql} IS NULL THEN NULL ELSE false END)`;
  const [first, last] = [places[0]!, places.at(-1)!];
  if (last - first + 1n === BigInt(new Set(places).size))
    return `(${sql} BETWEEN ${literal(first)} AND ${literal(last)})`;
  return `(${sql} IN (${places.map(literal).join(", ")}))`;
}

/**
 * Held between `low` and `high`. Always written, also where stored values should lie inside anyway; then at the stored bounds, which fit
 * the type of the values. LEAST and GREATEST skip NULL and so would make it a bound.
 */
export function clamped({ sql, range }: Value, low: bigint, high: bigint): Value {
  const inside = (value: bigint) => saturated(value < low ? low : value > high ? high : value);
  const [least, most] = [inside(range.low), inside(range.high)];
  return {
    sql: `CASE WHEN ${sql} < ${literal(least)} THEN ${literal(least)} WHEN ${sql} > ${literal(most)} THEN ${literal(most)} ELSE ${sql} END`,
    range: { low: least, high: most },
  };
}

/** Computed in a type that holds it in whichever order the parts are taken. */
export function folded(parts: readonly Value[], operator: "+" | "-" | "*"): Value {
  const magnitudes = parts.map((part) => magnitude(part.range));
  const reach =
    operator === "*"
      ? magnitudes.reduce((a, b) => a * largest([b, 1n]), 1n)
      : magnitudes.reduce((a, b) => a + b, 0n);
  const type = typeFor(largest([reach, ...magnitudes]));
  return {
    sql: `(${parts.map((part) => cast(part, type)).join(` ${operator} `)})`,
    range: parts.map((part) => part.range).reduce((a, b) => combined(a, b, operator)),
  };
}

function combined(a: Interval, b: Interval, operator: "+" | "-" | "*"): Interval {
  if (operator === "+") return { low: a.low + b.low, high: a.high + b.high };
  if (operator === "-") return { low: a.low - b.high, high: a.high - b.low };
  const corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
  return { low: smallest(corners), high: largest(corners) };
}

export function constantValue(value: bigint): Value {
  return { sql: literal(value), range: { low: value, high: value } };
}

export function magnitude({ low, high }: Interval): bigint {
  return largest([low, -low, high, -high]);
}

export function largest(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => (a > b ? a : b));
}

export function smallest(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => (a < b ? a : b));
}

export function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
