/**
 * Predicates in canonical form: NOT at the leaves, AND and OR flattened, sorted and without repetition, comparisons turned one way.
 *
 * A filter keeps the rows where it is true. With NOT at the leaves, AND and OR are true by which of their operands are true alone
 * (Kleene's logic is monotone), so a leaf may be false where it was null; nothing else changes. Not every two equal predicates get one
 * form, but all those do that differ in the ways people write them.
 */
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { type ColumnFacts, canonicalComparison, canonicalMembership, oneOf } from "./canonical-comparison.ts";
import { columnsOf } from "./linear.ts";
import type { Expression, Predicate } from "./plan.ts";

export function canonicalPredicate(predicate: Predicate, facts: ColumnFacts): Predicate {
  return normal(predicate, false, facts);
}

function normal(predicate: Predicate, negated: boolean, facts: ColumnFacts): Predicate {
  switch (predicate.kind) {
    case "always":
    case "never":
      return { kind: (predicate.kind === "always") !== negated ? "always" : "never" };
    case "not":
      return normal(predicate.operand, !negated, facts);
    case "and":
    case "or": {
      // De Morgan.
      const kind = (predicate.kind === "and") !== negated ? "and" : "or";
      return joined(
        kind,
        predicate.operands.map((operand) => normal(operand, negated, facts)),
        facts,
      );
    }
    case "is-null": {
      const column = predicate.column;
      if (!(facts(column)?.nullable ?? true)) return { kind: negated ? "always" : "never" };
      return negated ? { kind: "not", operand: { kind: "is-null", column } } : { kind: "is-null", column };
    }
    case "compare":
      return joined("and", canonicalComparison(predicate, negated, facts), facts);
    case "in":
      return joined("and", canonicalMembership(predicate, negated, facts), facts);
  }
}

/** AND or OR of operands that are in normal form. */
function joined(kind: "and" | "or", operands: Predicate[], facts: ColumnFacts): Predicate {
  const neutral = kind === "and" ? "always" : "never";
  const absorbing = kind === "and" ? "never" : "always";
  const flat = mergedValues(
    kind,
    operands.flatMap((operand) => flattened(kind, operand)),
    facts,
  )
    .flatMap((operand) => flattened(kind, operand))
    .filter((operand) => operand.kind !== neutral);
  if (flat.some((operand) => operand.kind === absorbing)) return { kind: absorbing };
  const byText = new Map(flat.map((operand) => [canonicalJson(operand), operand]));
  const sorted = [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, operand]) => operand);
  const kept = kind === "and" ? withoutIdlePresence(sorted) : sorted;
  if (kept.length === 0) return { kind: neutral };
  return kept.length === 1 ? kept[0]! : { kind, operands: kept };
}

function flattened(kind: "and" | "or", operand: Predicate): Predicate[] {
  return operand.kind === kind ? operand.operands : [operand];
}

/** x = 1 OR x = 2 becomes x IN (1, 2); x <> 1 AND x <> 2 becomes NOT x IN (1, 2). */
function mergedValues(kind: "and" | "or", operands: Predicate[], facts: ColumnFacts): Predicate[] {
  const negated = kind === "and";
  const groups = new Map<string, { expression: Expression; values: bigint[] }>();
  const others: Predicate[] = [];
  for (const operand of operands) {
    const named = valuesOf(operand, negated);
    if (named === null) {
      others.push(operand);
      continue;
    }
    const key = canonicalJson(named.expression);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, named);
    else group.values.push(...named.values);
  }
  return [
    ...others,
    ...[...groups.values()].flatMap((g) => leafOf(kind, oneOf(g.expression, g.values, negated, facts))),
  ];
}

function leafOf(kind: "and" | "or", parts: Predicate[]): Predicate[] {
  if (kind === "and") return parts;
  if (parts.length === 0) return [{ kind: "always" }];
  return parts.length === 1 ? parts : [{ kind: "and", operands: parts }];
}

function valuesOf(operand: Predicate, negated: boolean): { expression: Expression; values: bigint[] } | null {
  if (negated) return operand.kind === "not" ? valuesOf(operand.operand, false) : null;
  if (operand.kind === "in") return { expression: operand.expression, values: operand.values.map(BigInt) };
  if (operand.kind === "compare" && operand.operator === "=" && operand.right.kind === "constant")
    return { expression: operand.left, values: [BigInt(operand.right.value)] };
  return null;
}

/** Drops `x IS NOT NULL` beside a comparison of x, which is never true of a null. */
function withoutIdlePresence(operands: Predicate[]): Predicate[] {
  const compared = new Set(operands.flatMap(comparedColumns));
  return operands.filter(
    (operand) =>
      !(operand.kind === "not" && operand.operand.kind === "is-null" && compared.has(operand.operand.column)),
  );
}

function comparedColumns(operand: Predicate): string[] {
  const leaf = operand.kind === "not" ? operand.operand : operand;
  if (leaf.kind === "compare") return [leaf.left, leaf.right].flatMap(columnsOf);
  return leaf.kind === "in" ? columnsOf(leaf.expression) : [];
}
