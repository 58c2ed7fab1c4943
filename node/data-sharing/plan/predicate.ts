/** SQL conditions as predicates of the plan, still in the order in which they are written. */
import { canonicalPredicate } from "./canonical-predicate.ts";
import { intervalOf } from "./intervals.ts";
import type { Expression, Predicate } from "./plan.ts";
import {
  columnNameOf,
  compileScalar,
  dateConstant,
  kindOf,
  rescaled,
  type Scalar,
  type Scope,
} from "./scalar.ts";
import { childOf, childrenOf, namesOf, onlyFields, refuse, type SqlNode } from "./sql-node.ts";

type Compare = Extract<Predicate, { kind: "compare" }>;

export function compilePredicate(node: SqlNode, scope: Scope): Predicate {
  switch (node.kind) {
    case "BoolExpr":
      return connective(node, scope);
    case "NullTest":
      return nullTest(node, scope);
    case "BooleanTest":
      return booleanTest(node, scope);
    case "A_Expr":
      return comparison(node, scope);
    default: {
      const scalar = compileScalar(node, scope);
      if (scalar.type !== "boolean")
        refuse(node.place, `a condition is expected here, and this is ${kindOf(scalar)}`);
      return isTrue(scalar.expression);
    }
  }
}

function connective(node: SqlNode, scope: Scope): Predicate {
  onlyFields(node, ["boolop", "args"]);
  const operands = childrenOf(node, "args").map((argument) => compilePredicate(argument, scope));
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

function nullTest(node: SqlNode, scope: Scope): Predicate {
  onlyFields(node, ["arg", "nulltesttype"]);
  const argument = childOf(node, "arg");
  compileScalar(argument, scope);
  const column = columnNameOf(argument, scope);
  if (column === null) refuse(node.place, "IS NULL is asked of a column only");
  const isNull: Predicate = { kind: "is-null", column };
  return node.fields.get("nulltesttype") === "IS_NULL" ? isNull : negation(isNull);
}

/** b IS [NOT] TRUE, FALSE or UNKNOWN: never null, unlike b = TRUE. */
function booleanTest(node: SqlNode, scope: Scope): Predicate {
  onlyFields(node, ["arg", "booltesttype"]);
  const argument = childOf(node, "arg");
  const scalar = compileScalar(argument, scope);
  const column = columnNameOf(argument, scope);
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

function comparison(node: SqlNode, scope: Scope): Predicate {
  onlyFields(node, ["kind", "name", "lexpr", "rexpr", "rexpr_list_start", "rexpr_list_end"]);
  const [operator = "", extra] = namesOf(node, "name") ?? [];
  if (extra !== undefined || !node.fields.has("lexpr"))
    refuse(node.place, "this operator is not part of the subset");
  const left = childOf(node, "lexpr");
  switch (node.fields.get("kind")) {
    case "AEXPR_OP":
      return compared(node, operator, left, childOf(node, "rexpr"), scope);
    case "AEXPR_IN": {
      const one = childrenOf(childOf(node, "rexpr"), "items").map((item) =>
        compared(node, "=", left, item, scope),
      );
      const any: Predicate = { kind: "or", operands: one };
      return operator === "<>" ? negation(any) : any;
    }
    case "AEXPR_BETWEEN":
    case "AEXPR_NOT_BETWEEN": {
      const [low, high, more] = childrenOf(childOf(node, "rexpr"), "items");
      if (low === undefined || high === undefined || more !== undefined)
        refuse(node.place, "BETWEEN takes two values");
      const both: Predicate = {
        kind: "and",
        operands: [compared(node, ">=", left, low, scope), compared(node, "<=", left, high, scope)],
      };
      return node.fields.get("kind") === "AEXPR_BETWEEN" ? both : negation(both);
    }
    default:
      return refuse(node.place, "this operator is not part of the subset");
  }
}

function compared(node: SqlNode, operator: string, a: SqlNode, b: SqlNode, scope: Scope): Predicate {
  if (!/^(?:=|<>|<|<=|>|>=)$/.test(operator))
    refuse(node.place, `the operator ${operator} is not part of the subset`);
  const equality = operator === "=" || operator === "<>";
  const [left, right] = aligned(a, compileScalar(a, scope), b, compileScalar(b, scope), equality, node);
  const [low, high] = operator.startsWith(">") ? [right, left] : [left, right];
  const sign: Compare["operator"] = equality ? "=" : operator.endsWith("=") ? "<=" : "<";
  const leaf: Compare = { kind: "compare", operator: sign, left: low, right: high };
  checkRanges(leaf, scope, node);
  return operator === "<>" ? negation(leaf) : leaf;
}

/** Both sides as integers of one kind and grid. */
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
  if (left.type === "text" && right.type === "literal") {
    const code = left.domain.indexOf(right.text);
    if (code < 0) {
      const known = left.domain.slice(0, 20).map((value) => `'${value}'`);
      refuse(
        b.place,
        `'${right.text}' is not in the domain of ${left.column}: ${known.join(", ")}${left.domain.length > 20 ? ", ..." : ""}`,
      );
    }
    return [left.expression, { kind: "constant", value: String(code) }];
  }
  if (left.type === "text" && right.type === "text") {
    if (JSON.stringify(left.domain) === JSON.stringify(right.domain))
      return [left.expression, right.expression];
    refuse(node.place, `${left.column} and ${right.column} have different domains`);
  }
  return refuse(node.place, `${kindOf(left)} is compared with ${kindOf(right)}`);
}

/** Looks at bounds while the place is known; of the form that engines will run. */
function checkRanges(leaf: Compare, scope: Scope, node: SqlNode): void {
  const visit = (predicate: Predicate): void => {
    if (predicate.kind === "and" || predicate.kind === "or") predicate.operands.forEach(visit);
    else if (predicate.kind === "not") visit(predicate.operand);
    else if (predicate.kind === "in") check(predicate.expression);
    else if (predicate.kind === "compare") [predicate.left, predicate.right].forEach(check);
  };
  const check = (expression: Expression): void => {
    // A column by itself is no arithmetic and needs no bounds.
    if (expression.kind !== "column") intervalOf(expression, scope.rangeOf, node.place);
  };
  visit(canonicalPredicate(leaf, (name) => scope.columns.get(name)));
}

function isTrue(expression: Expression): Predicate {
  return { kind: "compare", operator: "=", left: expression, right: { kind: "constant", value: "1" } };
}

function negation(operand: Predicate): Predicate {
  return { kind: "not", operand };
}
