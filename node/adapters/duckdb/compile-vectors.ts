/** What one row is for a vector, as SQL. */
import type { Vector } from "../../data-sharing/plan/plan.ts";
import { assert } from "../../primitives/assert.ts";
import type { ExpressionCompiler } from "./compile-expressions.ts";
import {
  cast,
  clamped,
  constantValue,
  folded,
  literal,
  magnitude,
  saturated,
  typeFor,
  type Value,
} from "./sql-values.ts";

export type Sums = Extract<Vector, { kind: "sum" | "squares" }>;

/** Within its bounds; null where the expression is. */
export function heldValue(vector: Sums, compiler: ExpressionCompiler): Value {
  return clamped(compiler.expression(vector.of), BigInt(vector.low), BigInt(vector.high));
}

/** Less the centre, squared for squares; null where the expression is. */
export function centredValue(vector: Sums, compiler: ExpressionCompiler): Value {
  const held = heldValue(vector, compiler);
  const centre = BigInt(vector.centre);
  const value = centre === 0n ? held : folded([held, constantValue(centre)], "-");
  if (vector.kind === "sum") return value;
  const reach = magnitude(value.range) ** 2n;
  const wide = cast(value, typeFor(reach));
  return { sql: `(${wide} * ${wide})`, range: { low: 0n, high: reach } };
}

/** The bucket; null where the expression is. */
export function bucketOf(vector: Extract<Vector, { kind: "buckets" }>, compiler: ExpressionCompiler): string {
  const { sql, range } = compiler.expression(vector.of);
  const [low, step, last] = [BigInt(vector.low), BigInt(vector.step), BigInt(vector.buckets - 1)];
  assert(step > 0n && last > 0n, "there are buckets, each with a width");
  const top = low + step * last;
  const cases = [
    `WHEN ${sql} < ${literal(saturated(low))} THEN 0`,
    `WHEN ${sql} >= ${literal(saturated(top))} THEN ${last}`,
  ];
  // Between the first and the last bucket, so that neither the difference nor the step can be larger than the values are.
  const isBetween = low <= range.high && top > range.low && step <= range.high - low;
  if (!isBetween) return `(CASE ${cases.join(" ")} WHEN ${sql} IS NOT NULL THEN 0 END)`;
  const offset = folded([{ sql, range }, constantValue(low)], "-");
  const type = typeFor(magnitude(offset.range) > step ? magnitude(offset.range) : step);
  return `(CASE ${cases.join(" ")} ELSE CAST(${cast(offset, type)} // CAST(${literal(step)} AS ${type}) AS INTEGER) END)`;
}
