/**
 * Comparisons in canonical form. A predicate of a plan is only ever asked whether it is true, so what is false and what is null for a
 * row may take each other's place at its leaves, and only there.
 */
import type { PlanColumn } from "./columns.ts";
import { casesOf, isNullable, strictColumnsOf } from "./columns-of.ts";
import { constantOf, fromLinear, isAbsent, type Linear, plus, type Term, times, toLinear } from "./linear.ts";
import type { Expression, Predicate } from "./plan.ts";

/** What is known of a column; undefined for one that the dataset does not have. */
export type ColumnFacts = (column: string) => Pick<PlanColumn, "nullable" | "range"> | undefined;

const always: Predicate = { kind: "always" };
const never: Predicate = { kind: "never" };

/** Predicates that hold together where left OPERATOR right is true (or, negated, where its negation is true). */
export function canonicalComparison(
  comparison: Extract<Predicate, { kind: "compare" }>,
  negated: boolean,
  facts: ColumnFacts,
): Predicate[] {
  const { operator, left, right } = comparison;
  const difference = (a: Expression, b: Expression) => plus(toLinear(a), times(toLinear(b), -1n));
  if (isAbsent(difference(left, right))) return [never];
  if (operator === "=") return equality(difference(left, right), [0n], negated, facts);
  // NOT left <= right is right < left, and null where that is null.
  const [low, high] = negated ? [right, left] : [left, right];
  const strict = (operator === "<") !== negated;
  const linear = difference(low, high);
  return atMostZero(strict ? { ...linear, constant: linear.constant + 1n } : linear, facts);
}

/** The same for IN with constants. */
export function canonicalMembership(
  membership: Extract<Predicate, { kind: "in" }>,
  negated: boolean,
  facts: ColumnFacts,
): Predicate[] {
  const linear = toLinear(membership.expression);
  if (isAbsent(linear)) return [never];
  return equality(linear, membership.values.map(BigInt), negated, facts);
}

/** Where none of the expressions is null. */
export function presence(expressions: readonly Expression[], facts: ColumnFacts): Predicate[] {
  const isNullableColumn = (column: string) => facts(column)?.nullable ?? true;
  const columns = new Set(expressions.flatMap(strictColumnsOf).filter(isNullableColumn));
  const cases = new Map(
    expressions
      .flatMap(casesOf)
      .filter((part) => isNullable(part, isNullableColumn))
      .map((part) => [JSON.stringify(part), part]),
  );
  return [
    ...[...columns].map((column): Predicate => ({ kind: "not", operand: { kind: "is-null", column } })),
    // True of everything but null.
    ...[...cases.values()].map(
      (part): Predicate => ({ kind: "compare", operator: "=", left: part, right: part }),
    ),
  ];
}

/** linear is one of `values` (or, negated, none of them). */
function equality(linear: Linear, values: bigint[], negated: boolean, facts: ColumnFacts): Predicate[] {
  const { live, guards } = split(linear, facts);
  if (live.length === 0) return [...guards, values.includes(linear.constant) !== negated ? always : never];
  const divisor =
    live.map((term) => term.coefficient).reduce(gcd, 0n) * (live[0]!.coefficient < 0n ? -1n : 1n);
  const terms = live.map((term) => ({ base: term.base, coefficient: term.coefficient / divisor }));
  const targets = values
    .map((value) => value - linear.constant)
    .filter((value) => value % divisor === 0n)
    .map((value) => value / divisor);
  if (terms.every((term) => term.coefficient > 0n))
    return [...guards, ...oneOf(expressionOf(terms), targets, negated, facts)];
  const leaves = ascending(targets).map((target): Predicate => {
    const [left, right] = sides(terms, target);
    const equal: Predicate = { kind: "compare", operator: "=", left, right };
    return negated ? { kind: "not", operand: equal } : equal;
  });
  if (leaves.length === 0) return [...guards, ...(negated ? presenceOf(terms, facts) : [never])];
  if (negated || leaves.length === 1) return [...guards, ...leaves];
  return [...guards, { kind: "or", operands: leaves }];
}

