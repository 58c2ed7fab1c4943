/**
 * A plan for which the question itself has to bound what a person adds, or whose people are in too many groups to be counted by DuckDB in
 * little time: DuckDB finds the rows person by person, `PersonWalk` does the rest. Sums of a person that could leave 2^52 go as HUGEINT.
 */
import {
  cellsOf,
  openGroupsMaxOf,
  type Plan,
  rowsPerPersonOf,
  type Vector,
} from "../../data-sharing/plan/plan.ts";
import { assert } from "../../primitives/assert.ts";
import { OpenGroups } from "./answer-groups.ts";
import { ExpressionCompiler } from "./compile-expressions.ts";
import { compileGroups } from "./compile-groups.ts";
import { type CompiledRows, withPeople } from "./compile-rows.ts";
import { bucketOf, centredValue } from "./compile-vectors.ts";
import type { CompiledPlan } from "./compiled-plan.ts";
import { PersonWalk } from "./person-walk.ts";
import { hugeBits, magnitude } from "./sql-values.ts";
import {
  BucketTotals,
  exactNumberBits,
  NumberTotals,
  PeopleTotals,
  RowTotals,
  type Totals,
  WideTotals,
} from "./walk-totals.ts";

export function compileWalk(plan: Plan, rows: CompiledRows): CompiledPlan {
  const groups = compileGroups(plan, rows);
  const rowsMax = rowsPerPersonOf(plan.rows);
  const { rowsPerGroup, groups: groupsMax } =
    plan.bounding.kind === "query"
      ? plan.bounding
      : { rowsPerGroup: Number(rowsMax), groups: Number.MAX_SAFE_INTEGER };
  const keys = groups.columns.map((sql) => (groups.count === null ? `CAST(${sql} AS HUGEINT)` : sql));
  const columns = [`CAST(${rows.person} AS DOUBLE)`, ...keys];
  const compiler = new ExpressionCompiler(rows.columns);
  const totals = plan.vectors.map((vector): (() => Totals) => {
    const column = columns.length;
    const { sql, make } = totalsOf(vector, column, rowsPerGroup, rowsMax, compiler);
    if (sql !== null) columns.push(sql);
    return make;
  });
  const inOrder = rows.inOrder && groups.joins === "";
  const found = `FROM ${rows.from}${groups.joins} WHERE ${rows.where} AND ${groups.where}`;
  const statement = `SELECT ${columns.join(", ")} ${found}${inOrder ? "" : " ORDER BY 1"}`;
  return {
    sql: (people) => withPeople(statement, people),
    inPieces: true,
    reader: (seed) =>
      new PersonWalk({
        seed,
        groupsMax,
        groupCount: groups.count,
        openGroupsMax: openGroupsMaxOf(plan),
        open: groups.count === null ? new OpenGroups() : null,
        keys: keys.length,
        totals: totals.map((make) => make()),
      }),
  };
}

/** The column that a vector needs, if any, and what adds it up. */
function totalsOf(
  vector: Vector,
  column: number,
  most: number,
  rowsMax: bigint,
  compiler: ExpressionCompiler,
): { sql: string | null; make: () => Totals } {
  if (vector.kind === "people") return { sql: null, make: () => new PeopleTotals() };
  if (vector.of === null) return { sql: null, make: () => new RowTotals(most) };
  if (vector.kind === "buckets")
    return {
      sql: `coalesce(${bucketOf(vector, compiler)}, -1)`,
      make: () => new BucketTotals(column, cellsOf(vector), most),
    };
  if (vector.kind === "count")
    return {
      sql: `CAST(CASE WHEN ${compiler.expression(vector.of).sql} IS NULL THEN 0 ELSE 1 END AS DOUBLE)`,
      make: () => new NumberTotals(column, most),
    };
  const value = centredValue(vector, compiler);
  const reach = magnitude(value.range) * rowsMax;
  const isNarrow = reach < 1n << exactNumberBits && rowsMax * BigInt(most) < 1n << exactNumberBits;
  assert(isNarrow || reach < 1n << hugeBits, "what one person adds up to fits 126 bits");
  return isNarrow
    ? { sql: `CAST(coalesce(${value.sql}, 0) AS DOUBLE)`, make: () => new NumberTotals(column, most) }
    : { sql: `CAST(coalesce(${value.sql}, 0) AS HUGEINT)`, make: () => new WideTotals(column, most) };
}
