/** The aggregates of SELECT as what is released for them. */
import { TrustedDataError } from "../../errors.ts";
import { decimalToGrid } from "../manifests/grid.ts";
import { type Rational, rational } from "../mechanisms/rational.ts";
import { candidatesOf } from "./candidates.ts";
import { presenceOf } from "./canonical-case.ts";
import type { Interval } from "./columns.ts";
import { boundsMissing, intervalOf, magnitudeLimit, magnitudeOf } from "./intervals.ts";
import type { Expression, Vector } from "./plan.ts";
import { kindOf, type Reading, type Scalar } from "./reading.ts";
import { aggregateNames } from "./scalar.ts";
import { childOf, childrenOf, namesOf, onlyFields, type Place, refuse, type SqlNode } from "./sql-node.ts";

type Of<K extends Vector["kind"]> = Extract<Vector, { kind: K }>;

export type Aggregate =
  | { kind: "count"; count: Of<"count"> | Of<"people"> }
  | { kind: "sum"; sum: Of<"sum">; scale: number }
  | { kind: "average"; sum: Of<"sum">; count: Of<"count">; scale: number }
  | {
      kind: "variance";
      squares: Of<"squares">;
      sum: Of<"sum">;
      count: Of<"count">;
      scale: number;
      sample: boolean;
      root: boolean;
    }
  | { kind: "histogram"; buckets: Of<"buckets">; scale: number }
  | {
      kind: "quantile";
      buckets: Of<"buckets">;
      quantile: Rational;
      /** Whether the target is moved inward from the very end. */
      extreme: "low" | "high" | null;
      first: bigint;
      type: "number" | "date";
      scale: number;
    };

/** What an algorithm says about its aggregates. */
export interface AggregateOptions {
  /** Narrower bounds by column, in the column's unit. */
  clamps: Readonly<Record<string, readonly [number, number]>>;
  /** The distance of candidates, in the unit of what is asked for; null for a fitting one. */
  step: number | null;
  /** How many candidates there may be. */
  candidatesMax: number;
  /** Whether a person has one row at most: then persons are rows. */
  isRowPerPerson: boolean;
}

export function isAggregate(node: SqlNode): boolean {
  const names = node.kind === "FuncCall" ? namesOf(node, "funcname") : null;
  return names?.length === 1 && aggregateNames.test(names[0]!);
}

/** Whether it counts persons. */
export function isPeopleCount(node: SqlNode): boolean {
  return isAggregate(node) && node.fields.get("agg_distinct") === true;
}

/** The aggregate that a column of SELECT is, or null for one that is none. */
export function aggregateOf(node: SqlNode, reading: Reading, options: AggregateOptions): Aggregate | null {
  if (!isAggregate(node)) return null;
  onlyFields(
    node,
    ["funcname", "args", "agg_star", "agg_distinct", "agg_order", "agg_within_group", "funcformat"],
    {
      agg_filter: "FILTER is not part of the subset; write CASE",
      over: "window functions are not part of the subset",
    },
  );
  const [name = ""] = namesOf(node, "funcname")!;
  const parameters = childrenOf(node, "args");
  if (isPeopleCount(node)) return peopleCount(node, name, parameters, reading, options);
  if (name.startsWith("percentile_")) return percentile(node, parameters, reading, options);
  if (node.fields.has("agg_order")) refuse(node.place, "ORDER BY in an aggregate is not part of the subset");
  if (node.fields.get("agg_star") === true) {
    if (name !== "count") refuse(node.place, "* stands in COUNT(*) only");
    return { kind: "count", count: { kind: "count", of: null } };
  }
  const [argument, ...more] = parameters;
  if (argument === undefined || (more.length > 0 && name !== "histogram"))
    refuse(node.place, "an aggregate takes one argument");
  if (reading.scope.isPerson(argument))
    refuse(argument.place, "persons are counted by COUNT(DISTINCT person)");
  const scalar = reading.scalar(argument);
  if (scalar.type === "literal" || scalar.type === "null")
    refuse(argument.place, "an aggregate of a constant says nothing");
  const present = presenceOf(scalar.expression, reading.scope.factsOf);
  // A sum of columns that only says whether one of them is null.
  if (present?.kind === "add") intervalOf(present, reading.scope.rangeOf, argument.place);
  const count: Of<"count"> = { kind: "count", of: present };
  if (name === "count") return { kind: "count", count };
  if (name === "histogram") return histogram(node, scalar, argument, more, reading);
  if (name === "min" || name === "max" || name === "median") {
    const quantile = name === "median" ? rational(1n, 2n) : rational(name === "min" ? 0n : 1n);
    return quantileOf(scalar, argument, quantile, reading, options);
  }
  return summed(name, scalar, argument, count, reading, options);
}

