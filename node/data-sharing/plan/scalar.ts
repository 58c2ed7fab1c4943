/**
 * Scalar SQL expressions as integer expressions: decimals on a common grid (10^-scale), dates as days, texts and booleans as codes.
 * Types are stricter than PostgreSQL's: nothing is converted but a text constant next to a text or date column.
 */
import { type Decimal, dateToDays, parseDecimal } from "../manifests/grid.ts";
import type { PlanColumn, PlanColumns } from "./columns.ts";
import { boundsMissing, intervalOf, type RangeOf } from "./intervals.ts";
import { canonicalExpression, columnsOf, constantOf } from "./linear.ts";
import type { ParameterValue } from "./parameters.ts";
import type { Expression } from "./plan.ts";
import { childOf, namesOf, onlyFields, refuse, type SqlNode, textOf } from "./sql-node.ts";

export type Scalar =
  | { type: "number"; scale: number; expression: Expression }
  | { type: "date"; expression: Expression }
  | { type: "boolean"; expression: Expression }
  /** A text column, by its codes. */
  | { type: "text"; column: string; domain: readonly string[]; expression: Expression }
  /** A text that stands in the SQL or in a parameter. */
  | { type: "literal"; text: string };

/** What names mean in one statement. */
export interface Scope {
  table: string;
  alias: string;
  columns: PlanColumns;
  parameters: ReadonlyMap<string, ParameterValue>;
  rangeOf: RangeOf;
}

/** Decimal places of any intermediate value. */
const scaleMax = 12;

export function compileScalar(node: SqlNode, scope: Scope): Scalar {
  switch (node.kind) {
    case "A_Const":
      return constantScalar(node);
    case "ColumnRef":
      return reference(node, scope);
    case "A_Expr":
      return arithmetic(node, scope);
    case "TypeCast":
      return dateLiteral(node);
    default:
      return refuse(node.place, reasonAgainst(node));
  }
}

/** The name of a column as the SQL writes it, or null for anything else. */
export function columnNameOf(node: SqlNode, scope: Scope): string | null {
  if (node.kind !== "ColumnRef") return null;
  const names = namesOf(node, "fields");
  if (names?.length === 2 && names[0] === scope.alias) return names[1]!;
  return names?.length === 1 ? names[0]! : null;
}

/** A number on a finer grid; the value stays the same. */
export function rescaled(expression: Expression, from: number, to: number): Expression {
  if (from === to) return expression;
  return { kind: "multiply", operands: [constantOf(10n ** BigInt(to - from)), expression] };
}

function constantScalar(node: SqlNode): Scalar {
  onlyFields(node, ["ival", "fval", "boolval", "sval"], {
    isnull: "NULL takes no part in expressions; write IS NULL",
    bsval: "bit strings are not part of the subset",
  });
  if (node.fields.has("sval")) {
    const inner = childOf(node, "sval");
    return { type: "literal", text: inner.fields.has("sval") ? textOf(inner, "sval") : "" };
  }
  if (node.fields.has("boolval")) {
    const value = childOf(node, "boolval").fields.get("boolval") === true;
    return { type: "boolean", expression: constantOf(value ? 1n : 0n) };
  }
  if (node.fields.has("fval")) {
    const decimal = parseDecimal(textOf(childOf(node, "fval"), "fval"));
    if (decimal === null)
      refuse(node.place, "numbers are written with digits and a point, without an exponent");
    return numberOf(decimal, node);
  }
  const whole = childOf(node, "ival").fields.get("ival") ?? 0;
  return numberOf({ steps: BigInt(Number(whole)), scale: 0 }, node);
}

function numberOf({ steps, scale }: Decimal, node: SqlNode): Scalar {
  if (scale > scaleMax) refuse(node.place, `a number has more than ${scaleMax} decimal places`);
  return { type: "number", scale, expression: constantOf(steps) };
}

function reference(node: SqlNode, scope: Scope): Scalar {
  onlyFields(node, ["fields"]);
  const names = namesOf(node, "fields");
  if (names === null) refuse(node.place, "* stands in COUNT(*) only");
  const [first = "", second] = names;
  if (names.length === 2 && first === "param") return parameter(node, second!, scope);
  if (names.length > 2 || (names.length === 2 && first !== scope.alias))
    refuse(node.place, `${names.join(".")} is not a column of ${scope.table}`);
  const name = second ?? first;
  const column = scope.columns.get(name);
  if (column === undefined) {
    const known = [...scope.columns.keys()].slice(0, 20).join(", ");
    refuse(node.place, `${scope.table} has no column ${name}; it has ${known}`);
  }
  return columnScalar(name, column);
}

function columnScalar(name: string, column: PlanColumn): Scalar {
  const expression: Expression = { kind: "column", name };
  switch (column.type) {
    case "text":
      return { type: "text", column: name, domain: column.domain, expression };
    case "boolean":
    case "date":
      return { type: column.type, expression };
    default:
      return { type: "number", scale: column.scale, expression };
  }
}

function parameter(node: SqlNode, name: string, scope: Scope): Scalar {
  const value = scope.parameters.get(name);
  if (value === undefined) refuse(node.place, `the algorithm declares no parameter ${name}`);
  return typeof value === "string"
    ? { type: "literal", text: value }
    : { type: "number", scale: 0, expression: constantOf(value) };
}

