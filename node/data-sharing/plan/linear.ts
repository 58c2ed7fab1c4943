/**
 * Expressions as sums of whole multiples of indivisible terms plus a constant: the canonical form of arithmetic. Commuted, regrouped
 * and repeated operands come out the same. A term multiplied by zero stays, as it still makes the sum null where it is null. With a NULL
 * anywhere all of it is NULL.
 */
import { partText } from "./part-text.ts";
import type { Expression } from "./plan.ts";

export interface Term {
  /** A column, a division, a part of a date, a CASE, or a product of at least two of the like. */
  base: Expression;
  coefficient: bigint;
}

export interface Linear {
  /** By the canonical JSON of the base, in its order. */
  terms: ReadonlyMap<string, Term>;
  constant: bigint;
}

/** The same value (and null) for every row, in canonical form; subtractions have become additions. */
export function canonicalExpression(expression: Expression): Expression {
  return fromLinear(toLinear(expression));
}

export function toLinear(expression: Expression): Linear {
  switch (expression.kind) {
    case "column":
      return termOf(expression);
    case "constant":
      return { terms: new Map(), constant: BigInt(expression.value) };
    case "add":
      return expression.operands.map(toLinear).reduce(plus);
    case "subtract":
      return plus(toLinear(expression.left), times(toLinear(expression.right), -1n));
    case "multiply":
      return product(expression.operands.map(toLinear));
    case "divide":
      return quotient(toLinear(expression.left), BigInt(expression.divisor));
    case "date-part": {
      const of = canonicalExpression(expression.of);
      return of.kind === "null" ? absent : termOf({ ...expression, of });
    }
    // Brought into canonical form where it is compiled, as that takes what is known of columns.
    case "case":
      return termOf(expression);
    case "null":
      return absent;
  }
}

/** NULL, for every row. */
const absent: Linear = {
  terms: new Map([["null", { base: { kind: "null" }, coefficient: 1n }]]),
  constant: 0n,
};

export function isAbsent(linear: Linear): boolean {
  return linear === absent;
}

export function fromLinear({ terms, constant }: Linear): Expression {
  const operands: Expression[] = [...terms.values()].map(({ base, coefficient }) =>
    coefficient === 1n ? base : withCoefficient(base, coefficient),
  );
  if (constant !== 0n || operands.length === 0) operands.push(constantOf(constant));
  return operands.length === 1 ? operands[0]! : { kind: "add", operands: sortedOperands(operands) };
}

export function constantOf(value: bigint): Expression {
  return { kind: "constant", value: value.toString() };
}

export function plus(left: Linear, right: Linear): Linear {
  if (isAbsent(left) || isAbsent(right)) return absent;
  const terms = new Map(left.terms);
  for (const [key, term] of right.terms) {
    terms.set(key, { base: term.base, coefficient: (terms.get(key)?.coefficient ?? 0n) + term.coefficient });
  }
  return { terms: sortedTerms(terms), constant: left.constant + right.constant };
}

export function times(linear: Linear, factor: bigint): Linear {
  if (isAbsent(linear)) return absent;
  const { terms, constant } = linear;
  const scaled = [...terms].map(
    ([key, { base, coefficient }]) => [key, { base, coefficient: coefficient * factor }] as const,
  );
  return { terms: new Map(scaled), constant: constant * factor };
}

function product(factors: Linear[]): Linear {
  if (factors.some(isAbsent)) return absent;
  let coefficient = 1n;
  const bases: Expression[] = [];
  const sums: Linear[] = [];
  for (const factor of factors) {
    const [only] = factor.terms.values();
    if (only === undefined) coefficient *= factor.constant;
    else if (factor.terms.size === 1 && factor.constant === 0n) {
      coefficient *= only.coefficient;
      bases.push(...(only.base.kind === "multiply" ? only.base.operands : [only.base]));
    } else sums.push(factor);
  }
  if (bases.length === 0 && sums.length === 0) return { terms: new Map(), constant: coefficient };
  // A constant times one sum goes into it; sums times anything else are not multiplied out, as that could grow without bound.
  if (bases.length === 0 && sums.length === 1) return times(sums[0]!, coefficient);
  const operands = sortedOperands([...bases, ...sums.map(fromLinear)]);
  const base: Expression = operands.length === 1 ? operands[0]! : { kind: "multiply", operands };
  return times(termOf(base), coefficient);
}

function quotient(left: Linear, divisor: bigint): Linear {
  if (divisor === 1n || isAbsent(left)) return left;
  const [only] = left.terms.values();
  // Rounded down as `/` does: what is divided is not negative.
  if (only === undefined) return { terms: new Map(), constant: left.constant / divisor };
  const inner = fromLinear(left);
  // floor(floor(x / a) / b) = floor(x / (a b)).
  if (inner.kind === "divide")
    return termOf({ ...inner, divisor: (BigInt(inner.divisor) * divisor).toString() });
  return termOf({ kind: "divide", left: inner, divisor: divisor.toString() });
}

function termOf(base: Expression): Linear {
  return { terms: new Map([[partText(base), { base, coefficient: 1n }]]), constant: 0n };
}

function withCoefficient(base: Expression, coefficient: bigint): Expression {
  const factors = base.kind === "multiply" ? base.operands : [base];
  return { kind: "multiply", operands: sortedOperands([constantOf(coefficient), ...factors]) };
}

function sortedOperands(operands: Expression[]): Expression[] {
  return operands
    .map((operand) => [partText(operand), operand] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, operand]) => operand);
}

function sortedTerms(terms: Map<string, Term>): Map<string, Term> {
  return new Map([...terms].sort(([a], [b]) => (a < b ? -1 : 1)));
}
