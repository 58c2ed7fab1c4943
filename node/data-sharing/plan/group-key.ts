/** The declared domain of a grouping key: every value that it can take, whether or not a row has it, so that keys tell nothing. */

import { domainSizeMax } from "../manifests/dataset-manifest.ts";
import { daysToDate } from "../manifests/grid.ts";
import type { Interval } from "./columns.ts";
import { evaluateExpression } from "./evaluate.ts";
import { boundsMissing } from "./intervals.ts";
import { columnsOf } from "./linear.ts";
import type { Expression, GroupKey } from "./plan.ts";
import type { Scalar, Scope } from "./scalar.ts";
import { type Place, refuse } from "./sql-node.ts";

export function groupKeyOf(scalar: Scalar, scope: Scope, place: Place): GroupKey {
  if (scalar.type === "literal") refuse(place, "a constant is no grouping key");
  const { expression } = scalar;
  const [column, second] = columnsOf(expression);
  if (column === undefined) refuse(place, "a constant is no grouping key");
  if (second !== undefined) refuse(place, "a grouping key is made of one column");
  if (scalar.type === "number" && scalar.scale !== 0)
    refuse(place, "a grouping key is a text, boolean, date or whole number");
  const range = scope.rangeOf(column) ?? boundsMissing(column);
  const values = imageOf(expression, column, range, place);
  return { expression, values: values.map(String), labels: values.map((value) => labelOf(value, scalar)) };
}

function labelOf(value: bigint, scalar: Scalar): string {
  if (scalar.type === "text") return scalar.domain[Number(value)]!;
  if (scalar.type === "boolean") return value === 1n ? "true" : "false";
  return scalar.type === "date" ? daysToDate(value) : value.toString();
}

/** The values of the expression over the column's range, ascending. */
function imageOf(expression: Expression, column: string, range: Interval, place: Place): bigint[] {
  const at = (value: bigint) => evaluateExpression(expression, { [column]: value })!;
  const steps = isMonotone(expression)
    ? (from: bigint) => nextChange(at, from, range.high)
    : (from: bigint) => from + 1n;
  const values = new Set<bigint>();
  let looked = 0;
  for (let input = range.low; input <= range.high; input = steps(input)) {
    values.add(at(input));
    looked++;
    if (values.size > domainSizeMax || looked > 10 * domainSizeMax)
      refuse(place, `a grouping key has more than ${domainSizeMax} values`);
  }
  return [...values].sort((a, b) => (a < b ? -1 : 1));
}

/** Whether the column stands in it once, with constants: then it only rises or only falls. */
function isMonotone(expression: Expression): boolean {
  switch (expression.kind) {
    case "column":
    case "constant":
      return true;
    case "divide":
      return isMonotone(expression.left);
    case "subtract":
      return false;
    default: {
      const moving = expression.operands.filter((operand) => operand.kind !== "constant");
      return moving.length <= 1 && moving.every(isMonotone);
    }
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
