/**
 * Scalar SQL expressions as integer expressions: decimals on a common grid (10^-scale), dates as days, texts and booleans as codes.
 * Types are stricter than PostgreSQL's: nothing is converted but a text constant next to a text or date column.
 */
import { type Decimal, parseDecimal } from "../manifests/grid.ts";
import { arithmetic } from "./arithmetic.ts";
import { caseScalar, coalesced, leastOrGreatest, nullIf } from "./case.ts";
import type { PlanColumn } from "./columns.ts";
import { functionScalar } from "./functions.ts";
import { constantOf } from "./linear.ts";
import type { Expression } from "./plan.ts";
import { dateConstant, type Reading, type Scalar, scaleMax } from "./reading.ts";
import { childOf, namesOf, onlyFields, refuse, type SqlNode, textOf } from "./sql-node.ts";

export const aggregateNames =
  /^(?:count|sum|avg|variance|var_samp|var_pop|stddev|stddev_samp|stddev_pop|min|max|median|percentile_cont|percentile_disc|histogram)$/;

export function compileScalar(node: SqlNode, reading: Reading): Scalar {
  switch (node.kind) {
    case "A_Const":
      return constantScalar(node);
    case "ColumnRef":
      return reference(node, reading);
    case "A_Expr":
      return node.fields.get("kind") === "AEXPR_NULLIF" ? nullIf(node, reading) : arithmetic(node, reading);
    case "TypeCast":
      return cast(node, reading);
    case "CaseExpr":
      return caseScalar(node, reading);
    case "CoalesceExpr":
      return coalesced(node, reading);
    case "MinMaxExpr":
      return leastOrGreatest(node, reading);
    case "FuncCall":
      return functionScalar(node, reading) ?? refuse(node.place, reasonAgainst(node));
    default:
      return refuse(node.place, reasonAgainst(node));
  }
}

function constantScalar(node: SqlNode): Scalar {
  onlyFields(node, ["ival", "fval", "boolval", "sval", "isnull"], {
    bsval: "bit strings are not part of the subset",
  });
  if (node.fields.has("isnull")) return { type: "null" };
  if (node.fields.has("sval")) {
    const inner = childOf(node, "sval");
    return { type: "literal", text: inner.fields.has("sval") ? textOf(inner, "sval") : "" };
  }
  if (node.fields.has("boolval")) {
    const value = childOf(node, "boolval").fields.get("boolval") === true;
    return { type: "boolean", expression: constantOf(value ? 1n : 0n) };
  }
  if (node.fields.has("fval")) {
    const digits = textOf(childOf(node, "fval"), "fval");
    const decimal = parseDecimal(digits);
    if (decimal === null)
      refuse(node.place, "numbers are written with digits and a point, without an exponent");
    return numberOf(decimal, /^\d+$/.test(digits), node);
  }
  const value = childOf(node, "ival").fields.get("ival") ?? 0;
  return numberOf({ steps: BigInt(Number(value)), scale: 0 }, true, node);
}

function numberOf({ steps, scale }: Decimal, whole: boolean, node: SqlNode): Scalar {
  if (scale > scaleMax) refuse(node.place, `a number has more than ${scaleMax} decimal places`);
  return { type: "number", scale, whole, expression: constantOf(steps) };
}

function reference(node: SqlNode, reading: Reading): Scalar {
  onlyFields(node, ["fields"]);
  const names = namesOf(node, "fields");
  if (names?.length === 2 && names[0] === "param") return parameter(node, names[1]!, reading);
  const { planName, column } = reading.scope.columnOf(node);
  return columnScalar(planName, column);
}

export function columnScalar(
  name: string,
  column: PlanColumn,
): Exclude<Scalar, { type: "literal" | "null" }> {
  const expression: Expression = { kind: "column", name };
  switch (column.type) {
    case "text":
      return { type: "text", domain: column.domain, open: column.open, expression };
    case "boolean":
    case "date":
      return { type: column.type, expression };
    default:
      return { type: "number", scale: column.scale, whole: column.type === "integer", expression };
  }
}

function parameter(node: SqlNode, name: string, reading: Reading): Scalar {
  const value = reading.scope.parameters.get(name);
  if (value === undefined) refuse(node.place, `the algorithm declares no parameter ${name}`);
  return typeof value === "string"
    ? { type: "literal", text: value }
    : { type: "number", scale: 0, whole: true, expression: constantOf(value) };
}

/** DATE '2020-01-31', a date as itself, or a boolean as 0 and 1. */
function cast(node: SqlNode, reading: Reading): Scalar {
  onlyFields(node, ["arg", "typeName"]);
  const type = childOf(node, "typeName");
  const argument = childOf(node, "arg");
  const reason =
    "casts are to date for date literals, DATE 'YYYY-MM-DD', and dates, and to integer for booleans and numbers without decimal places";
  const plain = [...type.fields.keys()].every((field) => field === "names" || field === "typemod");
  const names = namesOf(type, "names")?.join(".");
  if (!plain || type.fields.get("typemod") !== -1) refuse(argument.place, reason);
  if (names === "pg_catalog.int4") {
    const scalar = reading.scalar(argument);
    const isWhole = scalar.type === "boolean" || (scalar.type === "number" && scalar.scale === 0);
    if (!isWhole) refuse(argument.place, reason);
    return { type: "number", scale: 0, whole: true, expression: scalar.expression };
  }
  if (names !== "date") refuse(argument.place, reason);
  const date = argument.kind === "A_Const" ? constantScalar(argument) : reading.scalar(argument);
  if (date.type === "date") return { type: "date", expression: date.expression };
  if (date.type !== "literal" || argument.kind !== "A_Const") refuse(argument.place, reason);
  return { type: "date", expression: dateConstant(date.text, argument) };
}

function reasonAgainst(node: SqlNode): string {
  if (node.kind === "FuncCall") {
    const name = namesOf(node, "funcname")?.join(".") ?? "";
    return aggregateNames.test(name)
      ? "an aggregate stands by itself in SELECT"
      : `the function ${name} is not part of the subset`;
  }
  const reasons: Record<string, string> = {
    SubLink: "subqueries are not part of the subset",
    ParamRef: "parameters are written param.name",
    BoolExpr: "a number, date or column is expected here",
    NullTest: "a number, date or column is expected here",
    BooleanTest: "a number, date or column is expected here",
    RowExpr: "rows are not part of the subset",
    A_ArrayExpr: "arrays are not part of the subset",
    GroupingSet: "grouping sets are not part of the subset",
    SQLValueFunction: "the time and the user of a session are not part of the subset",
  };
  return reasons[node.kind] ?? "this form is not part of the subset";
}
