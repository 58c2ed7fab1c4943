/**
 * Grouping keys. A declared domain is every value that the key can take, whether or not a row has it, so that keys tell nothing. Where
 * there is none, or too large a one, the key is open: which values there are is private, and a threshold decides what is shown.
 */
import { domainSizeMax } from "../manifests/dataset-manifest.ts";
import { daysToDate, formatDecimal } from "../manifests/grid.ts";
import type { Interval } from "./columns.ts";
import { columnsOf } from "./columns-of.ts";
import { evaluateExpression } from "./evaluate-row.ts";
import { intervalOf } from "./intervals.ts";
import type { Expression, GroupKey } from "./plan.ts";
import type { Reading, Scalar } from "./reading.ts";
import { type Place, refuse } from "./sql-node.ts";

type KeyScalar = Exclude<Scalar, { type: "literal" | "null" }>;

export function groupKeyOf(scalar: Scalar, reading: Reading, place: Place): GroupKey {
  if (scalar.type === "literal" || scalar.type === "null") refuse(place, "a constant is no grouping key");
  const { expression } = scalar;
  if (columnsOf(expression).length === 0) refuse(place, "a constant is no grouping key");
  const values = scalar.type === "text" && scalar.open ? null : valuesOf(expression, reading, place);
  if (values === null) return openKey(scalar, place);
  if (values.size === 0) refuse(place, "this grouping key is null for every row");
  const ascending = [...values].sort((a, b) => (a < b ? -1 : 1));
  const labels = ascending.map((value) => labelOf(value, scalar));
  return { kind: "declared", expression, values: ascending.map(String), labels };
}

function openKey(scalar: KeyScalar, place: Place): GroupKey {
  if (scalar.type === "text" && hasConstant(scalar.expression))
    refuse(place, "a text of the SQL cannot stand beside those of an open domain in a grouping key");
  if (scalar.type === "boolean") refuse(place, "this grouping key has no domain");
  const scale = scalar.type === "number" ? scalar.scale : 0;
  return { kind: "open", expression: scalar.expression, type: scalar.type, scale };
}

/** Among the values: the engine knows the texts of its data alone by their codes. */
function hasConstant(expression: Expression): boolean {
  if (expression.kind !== "case") return expression.kind === "constant";
  return [...expression.branches.map(({ value }) => value), expression.otherwise].some(hasConstant);
}

function labelOf(value: bigint, scalar: KeyScalar): string {
  if (scalar.type === "text") return scalar.domain[Number(value)]!;
  if (scalar.type === "boolean") return value === 1n ? "true" : "false";
  return scalar.type === "date" ? daysToDate(value) : formatDecimal(value, scalar.scale);
}

/** Every value that the expression can take, or null where there is no end to them. */
function valuesOf(expression: Expression, reading: Reading, place: Place): Set<bigint> | null {
  const columns = columnsOf(expression);
  const [column] = columns;
  if (column === undefined) {
    const value = evaluateExpression(expression, {});
    return new Set(value === null ? [] : [value]);
  }
  if (columns.length === 1) {
    const range = reading.scope.rangeOf(column);
    const image = range === null ? null : imageOf(expression, column, range, reading);
    if (image !== null) return image;
  }
  if (expression.kind === "case") return valuesOfCase(expression, reading, place);
  if (columns.some((name) => reading.scope.rangeOf(name) === null)) return null;
  const { low, high } = intervalOf(expression, reading.scope.rangeOf, place);
  if (high - low >= BigInt(domainSizeMax)) return null;
  return new Set(Array.from({ length: Number(high - low) + 1 }, (_, at) => low + BigInt(at)));
}

function valuesOfCase(
  { branches, otherwise }: Extract<Expression, { kind: "case" }>,
  reading: Reading,
  place: Place,
): Set<bigint> | null {
  const values = new Set<bigint>();
  for (const part of [...branches.map(({ value }) => value), otherwise]) {
    const own = valuesOf(part, reading, place);
    if (own === null) return null;
    for (const value of own) values.add(value);
    if (values.size > domainSizeMax) return null;
  }
  return values;
}

/** The values of the expression over the column's range and its null; null where it takes too long to find them. */
function imageOf(
  expression: Expression,
  column: string,
  range: Interval,
  reading: Reading,
): Set<bigint> | null {
  const at = (value: bigint | null) => evaluateExpression(expression, { [column]: value });
  const monotone = isMonotone(expression);
  const values = new Set<bigint>();
  const facts = reading.scope.factsOf(column);
  const absent = (facts?.nullable ?? true) ? at(null) : null;
  if (absent !== null) values.add(absent);
  if (facts?.values !== undefined) return new Set(facts.values.map(at).filter((value) => value !== null));
  let looked = 0;
  for (let input = range.low; input <= range.high; ) {
    const value = at(input);
    if (value !== null) values.add(value);
    looked++;
    if (values.size > domainSizeMax || looked > 10 * domainSizeMax) return null;
    input = monotone ? nextChange((other) => at(other)!, input, range.high) : input + 1n;
  }
  return values;
}

/** Whether the column stands in it once, with constants: then it only rises or only falls. */
function isMonotone(expression: Expression): boolean {
  switch (expression.kind) {
    case "column":
    case "constant":
      return true;
    case "divide":
      return isMonotone(expression.left);
    case "date-part":
      return expression.part === "year" && isMonotone(expression.of);
    case "add":
    case "multiply": {
      const moving = expression.operands.filter((operand) => operand.kind !== "constant");
      return moving.length <= 1 && moving.every(isMonotone);
    }
    default:
      return false;
  }
}

/** The first input after `from` at which a monotone function has another value. */
function nextChange(at: (value: bigint) => bigint, from: bigint, high: bigint): bigint {
  const value = at(from);
  if (at(high) === value) return high + 1n;
  let [same, other] = [from, high];
  while (other - same > 1n) {
    const middle = (same + other) / 2n;
    if (at(middle) === value) same = middle;
    else other = middle;
  }
  return other;
}