function arithmetic(node: SqlNode, scope: Scope): Scalar {
  onlyFields(node, ["kind", "name", "lexpr", "rexpr"]);
  const [operator, extra] = namesOf(node, "name") ?? [];
  if (node.fields.get("kind") !== "AEXPR_OP" || extra !== undefined || !/^[-+*/]$/.test(operator ?? ""))
    refuse(node.place, "a number, date or column is expected here");
  const right = numberIn(childOf(node, "rexpr"), scope);
  if (!node.fields.has("lexpr")) {
    if (operator === "+") return right;
    return checked(node, scope, right.scale, {
      kind: "multiply",
      operands: [constantOf(-1n), right.expression],
    });
  }
  const left = numberIn(childOf(node, "lexpr"), scope);
  if (operator === "/") return quotient(node, left, right, scope);
  if (operator === "*")
    return checked(node, scope, left.scale + right.scale, {
      kind: "multiply",
      operands: [left.expression, right.expression],
    });
  const scale = Math.max(left.scale, right.scale);
  const [a, b] = [left, right].map((side) => rescaled(side.expression, side.scale, scale)) as [
    Expression,
    Expression,
  ];
  return checked(
    node,
    scope,
    scale,
    operator === "+" ? { kind: "add", operands: [a, b] } : { kind: "subtract", left: a, right: b },
  );
}

type NumberScalar = Extract<Scalar, { type: "number" }>;

function numberIn(node: SqlNode, scope: Scope): NumberScalar {
  const scalar = compileScalar(node, scope);
  if (scalar.type !== "number") refuse(node.place, `arithmetic takes numbers, and this is ${kindOf(scalar)}`);
  return scalar;
}

function quotient(node: SqlNode, left: NumberScalar, right: NumberScalar, scope: Scope): Scalar {
  const divisor = canonicalExpression(right.expression);
  if (left.scale !== 0 || right.scale !== 0) refuse(node.place, "only whole numbers are divided");
  if (divisor.kind !== "constant" || BigInt(divisor.value) <= 0n)
    refuse(node.place, "a number is divided by a positive constant only");
  return checked(node, scope, 0, { kind: "divide", left: left.expression, divisor: divisor.value });
}

/** Bounds are looked at while the place is known; of the form that engines will run. */
function checked(node: SqlNode, scope: Scope, scale: number, expression: Expression): Scalar {
  if (scale > scaleMax) refuse(node.place, `a value has more than ${scaleMax} decimal places`);
  if (expression.kind === "divide") intervalOf(expression, scope.rangeOf, node.place);
  const canonical = canonicalExpression(expression);
  const unbounded = columnsOf(canonical).find((column) => scope.rangeOf(column) === null);
  if (unbounded !== undefined && canonical.kind !== "column") boundsMissing(unbounded);
  intervalOrColumn(canonical, scope, node);
  return { type: "number", scale, expression: canonical };
}

function intervalOrColumn(expression: Expression, scope: Scope, node: SqlNode): void {
  if (expression.kind !== "column") intervalOf(expression, scope.rangeOf, node.place);
}

function dateLiteral(node: SqlNode): Scalar {
  onlyFields(node, ["arg", "typeName"]);
  const type = childOf(node, "typeName");
  const argument = childOf(node, "arg");
  const plain = [...type.fields.keys()].every((field) => field === "names" || field === "typemod");
  if (!plain || namesOf(type, "names")?.join(".") !== "date" || type.fields.get("typemod") !== -1)
    refuse(argument.place, "the only cast is a date literal, DATE 'YYYY-MM-DD'");
  const literal = argument.kind === "A_Const" ? constantScalar(argument) : null;
  if (literal?.type !== "literal")
    refuse(argument.place, "the only cast is a date literal, DATE 'YYYY-MM-DD'");
  return { type: "date", expression: dateConstant(literal.text, argument) };
}

export function dateConstant(text: string, node: SqlNode): Expression {
  const days = dateToDays(text);
  return days === null ? refuse(node.place, "a date is written 'YYYY-MM-DD' and exists") : constantOf(days);
}

export function kindOf(scalar: Scalar): string {
  const names = {
    number: "a number",
    date: "a date",
    boolean: "a boolean",
    text: "a text",
    literal: "a text",
  };
  return names[scalar.type];
}

function reasonAgainst(node: SqlNode): string {
  if (node.kind === "FuncCall") {
    const name = namesOf(node, "funcname")?.join(".") ?? "";
    return /^(?:count|sum|avg)$/.test(name)
      ? "an aggregate stands by itself in SELECT"
      : `the function ${name} is not part of the subset`;
  }
  const reasons: Record<string, string> = {
    SubLink: "subqueries are not part of the subset",
    ParamRef: "parameters are written param.name",
    BoolExpr: "a number, date or column is expected here",
    NullTest: "a number, date or column is expected here",
    BooleanTest: "a number, date or column is expected here",
    CaseExpr: "CASE is not part of the subset",
    CoalesceExpr: "COALESCE is not part of the subset",
    RowExpr: "rows are not part of the subset",
    A_ArrayExpr: "arrays are not part of the subset",
    GroupingSet: "grouping sets are not part of the subset",
    SQLValueFunction: "the time and the user of a session are not part of the subset",
  };
  return reasons[node.kind] ?? "this form is not part of the subset";
}
