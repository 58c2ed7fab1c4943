/** What SQL expressions are read as, and what all readers of them share. The readers call each other, so they meet in `expressions.ts`. */
import { dateToDays } from "../manifests/grid.ts";
import { strictColumnsOf } from "./columns-of.ts";
import { boundsMissing, firstDay, intervalOf } from "./intervals.ts";
import { canonicalExpression, constantOf } from "./linear.ts";
import type { Expression, Predicate } from "./plan.ts";
import type { Scope } from "./scope.ts";
import { type Place, refuse, type SqlNode } from "./sql-node.ts";

export type Scalar =
  /** `whole` as PostgreSQL's integer types are, whose quotients are rounded; 2.0 and EXTRACT are not. */
  | { type: "number"; scale: number; whole: boolean; expression: Expression }
  /** `instant` as what date_trunc gives in SQL: its beginning as a time, to which no days are added. */
  | { type: "date"; instant?: true; expression: Expression }
  | { type: "boolean"; expression: Expression }
  /** By its codes: places in the domain, or `textCode`s where it is open. */
  | { type: "text"; domain: readonly string[]; open: boolean; expression: Expression }
  /** A text that stands in the SQL or in a parameter. */
  | { type: "literal"; text: string }
  /** NULL, which takes the type of what stands beside it in CASE. */
  | { type: "null" };

/** The expressions of one SELECT. */
export interface Reading {
  scope: Scope;
  scalar(node: SqlNode): Scalar;
  /** Still in the order in which it is written. */
  predicate(node: SqlNode): Predicate;
  /** Counts what it takes to compile it; too much is refused. */
  spend(parts: number, place: Place): void;
}

export const instantReason = "date_trunc gives a time of day, too: write date_trunc(...)::date";

/** Decimal places of any intermediate value. */
export const scaleMax = 12;

/** A number on a finer grid; the value stays the same. */
export function rescaled(expression: Expression, from: number, to: number): Expression {
  if (from === to) return expression;
  return { kind: "multiply", operands: [constantOf(10n ** BigInt(to - from)), expression] };
}

export type NumberScalar = Extract<Scalar, { type: "number" }>;

export function numberIn(node: SqlNode, reading: Reading): NumberScalar {
  return numberOnly(reading.scalar(node), node);
}

export function numberOnly(scalar: Scalar, node: SqlNode): NumberScalar {
  if (scalar.type !== "number") refuse(node.place, `arithmetic takes numbers, and this is ${kindOf(scalar)}`);
  return scalar;
}

export function checkedNumber(
  node: SqlNode,
  scope: Scope,
  { scale, whole }: Pick<NumberScalar, "scale" | "whole">,
  expression: Expression,
): NumberScalar {
  if (scale > scaleMax) refuse(node.place, `a value has more than ${scaleMax} decimal places`);
  return { type: "number", scale, whole, expression: checkedExpression(node, scope, expression) };
}

/** In canonical form. Bounds are looked at while the place is known; of the form that engines will run. */
export function checkedExpression(node: SqlNode, scope: Scope, expression: Expression): Expression {
  if (expression.kind === "divide") intervalOf(expression, scope.rangeOf, node.place);
  const canonical = canonicalExpression(expression);
  // A column by itself is no arithmetic and needs no bounds.
  if (canonical.kind === "column") return canonical;
  const unbounded = strictColumnsOf(canonical).find((column) => scope.rangeOf(column) === null);
  if (unbounded !== undefined) boundsMissing(unbounded);
  intervalOf(canonical, scope.rangeOf, node.place);
  return canonical;
}

export function dateConstant(text: string, node: SqlNode): Expression {
  const days = dateToDays(text);
  if (days === null || days < firstDay) refuse(node.place, "a date is written 'YYYY-MM-DD' and exists");
  return constantOf(days);
}

export function kindOf(scalar: Scalar): string {
  const names = {
    number: "a number",
    date: "a date",
    boolean: "a boolean",
    text: "a text",
    literal: "a text",
    null: "NULL",
  };
  return names[scalar.type];
}
