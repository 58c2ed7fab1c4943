/** SQL conditions as predicates of the plan, still in the order in which they are written. */
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { textCode } from "../manifests/text-code.ts";
import { canonicalPredicate } from "./canonical-predicate.ts";
import { intervalOf } from "./intervals.ts";
import { codesLike, partsOfLike } from "./like.ts";
import { constantOf } from "./linear.ts";
import { partsOf, requireParts } from "./parts.ts";
import type { Expression, Predicate } from "./plan.ts";
import { dateConstant, kindOf, type Reading, rescaled, type Scalar } from "./reading.ts";
import { childOf, childrenOf, namesOf, onlyFields, refuse, type SqlNode } from "./sql-node.ts";

type Compare = Extract<Predicate, { kind: "compare" }>;

export function compilePredicate(node: SqlNode, reading: Reading): Predicate {
  switch (node.kind) {
    case "BoolExpr":
      return connective(node, reading);
    case "NullTest":
      return nullTest(node, reading);
    case "BooleanTest":
      return booleanTest(node, reading);
    case "A_Expr":
      return comparison(node, reading);
    default: {
      const scalar = reading.scalar(node);
      if (scalar.type !== "boolean")
        refuse(node.place, `a condition is expected here, and this is ${kindOf(scalar)}`);
      return isTrue(scalar.expression);
    }
  }
}

function connective(node: SqlNode, reading: Reading): Predicate {
  onlyFields(node, ["boolop", "args"]);
  const operands = childrenOf(node, "args").map((argument) => reading.predicate(argument));
  switch (node.fields.get("boolop")) {
    case "AND_EXPR":
      return { kind: "and", operands };
    case "OR_EXPR":
      return { kind: "or", operands };
    case "NOT_EXPR":
      return negation(operands[0]!);
    default:
      return refuse(node.place, "this form is not part of the subset");
  }
}

function nullTest(node: SqlNode, reading: Reading): Predicate {
  onlyFields(node, ["arg", "nulltesttype"]);
  const argument = childOf(node, "arg");
  reading.scalar(argument);
  const column = reading.scope.nameOf(argument);
  if (column === null) refuse(node.place, "IS NULL is asked of a column only");
  const isNull: Predicate = { kind: "is-null", column };
  return node.fields.get("nulltesttype") === "IS_NULL" ? isNull : negation(isNull);
}

/** b IS [NOT] TRUE, FALSE or UNKNOWN: never null, unlike b = TRUE. */
function booleanTest(node: SqlNode, reading: Reading): Predicate {
  onlyFields(node, ["arg", "booltesttype"]);
  const argument = childOf(node, "arg");
  const scalar = reading.scalar(argument);
  const column = reading.scope.nameOf(argument);
  if (scalar.type !== "boolean" || column === null)
    refuse(node.place, "IS TRUE, IS FALSE and IS UNKNOWN are asked of a boolean column only");
  const isNull: Predicate = { kind: "is-null", column };
  const holds = (condition: Predicate): Predicate => ({
    kind: "and",
    operands: [negation(isNull), condition],
  });
  switch (node.fields.get("booltesttype")) {
    case "IS_TRUE":
      return holds(isTrue(scalar.expression));
    case "IS_NOT_TRUE":
      return negation(holds(isTrue(scalar.expression)));
    case "IS_FALSE":
      return holds(negation(isTrue(scalar.expression)));
    case "IS_NOT_FALSE":
      return negation(holds(negation(isTrue(scalar.expression))));
    case "IS_UNKNOWN":
      return isNull;
    case "IS_NOT_UNKNOWN":
      return negation(isNull);
    default:
      return refuse(node.place, "this form is not part of the subset");
  }
}

function comparison(node: SqlNode, reading: Reading): Predicate {
  onlyFields(node, ["kind", "name", "lexpr", "rexpr", "rexpr_list_start", "rexpr_list_end"]);
  const [operator = "", extra] = namesOf(node, "name") ?? [];
  if (extra !== undefined || !node.fields.has("lexpr"))
    refuse(node.place, "this operator is not part of the subset");
  const left = childOf(node, "lexpr");
  switch (node.fields.get("kind")) {
    case "AEXPR_OP":
      return compared(node, operator, left, childOf(node, "rexpr"), reading);
    case "AEXPR_IN": {
      const items = childrenOf(childOf(node, "rexpr"), "items");
      const scalar = reading.scalar(left);
      if ("expression" in scalar) requireParts(items.length * partsOf(scalar.expression), node.place);
      const any = anyOf(
        items.map((item) => comparedExpressions(node, left, item, true, reading)),
        node,
        reading,
      );
      return operator === "<>" ? negation(any) : any;
    }
    case "AEXPR_BETWEEN":
    case "AEXPR_NOT_BETWEEN": {
      const [low, high, more] = childrenOf(childOf(node, "rexpr"), "items");
      if (low === undefined || high === undefined || more !== undefined)
        refuse(node.place, "BETWEEN takes two values");
      const both: Predicate = {
        kind: "and",
        operands: [compared(node, ">=", left, low, reading), compared(node, "<=", left, high, reading)],
      };
      return node.fields.get("kind") === "AEXPR_BETWEEN" ? both : negation(both);
    }
    case "AEXPR_LIKE":
      return like(node, operator === "!~~", reading);
    default:
      return refuse(node.place, "this operator is not part of the subset");
  }
}

