/** Which columns an expression reads, and which of them make it null. */
import { partText } from "./part-text.ts";
import type { Expression, Predicate } from "./plan.ts";

type Case = Extract<Expression, { kind: "case" }>;

/** Columns that the expression reads, also in the conditions of CASE; each once, in order. */
export function columnsOf(expression: Expression): string[] {
  const names = new Set<string>();
  visit(expression, true, (part) => part.kind === "column" && names.add(part.name));
  return [...names].sort();
}

export function predicateColumns(predicate: Predicate): string[] {
  const names = new Set<string>();
  visitPredicate(predicate, (part) => part.kind === "column" && names.add(part.name));
  return [...names].sort();
}

/** Columns whose null makes the expression null, and no others: those outside of CASE; each once, in order. */
export function strictColumnsOf(expression: Expression): string[] {
  const names = new Set<string>();
  visit(expression, false, (part) => part.kind === "column" && names.add(part.name));
  return [...names].sort();
}

/** The outermost CASE parts, each once: they may be null by themselves. */
export function casesOf(expression: Expression): Case[] {
  const cases = new Map<string, Case>();
  visit(expression, false, (part) => part.kind === "case" && cases.set(partText(part), part));
  return [...cases.values()];
}

export function isNullable(expression: Expression, isNullableColumn: (name: string) => boolean): boolean {
  if (expression.kind === "null") return true;
  if (expression.kind === "case")
    return [...expression.branches.map(({ value }) => value), expression.otherwise].some((part) =>
      isNullable(part, isNullableColumn),
    );
  return (
    strictColumnsOf(expression).some(isNullableColumn) ||
    casesOf(expression).some((part) => isNullable(part, isNullableColumn))
  );
}

function visit(expression: Expression, intoCases: boolean, onPart: (part: Expression) => unknown): void {
  onPart(expression);
  const inner = (part: Expression) => visit(part, intoCases, onPart);
  switch (expression.kind) {
    case "add":
    case "multiply":
      expression.operands.forEach(inner);
      break;
    case "subtract":
      [expression.left, expression.right].forEach(inner);
      break;
    case "divide":
      inner(expression.left);
      break;
    case "date-part":
      inner(expression.of);
      break;
    case "case":
      if (!intoCases) break;
      for (const { when, value } of expression.branches) {
        visitPredicate(when, onPart);
        inner(value);
      }
      inner(expression.otherwise);
  }
}

function visitPredicate(predicate: Predicate, onPart: (part: Expression) => unknown): void {
  switch (predicate.kind) {
    case "is-null":
      onPart({ kind: "column", name: predicate.column });
      break;
    case "compare":
      visit(predicate.left, true, onPart);
      visit(predicate.right, true, onPart);
      break;
    case "in":
      visit(predicate.expression, true, onPart);
      break;
    case "and":
    case "or":
      predicate.operands.forEach((operand) => void visitPredicate(operand, onPart));
      break;
    case "not":
      visitPredicate(predicate.operand, onPart);
  }
}
