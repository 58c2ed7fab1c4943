/** COUNT, SUM and AVG as the vectors that are released for them. */
import { TrustedDataError } from "../../errors.ts";
import { decimalToGrid } from "../manifests/grid.ts";
import type { Interval } from "./columns.ts";
import { boundsMissing, intervalOf } from "./intervals.ts";
import { columnsOf } from "./linear.ts";
import type { Expression, Vector } from "./plan.ts";
import { compileScalar, kindOf, type Scope } from "./scalar.ts";
import { childrenOf, namesOf, onlyFields, type Place, refuse, type SqlNode } from "./sql-node.ts";

type Count = Extract<Vector, { kind: "count" }>;
type Sum = Extract<Vector, { kind: "sum" }>;

export type Aggregate =
  | { kind: "count"; count: Count }
  | { kind: "sum"; sum: Sum; scale: number }
  | { kind: "average"; sum: Sum; count: Count; scale: number };

/** Narrower bounds by column, in the column's unit. */
export type Clamps = Readonly<Record<string, readonly [number, number]>>;

export function isAggregate(node: SqlNode): boolean {
  const names = node.kind === "FuncCall" ? namesOf(node, "funcname") : null;
  return names?.length === 1 && /^(?:count|sum|avg)$/.test(names[0]!);
}

/** The aggregate that a column of SELECT is, or null for one that is none. */
export function aggregateOf(node: SqlNode, scope: Scope, clamps: Clamps): Aggregate | null {
  if (!isAggregate(node)) return null;
  onlyFields(node, ["funcname", "args", "agg_star", "funcformat"], {
    agg_distinct: "DISTINCT in an aggregate is not part of the subset",
    agg_filter: "FILTER is not part of the subset",
    agg_order: "ORDER BY in an aggregate is not part of the subset",
    over: "window functions are not part of the subset",
  });
  const [name] = namesOf(node, "funcname")!;
  const [argument, second] = childrenOf(node, "args");
  if (node.fields.get("agg_star") === true) {
    if (name !== "count") refuse(node.place, "* stands in COUNT(*) only");
    return { kind: "count", count: { kind: "count", of: null } };
  }
  if (argument === undefined || second !== undefined) refuse(node.place, "an aggregate takes one argument");
  const scalar = compileScalar(argument, scope);
  if (scalar.type === "literal") refuse(argument.place, "an aggregate of a constant says nothing");
  const count: Count = { kind: "count", of: presenceOf(scalar.expression, scope) };
  if (name === "count") return { kind: "count", count };
  if (scalar.type !== "number")
    refuse(argument.place, `SUM and AVG take numbers, and this is ${kindOf(scalar)}`);
  const { expression, scale } = scalar;
  const { low, high } = clampedRange(expression, scope, clamps, argument.place);
  if (low === high) refuse(argument.place, "what is summed is the same for every row");
  const centre = name === "avg" ? midpoint(low, high) : 0n;
  const sum: Sum = {
    kind: "sum",
    of: expression,
    low: low.toString(),
    high: high.toString(),
    centre: centre.toString(),
  };
  return name === "avg" ? { kind: "average", sum, count, scale } : { kind: "sum", sum, scale };
}

/** An expression that is null exactly where the counted one is; null where neither ever is, as then all rows count. */
function presenceOf(expression: Expression, scope: Scope): Expression | null {
  const nullable = columnsOf(expression)
    .filter((column) => scope.columns.get(column)?.nullable ?? true)
    .map((name): Expression => ({ kind: "column", name }));
  if (nullable.length <= 1) return nullable[0] ?? null;
  return { kind: "add", operands: nullable };
}

/** The interval that the expression's value is clamped to. */
function clampedRange(expression: Expression, scope: Scope, clamps: Clamps, place: Place): Interval {
  if (expression.kind !== "column") intervalOf(expression, scope.rangeOf, place);
  return intervalOf(expression, (column) => narrowed(column, scope, clamps) ?? boundsMissing(column), place);
}

function narrowed(name: string, scope: Scope, clamps: Clamps): Interval | null {
  const column = scope.columns.get(name);
  const range = scope.rangeOf(name);
  const clamp = Object.hasOwn(clamps, name) ? clamps[name] : undefined;
  if (clamp === undefined || column === undefined) return range;
  const [low, high] = clamp.map((bound) => decimalToGrid(bound, column.scale));
  if (typeof low !== "bigint" || typeof high !== "bigint")
    return clampRefused(name, `its clamp has more than ${column.scale} decimal places`);
  if (range === null) return { low, high };
  const both = { low: low > range.low ? low : range.low, high: high < range.high ? high : range.high };
  return both.low <= both.high ? both : clampRefused(name, "its clamp lies outside of the dataset's bounds");
}

function clampRefused(column: string, reason: string): never {
  throw new TrustedDataError("bounds_missing", `The column ${column} cannot be summed: ${reason}.`, {
    column,
  });
}

/** Rounded down to the grid. */
function midpoint(low: bigint, high: bigint): bigint {
  const sum = low + high;
  return sum < 0n && sum % 2n !== 0n ? (sum - 1n) / 2n : sum / 2n;
}
