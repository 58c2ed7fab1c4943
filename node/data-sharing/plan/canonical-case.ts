/** CASE in canonical form: no branch that is never taken, none after one that always is, neighbours with one value made one. */

import type { ColumnFacts } from "./canonical-comparison.ts";
import { canonicalPredicate } from "./canonical-predicate.ts";
import { casesOf, isNullable, strictColumnsOf } from "./columns-of.ts";
import { canonicalExpression, constantOf } from "./linear.ts";
import { partText } from "./part-text.ts";
import type { Expression, Predicate } from "./plan.ts";

export interface Branch {
  when: Predicate;
  value: Expression;
}

export function canonicalCase(
  branches: readonly Branch[],
  otherwise: Expression,
  facts: ColumnFacts,
): Expression {
  const kept: Branch[] = [];
  let last = canonicalExpression(otherwise);
  for (const branch of branches) {
    const when = canonicalPredicate(branch.when, facts);
    const value = canonicalExpression(branch.value);
    if (when.kind === "never") continue;
    if (when.kind === "always") {
      last = value;
      break;
    }
    const before = kept.at(-1);
    if (before !== undefined && isSame(before.value, value))
      before.when = canonicalPredicate({ kind: "or", operands: [before.when, when] }, facts);
    else kept.push({ when, value });
  }
  while (kept.length > 0 && isSame(kept.at(-1)!.value, last)) kept.pop();
  const end = kept.at(-1);
  if (end === undefined) return last;
  // A test for null is never unknown: the last one is asked without NOT.
  if (end.when.kind === "not" && end.when.operand.kind === "is-null") {
    [end.when, end.value, last] = [end.when.operand, last, end.value];
  }
  return { kind: "case", branches: kept, otherwise: last };
}

/** What COUNT looks at: an expression that is null exactly where this one is; null where neither ever is, as then all rows count. */
export function presenceOf(expression: Expression, facts: ColumnFacts): Expression | null {
  const isNullableColumn = (name: string) => facts(name)?.nullable ?? true;
  if (expression.kind === "null") return expression;
  const parts: Expression[] = [
    ...strictColumnsOf(expression)
      .filter(isNullableColumn)
      .map((name): Expression => ({ kind: "column", name })),
    ...casesOf(expression)
      .filter((part) => isNullable(part, isNullableColumn))
      .map(({ branches, otherwise }) =>
        canonicalCase(
          branches.map(({ when, value }) => ({ when, value: presenceOf(value, facts) ?? constantOf(1n) })),
          presenceOf(otherwise, facts) ?? constantOf(1n),
          facts,
        ),
      ),
  ];
  if (parts.length <= 1) return parts[0] ?? null;
  return canonicalExpression({ kind: "add", operands: parts });
}

function isSame(a: Expression, b: Expression): boolean {
  return partText(a) === partText(b);
}