/** Equations, said as one where all are of the same expression with constants. */
function anyOf(equations: [Expression, Expression][], node: SqlNode, reading: Reading): Predicate {
  const [expression, ...others] = new Map(
    equations.map(([left]) => [canonicalJson(left), left] as const),
  ).values();
  const values = equations.flatMap(([, right]) => (right.kind === "constant" ? [right.value] : []));
  if (expression !== undefined && others.length === 0 && values.length === equations.length) {
    const member: Predicate = { kind: "in", expression, values };
    checkRanges(member, reading, node);
    return member;
  }
  const operands = equations.map(([left, right]) => {
    const leaf: Compare = { kind: "compare", operator: "=", left, right };
    checkRanges(leaf, reading, node);
    return leaf;
  });
  return { kind: "or", operands };
}

/** Of a declared domain the texts that match are known beforehand. */
function like(node: SqlNode, isNegated: boolean, reading: Reading): Predicate {
  const [left, right] = [reading.scalar(childOf(node, "lexpr")), reading.scalar(childOf(node, "rexpr"))];
  if (left.type !== "text" || left.open || right.type !== "literal")
    refuse(node.place, "LIKE compares a text of a declared domain with a pattern in quotes");
  reading.spend(partsOfLike(left.domain, right.text), node.place);
  const values = codesLike(left.domain, right.text) ?? refuse(node.place, "LIKE takes no escapes");
  const matches: Predicate = { kind: "in", expression: left.expression, values };
  return isNegated ? negation(matches) : matches;
}

function compared(node: SqlNode, operator: string, a: SqlNode, b: SqlNode, reading: Reading): Predicate {
  if (!/^(?:=|<>|<|<=|>|>=)$/.test(operator))
    refuse(node.place, `the operator ${operator} is not part of the subset`);
  const equality = operator === "=" || operator === "<>";
  const [left, right] = comparedExpressions(node, a, b, equality, reading);
  const [low, high] = operator.startsWith(">") ? [right, left] : [left, right];
  const sign: Compare["operator"] = equality ? "=" : operator.endsWith("=") ? "<=" : "<";
  const leaf: Compare = { kind: "compare", operator: sign, left: low, right: high };
  checkRanges(leaf, reading, node);
  return operator === "<>" ? negation(leaf) : leaf;
}

/** Both sides as integers of one kind and grid. */
export function comparedExpressions(
  node: SqlNode,
  a: SqlNode,
  b: SqlNode,
  equality: boolean,
  reading: Reading,
): [Expression, Expression] {
  return aligned(a, reading.scalar(a), b, reading.scalar(b), equality, node);
}

function aligned(
  a: SqlNode,
  left: Scalar,
  b: SqlNode,
  right: Scalar,
  equality: boolean,
  node: SqlNode,
): [Expression, Expression] {
  if (left.type === "number" && right.type === "number") {
    const scale = Math.max(left.scale, right.scale);
    return [rescaled(left.expression, left.scale, scale), rescaled(right.expression, right.scale, scale)];
  }
  if (left.type === "literal" && right.type !== "literal") {
    const [second, first] = aligned(b, right, a, left, equality, node);
    return [first, second];
  }
  if (left.type === "date" && right.type === "date") return [left.expression, right.expression];
  if (left.type === "date" && right.type === "literal") return [left.expression, dateConstant(right.text, b)];
  const texts = left.type === "text" || (left.type === "boolean" && right.type === "boolean");
  if (texts && !equality) refuse(node.place, `${kindOf(left)} is compared by =, <> and IN only`);
  if (left.type === "boolean" && right.type === "boolean") return [left.expression, right.expression];
  if (left.type === "text" && right.type === "literal")
    return [left.expression, constantOf(codeOf(left, right.text, b))];
  if (left.type === "text" && right.type === "text") {
    if (left.open === right.open && JSON.stringify(left.domain) === JSON.stringify(right.domain))
      return [left.expression, right.expression];
    refuse(node.place, "the two texts have different domains");
  }
  if (left.type === "null" || right.type === "null")
    refuse((left.type === "null" ? a : b).place, "nothing is equal to NULL; write IS NULL");
  return refuse(node.place, `${kindOf(left)} is compared with ${kindOf(right)}`);
}

function codeOf({ domain, open }: Extract<Scalar, { type: "text" }>, text: string, node: SqlNode): bigint {
  if (open) return textCode(text);
  const code = domain.indexOf(text);
  if (code >= 0) return BigInt(code);
  const known = domain.slice(0, 20).map((value) => `'${value}'`);
  return refuse(
    node.place,
    `'${shortened(text)}' is not in the domain: ${known.join(", ")}${domain.length > 20 ? ", ..." : ""}`,
  );
}

/** Enough to know it by: what follows it in a sentence must not be cut off. */
function shortened(text: string): string {
  const signs = [...text];
  return signs.length > 100 ? `${signs.slice(0, 100).join("")}…` : text;
}

/** Looks at bounds while the place is known; of the form that engines will run. */
export function checkRanges(leaf: Predicate, reading: Reading, node: SqlNode): void {
  const visit = (predicate: Predicate): void => {
    if (predicate.kind === "and" || predicate.kind === "or") predicate.operands.forEach(visit);
    else if (predicate.kind === "not") visit(predicate.operand);
    else if (predicate.kind === "in") check(predicate.expression);
    else if (predicate.kind === "compare") [predicate.left, predicate.right].forEach(check);
  };
  const check = (expression: Expression): void => {
    // A column by itself is no arithmetic and needs no bounds.
    if (expression.kind !== "column") intervalOf(expression, reading.scope.rangeOf, node.place);
  };
  visit(canonicalPredicate(leaf, reading.scope.factsOf));
}

function isTrue(expression: Expression): Predicate {
  return { kind: "compare", operator: "=", left: expression, right: { kind: "constant", value: "1" } };
}

function negation(operand: Predicate): Predicate {
  return { kind: "not", operand };
}
