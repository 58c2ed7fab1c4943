/**
 * Predicates in canonical form: NOT at the leaves, AND and OR flattened, sorted and without repetition, comparisons turned one way.
 *
 * A filter keeps the rows where it is true. With NOT at the leaves, AND and OR are true by which of their operands are true alone
 * (Kleene's logic is monotone), so a leaf may be false where it was null; nothing else changes. Not every two equal predicates get one
 * form, but all those do that differ in the ways people write them.
 */

import { type ColumnFacts, canonicalComparison, canonicalMembership, oneOf } from "./canonical-comparison.ts";
import { strictColumnsOf } from "./columns-of.ts";
import { partText } from "./part-text.ts";
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
      return joined(
        "and",
        canonicalMembership(predicate, negated, facts).map((part) =>
          part.kind === "or" ? joined("or", part.operands, facts) : part,
        ),
        facts,
      );
  }
}

/** AND or OR of operands that are in normal form. */
function joined(kind: "and" | "or", operands: Predicate[], facts: ColumnFacts): Predicate {
  const neutral = kind === "and" ? "always" : "never";
  const absorbing = kind === "and" ? "never" : "always";
  const flatten = (operand: Predicate) => (operand.kind === kind ? operand.operands : [operand]);
  const flat = mergedValues(kind, operands.flatMap(flatten), facts)
    .flatMap(flatten)
    .filter((operand) => operand.kind !== neutral);
  const kept = flat.some((operand) => operand.kind === absorbing) ? null : withoutIdle(kind, flat);
  if (kept === null) return { kind: absorbing };
  const byText = absorbed(kind, new Map(kept.map((operand) => [partText(operand), operand])));
  const sorted = [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, operand]) => operand);
  if (sorted.length === 0) return { kind: neutral };
  return sorted.length === 1 ? sorted[0]! : { kind, operands: sorted };
}

/** a OR (a AND b) is a, and so is a AND (a OR b); so too where the second a only follows from the first, or the first from it. */
function absorbed(kind: "and" | "or", operands: Map<string, Predicate>): Map<string, Predicate> {
  const simple = [...operands.values()].map(membershipOf).filter((one) => one !== null);
  const present = new Set([...operands.values()].map(presentColumn).filter((column) => column !== null));
  const compared = new Set<string | null>([...operands.values()].flatMap(comparedColumns));
  const isDecided = (part: Predicate) => {
    if (operands.has(partText(part))) return true;
    if (
      kind === "or"
        ? comparedColumns(part).some((column) => present.has(column))
        : compared.has(presentColumn(part))
    )
      return true;
    const own = membershipOf(part);
    if (own === null) return false;
    return simple.some((one) => (kind === "or" ? implies(own, one) : implies(one, own)));
  };
  const isIdle = (operand: Predicate) =>
    (operand.kind === "and" || operand.kind === "or") &&
    operand.kind !== kind &&
    operand.operands.some(isDecided);
  return new Map([...operands].filter(([, operand]) => !isIdle(operand)));
}

/** Whether the one is true of every value of which the other is. */
function implies(one: Membership, other: Membership): boolean {
  if (partText(one.expression) !== partText(other.expression)) return false;
  const [values, others] = [new Set(one.values), new Set(other.values)];
  if (!one.negated) return one.values.every((value) => others.has(value) !== other.negated);
  return other.negated && other.values.every((value) => values.has(value));
}

/** "One of these values", or negated "none of them", of one expression. */
interface Membership {
  expression: Expression;
  values: bigint[];
  negated: boolean;
}

/** What several operands say about the values of one expression, said once: x = 1 OR x = 2 becomes x IN (1, 2). */
function mergedValues(kind: "and" | "or", operands: Predicate[], facts: ColumnFacts): Predicate[] {
  const merged = new Map<string, Membership>();
  const others: Predicate[] = [];
  for (const operand of operands) {
    const membership = membershipOf(operand);
    if (membership === null) {
      others.push(operand);
      continue;
    }
    const key = partText(membership.expression);
    const before = merged.get(key);
    merged.set(key, before === undefined ? membership : joinedValues(kind, before, membership));
  }
  for (const { expression, values, negated } of merged.values()) {
    const parts = oneOf(expression, values, negated, facts);
    if (kind === "and" || parts.length === 1) others.push(...parts);
    else others.push(parts.length === 0 ? { kind: "always" } : { kind: "and", operands: parts });
  }
  return others;
}

function membershipOf(operand: Predicate): Membership | null {
  if (operand.kind === "not") {
    const inner = membershipOf(operand.operand);
    return inner === null ? null : { ...inner, negated: !inner.negated };
  }
  if (operand.kind === "in")
    return { expression: operand.expression, values: operand.values.map(BigInt), negated: false };
  if (operand.kind === "compare" && operand.operator === "=" && operand.right.kind === "constant")
    return { expression: operand.left, values: [BigInt(operand.right.value)], negated: false };
  return null;
}

/** AND is the meet of the two sets of values and OR their join; by De Morgan the one is the other of the complements. */
function joinedValues(kind: "and" | "or", one: Membership, other: Membership): Membership {
  if (kind === "or") {
    const meet = joinedValues(
      "and",
      { ...one, negated: !one.negated },
      { ...other, negated: !other.negated },
    );
    return { ...meet, negated: !meet.negated };
  }
  if (one.negated && other.negated) return { ...one, values: [...one.values, ...other.values] };
  const [positive, second] = one.negated ? [other, one] : [one, other];
  const named = new Set(second.values);
  return { ...positive, values: positive.values.filter((value) => named.has(value) !== second.negated) };
}

/**
 * Drops what a test for null makes needless: beside a comparison of x, which is never true of a null, `AND x IS NOT NULL` adds nothing
 * and `AND x IS NULL` leaves nothing; beside `x IS NOT NULL`, `OR x = 1` adds nothing. Null where all is decided.
 */
function withoutIdle(kind: "and" | "or", operands: Predicate[]): Predicate[] | null {
  const columnsWhere = (test: (operand: Predicate) => string | null) =>
    new Set(operands.map(test).filter((column) => column !== null));
  const absent = columnsWhere((operand) => (operand.kind === "is-null" ? operand.column : null));
  const present = columnsWhere(presentColumn);
  if ([...present].some((column) => absent.has(column))) return null;
  if (kind === "or")
    return operands.filter((operand) => !comparedColumns(operand).some((column) => present.has(column)));
  const compared = new Set(operands.flatMap(comparedColumns));
  if ([...absent].some((column) => compared.has(column))) return null;
  return operands.filter((operand) => !compared.has(presentColumn(operand) ?? ""));
}

function presentColumn(operand: Predicate): string | null {
  return operand.kind === "not" && operand.operand.kind === "is-null" ? operand.operand.column : null;
}

/** Columns which must not be null for this leaf to be true. */
function comparedColumns(operand: Predicate): string[] {
  const leaf = operand.kind === "not" ? operand.operand : operand;
  if (leaf.kind === "compare") return [leaf.left, leaf.right].flatMap(strictColumnsOf);
  return leaf.kind === "in" ? strictColumnsOf(leaf.expression) : [];
}