function peopleCount(
  node: SqlNode,
  name: string,
  parameters: SqlNode[],
  reading: Reading,
  options: AggregateOptions,
): Aggregate {
  const [argument, more] = parameters;
  if (name !== "count" || argument === undefined || more !== undefined || !reading.scope.isPerson(argument))
    refuse(node.place, "DISTINCT counts persons only: COUNT(DISTINCT person)");
  return { kind: "count", count: options.isRowPerPerson ? { kind: "count", of: null } : { kind: "people" } };
}

/** SUM, AVG, VARIANCE and STDDEV. */
function summed(
  name: string,
  scalar: Scalar,
  argument: SqlNode,
  count: Of<"count">,
  reading: Reading,
  { clamps }: AggregateOptions,
): Aggregate {
  if (scalar.type !== "number")
    refuse(argument.place, `${name.toUpperCase()} takes numbers, and this is ${kindOf(scalar)}`);
  const { expression, scale } = scalar;
  const { low, high } = clampedRange(expression, reading, clamps, argument.place);
  if (low === high) refuse(argument.place, "what is summed is the same for every row");
  const centre = name === "sum" ? 0n : midpoint(low, high);
  const bounds = { of: expression, low: String(low), high: String(high), centre: String(centre) };
  const sum: Of<"sum"> = { kind: "sum", ...bounds };
  if (name === "sum") return { kind: "sum", sum, scale };
  if (name === "avg") return { kind: "average", sum, count, scale };
  if ((high - low) ** 2n >= magnitudeLimit)
    refuse(argument.place, "a square could grow beyond 2^62: clamp the column to narrower bounds");
  const squares: Of<"squares"> = { kind: "squares", ...bounds };
  const [sample, root] = [!name.endsWith("_pop"), name.startsWith("stddev")];
  return { kind: "variance", squares, sum, count, scale, sample, root };
}

function percentile(
  node: SqlNode,
  parameters: SqlNode[],
  reading: Reading,
  options: AggregateOptions,
): Aggregate {
  const [fraction, more] = parameters;
  const [order, second] = childrenOf(node, "agg_order");
  if (node.fields.get("agg_within_group") !== true || order === undefined || second !== undefined)
    refuse(node.place, "write PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY column)");
  const share = fraction === undefined || more !== undefined ? null : constantShare(fraction, reading);
  if (share === null) refuse(node.place, "a percentile is a number from 0 to 1");
  onlyFields(order, ["node", "sortby_dir", "sortby_nulls"]);
  const argument = childOf(order, "node");
  const isDescending = order.fields.get("sortby_dir") === "SORTBY_DESC";
  const { numerator, denominator } = share;
  const quantile = isDescending ? rational(denominator - numerator, denominator) : share;
  return quantileOf(reading.scalar(argument), argument, quantile, reading, options);
}

/** In lowest terms, as far as decimals go: 0.25 is 25 hundredths. */
function constantShare(node: SqlNode, reading: Reading): Rational | null {
  const scalar = reading.scalar(node);
  if (scalar.type !== "number" || scalar.expression.kind !== "constant") return null;
  const [numerator, denominator] = [BigInt(scalar.expression.value), 10n ** BigInt(scalar.scale)];
  if (numerator < 0n || numerator > denominator || scalar.scale > 4) return null;
  const divisor = gcd(numerator, denominator);
  return rational(numerator / divisor, denominator / divisor);
}

