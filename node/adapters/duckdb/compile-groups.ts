/**
 * The groups of a plan as SQL: one number for a group of declared domains (the last key fastest, as answers count them), and the values
 * of the keys where a key is open.
 */
import { type GroupKey, groupCountOf, type Plan } from "../../data-sharing/plan/plan.ts";
import { assert } from "../../primitives/assert.ts";
import { ExpressionCompiler } from "./compile-expressions.ts";
import type { CompiledRows } from "./compile-rows.ts";
import {
  ascending,
  constantValue,
  folded,
  literal,
  magnitude,
  saturated,
  typeFor,
  type Value,
  within,
} from "./sql-values.ts";

export interface CompiledGroups {
  /** How many there are; null with an open key. */
  count: number | null;
  /** A column with the group's number; with an open key one for each key. */
  columns: string[];
  /** Of the rows that belong to a group. */
  where: string;
  /** Further FROM items. */
  joins: string;
}

/** Declared values by CASE up to here; more by joining a table of them. */
const casesMax = 64;

export function compileGroups({ keys }: Pick<Plan, "keys">, rows: CompiledRows): CompiledGroups {
  const compiler = new ExpressionCompiler(rows.columns);
  const values = keys.map((key) => compiler.expression(key.expression));
  const count = groupCountOf({ keys });
  const conditions = keys.map((key, at) =>
    key.kind === "declared"
      ? within(values[at]!.sql, key.values.map(BigInt))
      : `(${values[at]!.sql} IS NOT NULL)`,
  );
  const where = ["true", ...conditions].join(" AND ");
  if (count === null)
    return {
      count,
      columns: values.map((value) => `CAST(${value.sql} AS ${typeFor(magnitude(value.range))})`),
      where,
      joins: "",
    };
  const places = keys.map((key, at) => placeOf(key, values[at]!, `k${at}`));
  const columns = places.reduce((sum, { sql }, at) => {
    const before = sum === "" ? "" : `(${sum}) * ${keysOf(keys[at]!).length} + `;
    return `${before}${sql}`;
  }, "");
  return {
    count,
    columns: [columns === "" ? "0" : columns],
    where,
    joins: places.map(({ join }) => join).join(""),
  };
}

function keysOf(key: GroupKey): string[] {
  assert(key.kind === "declared", "a declared key");
  return key.values;
}

/** The place of a value within its domain, of a row for which `within` is true. */
function placeOf(key: GroupKey, value: Value, alias: string): { sql: string; join: string } {
  const values = keysOf(key).map(BigInt);
  assert(values.length > 0, "a domain has values");
  const [first, last] = [values[0]!, values.at(-1)!];
  assert(
    values.every((value, at) => at === 0 || ascending(values[at - 1]!, value) < 0),
    "values ascend",
  );
  if (last - first + 1n === BigInt(values.length) && saturated(first) === first) {
    const { sql, range } = first === 0n ? value : folded([value, constantValue(first)], "-");
    // Of rows outside of the domain, which are left out, it may be anything.
    return { sql: `${magnitude(range) < 1n << 31n ? "CAST" : "TRY_CAST"}(${sql} AS INTEGER)`, join: "" };
  }
  const reached = values.flatMap((one, at) => (saturated(one) === one ? [[one, at] as const] : []));
  if (reached.length <= casesMax) {
    const cases = reached.map(([one, at]) => ` WHEN ${literal(one)} THEN ${at}`).join("");
    return { sql: reached.length === 0 ? "0" : `(CASE ${value.sql}${cases} END)`, join: "" };
  }
  const listed = reached.map(([one, at]) => `(${literal(one)}, ${at})`).join(", ");
  return {
    sql: `${alias}.place`,
    join: ` JOIN (VALUES ${listed}) AS ${alias}(value, place) ON ${alias}.value = ${value.sql}`,
  };
}
