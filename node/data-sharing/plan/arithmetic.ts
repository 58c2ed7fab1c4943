/** Arithmetic on numbers and dates. */
import { checkYears, intervalOf } from "./intervals.ts";
import { canonicalExpression, constantOf } from "./linear.ts";
import type { Expression } from "./plan.ts";
import {
  checkedExpression,
  checkedNumber,
  instantReason,
  type NumberScalar,
  numberOnly,
  type Reading,
  rescaled,
  type Scalar,
} from "./reading.ts";
import { childOf, namesOf, onlyFields, refuse, type SqlNode } from "./sql-node.ts";

export function arithmetic(node: SqlNode, reading: Reading): Scalar {
  onlyFields(node, ["kind", "name", "lexpr", "rexpr"]);
  const [operator = "", extra] = namesOf(node, "name") ?? [];
  if (node.fields.get("kind") !== "AEXPR_OP" || extra !== undefined || !/^[-+*/%]$/.test(operator))
    refuse(node.place, "a number, date or column is expected here");
  const right = reading.scalar(childOf(node, "rexpr"));
  if (!node.fields.has("lexpr")) {
    const number = numberOnly(right, childOf(node, "rexpr"));
    if (operator === "+") return right;
    if (!/^[-+]$/.test(operator)) refuse(node.place, "a number, date or column is expected here");
    return checkedNumber(node, reading.scope, number, {
      kind: "multiply",
      operands: [constantOf(-1n), number.expression],
    });
  }
  const left = reading.scalar(childOf(node, "lexpr"));
  if (left.type === "date" || right.type === "date")
    return dateArithmetic(node, operator, left, right, reading);
  return numberArithmetic(
    node,
    operator,
    numberOnly(left, childOf(node, "lexpr")),
    numberOnly(right, childOf(node, "rexpr")),
    reading,
  );
}

function numberArithmetic(
  node: SqlNode,
  operator: string,
  left: NumberScalar,
  right: NumberScalar,
  reading: Reading,
): Scalar {
  if (operator === "/") return quotient(node, left, right, reading);
  if (operator === "%") return remainder(node, left, right, reading);
  const whole = left.whole && right.whole;
  if (operator === "*") {
    const product = { scale: left.scale + right.scale, whole };
    return checkedNumber(node, reading.scope, product, {
      kind: "multiply",
      operands: [left.expression, right.expression],
    });
  }
  const scale = Math.max(left.scale, right.scale);
  const [a, b] = [left, right].map((side) => rescaled(side.expression, side.scale, scale)) as [
    Expression,
    Expression,
  ];
  return checkedNumber(
    node,
    reading.scope,
    { scale, whole },
    operator === "+" ? { kind: "add", operands: [a, b] } : { kind: "subtract", left: a, right: b },
  );
}

/** Days between two dates, or a date some days on. */
function dateArithmetic(
  node: SqlNode,
  operator: string,
  left: Scalar,
  right: Scalar,
  reading: Reading,
): Scalar {
  const isDays = (scalar: Scalar): scalar is NumberScalar =>
    scalar.type === "number" && scalar.scale === 0 && scalar.whole;
  for (const side of [left, right])
    if (side.type === "date" && side.instant) refuse(node.place, instantReason);
  const [date, days] = right.type === "date" && left.type !== "date" ? [right, left] : [left, right];
  if (date.type === "date" && days.type === "date" && operator === "-")
    return checkedNumber(node, reading.scope, whole, {
      kind: "subtract",
      left: date.expression,
      right: days.expression,
    });
  const isSum = operator === "+" || (operator === "-" && date === left);
  if (date.type !== "date" || !isDays(days) || !isSum)
    refuse(
      node.place,
      "dates are subtracted from each other, and whole days added to them or taken off; of 2.0 and EXTRACT write ::integer",
    );
  const expression: Expression =
    operator === "+"
      ? { kind: "add", operands: [date.expression, days.expression] }
      : { kind: "subtract", left: date.expression, right: days.expression };
  const checked = checkedExpression(node, reading.scope, expression);
  if (checked.kind !== "column")
    checkYears(intervalOf(checked, reading.scope.rangeOf, node.place), node.place);
  return { type: "date", expression: checked };
}

const whole = { scale: 0, whole: true };

function quotient(node: SqlNode, left: NumberScalar, right: NumberScalar, reading: Reading): Scalar {
  if (!left.whole || !right.whole)
    refuse(node.place, "only whole numbers are divided; of 2.0 and EXTRACT write ::integer");
  return checkedNumber(node, reading.scope, whole, divided(node, left, right));
}

/** Rounded down. */
function divided(node: SqlNode, left: NumberScalar, right: NumberScalar): Expression {
  const divisor = canonicalExpression(right.expression);
  if (left.scale !== 0 || right.scale !== 0) refuse(node.place, "only whole numbers are divided");
  if (divisor.kind !== "constant" || BigInt(divisor.value) <= 0n)
    refuse(node.place, "a number is divided by a positive constant only");
  return { kind: "divide", left: left.expression, divisor: divisor.value };
}

/** a - a / b * b, for a that is never negative. */
function remainder(node: SqlNode, left: NumberScalar, right: NumberScalar, reading: Reading): Scalar {
  const rounded = divided(node, left, right);
  intervalOf(rounded, reading.scope.rangeOf, node.place);
  return checkedNumber(
    node,
    reading.scope,
    { scale: 0, whole: left.whole && right.whole },
    {
      kind: "subtract",
      left: left.expression,
      right: { kind: "multiply", operands: [rounded, right.expression] },
    },
  );
}