/** expression is one of `values` (or, negated, none of them), by the shortest of the ways to say so. */
export function oneOf(
  expression: Expression,
  values: bigint[],
  negated: boolean,
  facts: ColumnFacts,
): Predicate[] {
  const range = expression.kind === "column" ? (facts(expression.name)?.range ?? null) : null;
  let targets = ascending(values).filter(
    (value) => range === null || (value >= range.low && value <= range.high),
  );
  let negative = negated;
  if (range !== null) {
    const size = range.high - range.low + 1n;
    const missing = size - BigInt(targets.length);
    // All but one value, or all: said the other way round.
    if (missing <= 1n && targets.length >= 1 && size > 1n) {
      const taken = new Set(targets);
      targets = [];
      for (let value = range.low; value <= range.high; value++) if (!taken.has(value)) targets.push(value);
      negative = !negative;
    }
    // Of two values, the one is named and not the other.
    if (size === 2n && negative && targets.length === 1) {
      targets = [range.low + range.high - targets[0]!];
      negative = false;
    }
    if (size === 1n && targets.length === 1) [targets, negative] = [[], !negative];
  }
  if (targets.length === 0) return negative ? presence([expression], facts) : [never];
  const leaf: Predicate =
    targets.length === 1
      ? { kind: "compare", operator: "=", left: expression, right: constantOf(targets[0]!) }
      : { kind: "in", expression, values: targets.map(String) };
  return [negative ? { kind: "not", operand: leaf } : leaf];
}

/** linear <= 0. */
function atMostZero(linear: Linear, facts: ColumnFacts): Predicate[] {
  const { live, guards } = split(linear, facts);
  if (live.length === 0) return [...guards, linear.constant <= 0n ? always : never];
  const divisor = live.map((term) => term.coefficient).reduce(gcd, 0n);
  const terms = live.map((term) => ({ base: term.base, coefficient: term.coefficient / divisor }));
  const most = floorDivide(-linear.constant, divisor);
  const [left, right] = sides(terms, most);
  // Between terms on both sides, a strict comparison reads better than one less, and asks for no arithmetic.
  if (most === -1n && left.kind !== "constant" && terms.some((term) => term.coefficient < 0n)) {
    const [low, high] = sides(terms, 0n);
    return [...guards, { kind: "compare", operator: "<", left: low, right: high }];
  }
  const outcome = known(left, right, facts);
  if (outcome !== null) return [...guards, ...outcome];
  return [...guards, { kind: "compare", operator: "<=", left, right }];
}

/** left <= right where a column's range already decides it. */
function known(left: Expression, right: Expression, facts: ColumnFacts): Predicate[] | null {
  if (left.kind === "column" && right.kind === "constant") {
    const range = facts(left.name)?.range;
    const most = BigInt(right.value);
    if (range === undefined || range === null) return null;
    if (most >= range.high) return presence([left], facts);
    if (most < range.low) return [never];
    return most === range.low ? oneOf(left, [most], false, facts) : null;
  }
  if (left.kind === "constant" && right.kind === "column") {
    const range = facts(right.name)?.range;
    const least = BigInt(left.value);
    if (range === undefined || range === null) return null;
    if (least <= range.low) return presence([right], facts);
    if (least > range.high) return [never];
    return least === range.high ? oneOf(right, [least], false, facts) : null;
  }
  return null;
}

/** Terms = constant (or <=) with nothing negative on either side, the constant where it stands alone, else on the right. */
function sides(terms: Term[], constant: bigint): [Expression, Expression] {
  const left = terms.filter((term) => term.coefficient > 0n);
  const right = terms
    .filter((term) => term.coefficient < 0n)
    .map((term) => ({ base: term.base, coefficient: -term.coefficient }));
  if (left.length === 0) return [constantOf(-constant), expressionOf(right)];
  return [expressionOf(left), expressionOf(right, constant)];
}

function expressionOf(terms: Term[], constant = 0n): Expression {
  return fromLinear({ terms: new Map(terms.map((term, index) => [String(index), term])), constant });
}

/** The terms that matter, and what keeps those times zero from being null. */
function split(linear: Linear, facts: ColumnFacts): { live: Term[]; guards: Predicate[] } {
  const terms = [...linear.terms.values()];
  const idle = terms.filter((term) => term.coefficient === 0n);
  return { live: terms.filter((term) => term.coefficient !== 0n), guards: presenceOf(idle, facts) };
}

function presenceOf(terms: Term[], facts: ColumnFacts): Predicate[] {
  return presence(
    terms.map((term) => term.base),
    facts,
  );
}

function ascending(values: bigint[]): bigint[] {
  return [...new Set(values)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

function gcd(a: bigint, b: bigint): bigint {
  const [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  return y === 0n ? x : gcd(y, x % y);
}
