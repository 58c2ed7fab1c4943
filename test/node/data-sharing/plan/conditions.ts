/** Random SQL conditions and the ways in which people write the same thing differently. */
import fc from "fast-check";

export type Condition =
  | { kind: "compare"; left: string; operator: string; right: string }
  | { kind: "in"; left: string; values: string[]; negated: boolean }
  | { kind: "between"; left: string; low: string; high: string; negated: boolean }
  | { kind: "null"; column: string; negated: boolean }
  | { kind: "test"; column: string; test: string }
  | { kind: "plain"; column: string }
  | { kind: "and" | "or"; operands: Condition[] }
  | { kind: "not"; operand: Condition };

const numeric = fc.constantFrom(
  "age",
  "children",
  "balance",
  "serial",
  "age / 10",
  "age - children",
  "2 * balance + 3",
  "children * age",
  "-balance",
);
const whole = fc.integer({ min: -3, max: 70 }).map(String);
const operators = ["=", "<>", "<", "<=", ">", ">="];

const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    kind: fc.constant("compare" as const),
    left: numeric,
    operator: fc.constantFrom(...operators),
    right: fc.oneof(whole, fc.constantFrom("age", "children", "balance")),
  }),
  // Quarters, as SQLite computes in binary floating point.
  fc.record({
    kind: fc.constant("compare" as const),
    left: fc.constant("wage"),
    operator: fc.constantFrom(...operators),
    right: fc.integer({ min: -4, max: 220 }).map((quarters) => String(quarters / 4)),
  }),
  fc.record({
    kind: fc.constant("compare" as const),
    left: fc.constant("region"),
    operator: fc.constantFrom("=", "<>"),
    right: fc.constantFrom("'north'", "'east'", "'west'"),
  }),
  fc.record({
    kind: fc.constant("in" as const),
    left: numeric,
    values: fc.array(whole, { minLength: 1, maxLength: 5 }),
    negated: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("in" as const),
    left: fc.constant("region"),
    values: fc.array(fc.constantFrom("'north'", "'east'", "'south'", "'west'"), {
      minLength: 1,
      maxLength: 4,
    }),
    negated: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("between" as const),
    left: numeric,
    low: whole,
    high: whole,
    negated: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("null" as const),
    column: fc.constantFrom("children", "region", "smoker", "age"),
    negated: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("test" as const),
    column: fc.constantFrom("member", "smoker"),
    test: fc.constantFrom("IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE"),
  }),
  fc.record({ kind: fc.constant("plain" as const), column: fc.constantFrom("member", "smoker") }),
);

export const conditionArb: fc.Arbitrary<Condition> = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4, depthSize: "medium", withCrossShrink: true },
    leaf,
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      operands: fc.array(tie("condition"), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant("not" as const), operand: tie("condition") }),
  ),
})).condition;

export const sumArb = fc.array(
  fc.constantFrom("age", "wage", "2 * age", "3", "age * children", "children", "1.5"),
  {
    minLength: 1,
    maxLength: 5,
  },
);

/** The SQL of a condition; a seed varies case, space and qualification. */
export function sqlOf(condition: Condition, seed?: number): string {
  const sql = render(condition);
  if (seed === undefined) return sql;
  return (seed & 1 ? sql.replace(/\b(?:age|children|member)\b/g, "PEOPLE.$&") : sql)
    .replace(/ (AND|OR|IN|NOT|BETWEEN) /g, (_, word: string) =>
      seed & 2 ? ` /* ${word} */ ${word.toLowerCase()}\n` : ` ${word} `,
    )
    .concat(seed & 4 ? " -- as before" : "");
}

/** The same condition, written otherwise. */
export function rewritten(condition: Condition, seed: number): Condition {
  const random = generator(seed);
  const chance = (odds: number) => random() < odds;
  const visit = (part: Condition): Condition => {
    const plain = reworded(part, chance, random, visit);
    if (chance(0.1)) return { kind: "not", operand: { kind: "not", operand: plain } };
    if (chance(0.1)) return { kind: chance(0.5) ? "and" : "or", operands: [plain, plain] };
    return plain;
  };
  return visit(condition);
}