function quantileOf(
  scalar: Scalar,
  argument: SqlNode,
  quantile: Rational,
  reading: Reading,
  { clamps, step, candidatesMax }: AggregateOptions,
): Aggregate {
  if (scalar.type !== "number" && scalar.type !== "date")
    refuse(argument.place, `this aggregate takes numbers and dates, and this is ${kindOf(scalar)}`);
  const { expression, type } = scalar;
  const scale = scalar.type === "number" ? scalar.scale : 0;
  const range = clampedRange(expression, reading, clamps, argument.place);
  if (range.low === range.high) refuse(argument.place, "it is the same for every row");
  const { first, vector } = candidatesOf(expression, range, scale, step, candidatesMax, argument.place);
  const { numerator, denominator } = quantile;
  const extreme = numerator === 0n ? "low" : numerator === denominator ? "high" : null;
  return { kind: "quantile", buckets: vector, quantile, extreme, first, type, scale };
}

/** HISTOGRAM(x, low, high, count): equal buckets from low on; what lies outside counts in the first or the last. */
function histogram(
  node: SqlNode,
  scalar: Scalar,
  argument: SqlNode,
  more: SqlNode[],
  reading: Reading,
): Aggregate {
  if (scalar.type !== "number")
    refuse(argument.place, `HISTOGRAM takes numbers, and this is ${kindOf(scalar)}`);
  const [low, high, count] = more.map((part) => {
    const value = reading.scalar(part);
    if (value.type !== "number" || value.expression.kind !== "constant")
      refuse(part.place, "HISTOGRAM(column, low, high, number of buckets) takes constants");
    if (value.scale > scalar.scale) refuse(part.place, `it has more than ${scalar.scale} decimal places`);
    return { value: BigInt(value.expression.value), scale: value.scale };
  });
  if (low === undefined || high === undefined || count === undefined || more.length > 3)
    refuse(node.place, "write HISTOGRAM(column, low, high, number of buckets)");
  const onGrid = (part: typeof low) => part.value * 10n ** BigInt(scalar.scale - part.scale);
  const span = onGrid(high) - onGrid(low);
  if (count.scale !== 0 || count.value < 2n || count.value > 200n)
    refuse(node.place, "a histogram has 2 to 200 buckets");
  if (span <= 0n || span % count.value !== 0n)
    refuse(node.place, "from low to high there is a whole number of steps of the grid for each bucket");
  checkArithmetic(scalar.expression, reading, argument.place);
  return {
    kind: "histogram",
    scale: scalar.scale,
    buckets: {
      kind: "buckets",
      of: scalar.expression,
      low: String(onGrid(low)),
      step: String(span / count.value),
      buckets: Number(count.value),
    },
  };
}

/** The interval that the expression's value is clamped to. */
function clampedRange(
  expression: Expression,
  reading: Reading,
  clamps: AggregateOptions["clamps"],
  place: Place,
): Interval {
  checkArithmetic(expression, reading, place);
  const range = intervalOf(
    expression,
    (column) => narrowed(column, reading, clamps) ?? boundsMissing(column),
    place,
  );
  if (magnitudeOf(range) >= magnitudeLimit) refuse(place, "a value could grow beyond 2^62");
  return range;
}

function checkArithmetic(expression: Expression, reading: Reading, place: Place): void {
  // A column by itself is no arithmetic and needs no bounds of the dataset's where it is clamped.
  if (expression.kind !== "column") intervalOf(expression, reading.scope.rangeOf, place);
}

function narrowed(planName: string, reading: Reading, clamps: AggregateOptions["clamps"]): Interval | null {
  const column = reading.scope.factsOf(planName);
  const range = reading.scope.rangeOf(planName);
  const name = reading.scope.sqlNameOf(planName);
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

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b);
}
