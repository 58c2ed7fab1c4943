/** CASE, COALESCE, NULLIF, LEAST and GREATEST: all of them the plan's CASE. */
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { textCode } from "../manifests/text-code.ts";
import { type Branch, canonicalCase } from "./canonical-case.ts";
import { casesOf, isNullable, strictColumnsOf } from "./columns-of.ts";
import { intervalOf } from "./intervals.ts";
import { constantOf } from "./linear.ts";
import { partsOf, requireParts } from "./parts.ts";
import type { Expression, Predicate } from "./plan.ts";
import { checkRanges, comparedExpressions } from "./predicate.ts";
import { dateConstant, kindOf, type Reading, rescaled, type Scalar } from "./reading.ts";
import { childOf, childrenOf, isNode, onlyFields, refuse, type SqlNode, textOf } from "./sql-node.ts";

interface Value {
  node: SqlNode;
  scalar: Scalar;
}

export function caseScalar(node: SqlNode, reading: Reading): Scalar {
  onlyFields(node, ["arg", "args", "defresult"]);
  const subject = node.fields.get("arg");
  const branches = childrenOf(node, "args").map((branch) => {
    onlyFields(branch, ["expr", "result"]);
    const expected = childOf(branch, "expr");
    const when = isNode(subject) ? equality(subject, expected, branch, reading) : reading.predicate(expected);
    return { when, value: termOf(childOf(branch, "result"), reading) };
  });
  const fallback = node.fields.get("defresult");
  const otherwise: Value = isNode(fallback) ? termOf(fallback, reading) : { node, scalar: { type: "null" } };
  return chosen(
    node,
    branches.map(({ when }) => when),
    [...branches.map(({ value }) => value), otherwise],
    reading,
  );
}

export function coalesced(node: SqlNode, reading: Reading): Scalar {
  onlyFields(node, ["args"]);
  const values = childrenOf(node, "args").map((part) => termOf(part, reading));
  const conditions = values.slice(0, -1).map(({ node: part, scalar }): Predicate => {
    if (scalar.type === "null") return { kind: "never" };
    if (scalar.type === "literal") return { kind: "always" };
    return isPresent(scalar.expression, part, reading);
  });
  return chosen(node, conditions, values, reading);
}

export function nullIf(node: SqlNode, reading: Reading): Scalar {
  onlyFields(node, ["kind", "name", "lexpr", "rexpr"]);
  const [left, right] = [childOf(node, "lexpr"), childOf(node, "rexpr")];
  const isEqual = equality(left, right, node, reading);
  const value = chosen(node, [isEqual], [{ node, scalar: { type: "null" } }, termOf(left, reading)], reading);
  const other = reading.scalar(right);
  // In PostgreSQL the value comes in the type in which both were compared, in DuckDB in its own.
  return value.type === "number" && other.type === "number"
    ? { ...value, whole: value.whole && other.whole }
    : value;
}

/** As PostgreSQL has them: nulls are passed over. */
export function leastOrGreatest(node: SqlNode, reading: Reading): Scalar {
  onlyFields(node, ["op", "args"]);
  const isGreatest = textOf(node, "op") === "IS_GREATEST";
  const nodes = childrenOf(node, "args");
  const { expressions, typed } = unified(
    node,
    nodes.map((part) => termOf(part, reading)),
  );
  if (typed.type === "text") refuse(node.place, "LEAST and GREATEST take numbers and dates");
  const distinct = new Map(expressions.map((expression) => [canonicalJson(expression), expression]));
  const inOrder = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, expression]) => expression);
  const expression = inOrder.reduce((best, other) => {
    requireParts(3 * (partsOf(best) + partsOf(other)), node.place);
    const [low, high] = isGreatest ? [best, other] : [other, best];
    const isBetter = { kind: "compare", operator: "<=", left: low, right: high } as const;
    checkRanges(isBetter, reading, node);
    const absent = (part: Expression): Predicate => ({
      kind: "not",
      operand: isPresent(part, node, reading),
    });
    return canonicalCase(
      [
        { when: absent(best), value: other },
        { when: absent(other), value: best },
        { when: isBetter, value: other },
      ],
      best,
      reading.scope.factsOf,
    );
  });
  return checked({ ...typed, expression }, node, reading);
}

function termOf(node: SqlNode, reading: Reading): Value {
  return { node, scalar: reading.scalar(node) };
}

function equality(left: SqlNode, right: SqlNode, node: SqlNode, reading: Reading): Predicate {
  const [a, b] = comparedExpressions(node, left, right, true, reading);
  const isEqual = { kind: "compare", operator: "=", left: a, right: b } as const;
  checkRanges(isEqual, reading, node);
  return isEqual;
}

/** Never unknown. */
function isPresent(expression: Expression, node: SqlNode, reading: Reading): Predicate {
  const isNullableColumn = (name: string) => reading.scope.factsOf(name)?.nullable ?? true;
  if (casesOf(expression).some((part) => isNullable(part, isNullableColumn)))
    refuse(node.place, "a CASE that may be null takes no part here: give it an ELSE");
  const operands = strictColumnsOf(expression).map(
    (column): Predicate => ({ kind: "not", operand: { kind: "is-null", column } }),
  );
  if (operands.length <= 1) return operands[0] ?? { kind: "always" };
  return { kind: "and", operands };
}