export function rewrittenSum(terms: string[], seed: number): string {
  const random = generator(seed);
  const turned = shuffled(terms, random).map((term) => {
    const [a, b] = term.split(" * ");
    if (b !== undefined && random() < 0.5) return `${b} * ${a}`;
    if (term === "2 * age") return "age + age";
    return random() < 0.2 ? `(0 - ${term}) * -1` : term;
  });
  return turned.reduce((sum, term) => (random() < 0.5 ? `(${term}) + (${sum})` : `${sum} - -(${term})`));
}

function reworded(
  part: Condition,
  chance: (odds: number) => boolean,
  random: () => number,
  visit: (part: Condition) => Condition,
): Condition {
  switch (part.kind) {
    case "compare":
      if (chance(0.3))
        return { ...part, left: part.right, right: part.left, operator: turned[part.operator]! };
      if (chance(0.3)) return { kind: "not", operand: { ...part, operator: opposite[part.operator]! } };
      return chance(0.2)
        ? { ...part, left: `(${part.left}) * 1 + 0`.replace("(region) * 1 + 0", "region") }
        : part;
    case "in": {
      const values = shuffled([...part.values, part.values[0]!], random);
      if (chance(0.5)) return { ...part, values };
      const compares = values.map(
        (right): Condition => ({
          kind: "compare",
          left: part.left,
          operator: part.negated ? "<>" : "=",
          right,
        }),
      );
      return { kind: part.negated ? "and" : "or", operands: compares };
    }
    case "between": {
      if (chance(0.5)) return part;
      const both: Condition[] = [
        { kind: "compare", left: part.left, operator: part.negated ? "<" : ">=", right: part.low },
        { kind: "compare", left: part.high, operator: part.negated ? "<" : ">=", right: part.left },
      ];
      return { kind: part.negated ? "or" : "and", operands: shuffled(both, random) };
    }
    case "null":
      return chance(0.5) ? part : { kind: "not", operand: { ...part, negated: !part.negated } };
    case "and":
    case "or": {
      const operands = shuffled(part.operands, random);
      if (chance(0.3))
        return {
          kind: "not",
          operand: {
            kind: part.kind === "and" ? "or" : "and",
            operands: operands.map((operand): Condition => ({ kind: "not", operand: visit(operand) })),
          },
        };
      const [first, ...rest] = operands.map(visit);
      if (rest.length > 1 && chance(0.5))
        return { kind: part.kind, operands: [first!, { kind: part.kind, operands: rest }] };
      return { kind: part.kind, operands: [first!, ...rest] };
    }
    case "not":
      return { kind: "not", operand: visit(part.operand) };
    default:
      return part;
  }
}

const turned: Record<string, string> = { "=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<=" };
const opposite: Record<string, string> = { "=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<" };

function render(part: Condition): string {
  switch (part.kind) {
    case "compare":
      return `(${part.left} ${part.operator} ${part.right})`;
    case "in":
      return `(${part.left} ${part.negated ? "NOT IN" : "IN"} (${part.values.join(", ")}))`;
    case "between":
      return `(${part.left} ${part.negated ? "NOT BETWEEN" : "BETWEEN"} ${part.low} AND ${part.high})`;
    case "null":
      return `(${part.column} IS ${part.negated ? "NOT " : ""}NULL)`;
    case "test":
      return `(${part.column} ${part.test})`;
    case "plain":
      return part.column;
    case "and":
    case "or":
      return `(${part.operands.map(render).join(` ${part.kind.toUpperCase()} `)})`;
    case "not":
      return `(NOT ${render(part.operand)})`;
  }
}

function shuffled<T>(items: T[], random: () => number): T[] {
  return items
    .map((item) => [random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

/** A small generator of numbers in [0, 1) from a seed (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