/** The value of the first condition that is true; one value more than conditions. */
function chosen(node: SqlNode, conditions: Predicate[], values: Value[], reading: Reading): Scalar {
  const { expressions, typed } = unified(node, values);
  const branches = conditions.map((when, at): Branch => ({ when, value: expressions[at]! }));
  requireParts(
    [...conditions, ...expressions].reduce((sum, part) => sum + partsOf(part), 0),
    node.place,
  );
  const expression = canonicalCase(branches, expressions.at(-1)!, reading.scope.factsOf);
  return checked({ ...typed, expression }, node, reading);
}

function checked<T extends { expression: Expression }>(scalar: T, node: SqlNode, reading: Reading): T {
  const { expression } = scalar;
  // A column by itself is no arithmetic and needs no bounds.
  if (expression.kind !== "column") intervalOf(expression, reading.scope.rangeOf, node.place);
  return scalar;
}

type Typed = Exclude<Scalar, { type: "literal" | "null" }>;

/** All values as integers of one kind, with what that kind is. */
function unified(node: SqlNode, values: Value[]): { typed: Typed; expressions: Expression[] } {
  const known = values.filter(({ scalar }) => scalar.type !== "null");
  const [first] = known.filter(({ scalar }) => scalar.type !== "literal");
  const whole = (typed: Typed, of: (value: Value) => Expression) => ({
    typed,
    expressions: values.map((value) =>
      value.scalar.type === "null" ? ({ kind: "null" } as const) : of(value),
    ),
  });
  if (known.length === 0) refuse(node.place, "NULL alone has no type");
  if (first === undefined) return literals(known, whole);
  const { scalar } = first;
  const differs = known.find(
    (value) =>
      value.scalar.type !== scalar.type &&
      !(value.scalar.type === "literal" && (scalar.type === "text" || scalar.type === "date")),
  );
  if (differs !== undefined)
    refuse(differs.node.place, `${kindOf(scalar)} and ${kindOf(differs.scalar)} stand for one value`);
  switch (scalar.type) {
    case "number": {
      const scale = Math.max(...known.map((value) => (value.scalar as typeof scalar).scale));
      const isWhole = known.every((value) => (value.scalar as typeof scalar).whole);
      return whole({ ...scalar, scale, whole: isWhole }, (value) => {
        const own = value.scalar as typeof scalar;
        return rescaled(own.expression, own.scale, scale);
      });
    }
    case "date": {
      const isInstant = known.some((value) => value.scalar.type === "date" && value.scalar.instant);
      const typed: Typed = {
        type: "date",
        ...(isInstant && { instant: true }),
        expression: scalar.expression,
      };
      return whole(typed, ({ scalar: own, node: place }) =>
        own.type === "literal" ? dateConstant(own.text, place) : (own as typeof scalar).expression,
      );
    }
    case "boolean":
      return whole(scalar, (value) => (value.scalar as typeof scalar).expression);
    case "text":
      return texts(scalar, known, whole);
    default:
      return refuse(node.place, `${kindOf(scalar)} stands for no value`);
  }
}

type Whole = (typed: Typed, of: (value: Value) => Expression) => { typed: Typed; expressions: Expression[] };

/** Texts that stand in the SQL alone are their own domain. */
function literals(known: Value[], whole: Whole) {
  const textOfValue = ({ scalar }: Value) => (scalar as { text: string }).text;
  const domain = [...new Set(known.map(textOfValue))].sort();
  requireLabels(domain, known);
  return whole({ type: "text", domain, open: false, expression: { kind: "null" } }, (value) =>
    constantOf(BigInt(domain.indexOf(textOfValue(value)))),
  );
}

/** A column's texts keep their codes; what else stands in the SQL comes after them. */
function texts(column: Extract<Scalar, { type: "text" }>, known: Value[], whole: Whole) {
  const other = known.find(
    ({ scalar }) => scalar.type === "text" && JSON.stringify(scalar.domain) !== JSON.stringify(column.domain),
  );
  if (other !== undefined) refuse(other.node.place, "texts of different domains stand for one value");
  const added = known
    .flatMap(({ scalar }) => (scalar.type === "literal" ? [scalar.text] : []))
    .filter((text) => !column.domain.includes(text));
  const domain = column.open ? [] : [...column.domain, ...[...new Set(added)].sort()];
  requireLabels(added, known);
  return whole({ ...column, domain }, ({ scalar }) => {
    if (scalar.type !== "literal") return (scalar as typeof column).expression;
    return constantOf(column.open ? textCode(scalar.text) : BigInt(domain.indexOf(scalar.text)));
  });
}

function requireLabels(labels: string[], [first]: Value[]): void {
  if (labels.some((text) => text === "" || text.length > 100))
    refuse(first!.node.place, "a text that names a group has 1 to 100 characters");
}
