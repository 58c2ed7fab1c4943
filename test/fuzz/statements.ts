/** Random SQL: honest questions, the same with a few changes, fragments in any order, and bytes. */
import fc from "fast-check";
import { Draw } from "../node/data-sharing/plan/random/draw.ts";
import { Questions } from "../node/data-sharing/plan/random/questions.ts";
import { blanks, clauses, functions, names, numbers, operators, questions, texts } from "./sql-fragments.ts";

const tokenPattern = /'(?:[^']|'')*'|"[^"]*"|[\p{L}_][\p{L}\p{N}_]*|[\d.]+|\s+|::|<=|>=|<>|!=|[\s\S]/gu;
const any = [numbers, texts, names, operators, functions, clauses].flat();
const functionNames = new Set(functions.map((name) => name.toLowerCase()));
const clauseWords = new Set(clauses.map((word) => word.toLowerCase()));

const changes = [
  "like",
  "like",
  "like",
  "any",
  "insert",
  "remove",
  "swap",
  "twice",
  "parentheses",
  "case",
  "blank",
  "quotes",
  "graft",
  "negate",
] as const;

interface Change {
  kind: (typeof changes)[number];
  at: number;
  which: number;
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...changes),
  at: fc.nat(100_000),
  which: fc.nat(100_000),
});
const seed = fc.nat(2 ** 30);
const generated = seed.map((of) => new Questions(new Draw(of), new Draw(-of)).question().sql);
const honest = fc.oneof(
  { weight: 4, arbitrary: generated },
  { weight: 1, arbitrary: fc.constantFrom(...questions) },
);
const changed = fc
  .tuple(honest, honest, fc.array(change, { minLength: 1, maxLength: 4 }))
  .map(([sql, other, all]) =>
    tokensOf(all.reduce((tokens, one) => applied(one, tokens, tokensOf(other)), tokensOf(sql)).join("")).join(
      "",
    ),
  );
const fragments = fc
  .array(fc.oneof(fc.constantFrom(...any), fc.constantFrom(...blanks)), { maxLength: 40 })
  .map((parts) => parts.join(" "));
const started = fragments.map((end) => `SELECT age AS k, COUNT(*) AS n FROM visits v ${end}`);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all).toString("latin1")),
  fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all).toString("utf8")),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc
    .tuple(
      fc.constantFrom("(", "[", "-", "NOT ", "CASE WHEN ", "'", "/*", "$a$", "((SELECT ", "a."),
      fc.nat(9_000),
    )
    .map(([part, count]) => `SELECT ${part.repeat(count)}`),
);

export const statement: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: honest },
  { weight: 12, arbitrary: changed },
  { weight: 2, arbitrary: started },
  { weight: 1, arbitrary: fragments },
  { weight: 2, arbitrary: bytes },
);

export function tokensOf(sql: string): string[] {
  return sql.match(tokenPattern) ?? [];
}

/** Of its own kind, so that what comes out is often a question again. */
function like(token: string, which: number): string {
  const pick = (all: readonly string[]) => all[which % all.length]!;
  if (/^[\d.]+$/.test(token)) return pick(numbers);
  if (token.startsWith("'")) return pick(texts);
  if (/^\s/.test(token)) return pick(blanks);
  if (functionNames.has(token.toLowerCase())) return pick(functions);
  if (clauseWords.has(token.toLowerCase())) return which % 3 === 0 ? pick(clauses) : pick(operators);
  return /^[\p{L}_"]/u.test(token) ? pick(names) : pick(operators);
}

function applied({ kind, at, which }: Change, tokens: string[], other: string[]): string[] {
  if (tokens.length === 0) return [any[which % any.length]!];
  const place = at % tokens.length;
  const token = tokens[place]!;
  const end = Math.min(tokens.length, place + 1 + (which % 12));
  switch (kind) {
    case "like":
      return tokens.with(place, like(token, which));
    case "any":
      return tokens.with(place, ` ${any[which % any.length]!} `);
    case "insert":
      return tokens.toSpliced(place, 0, ` ${any[which % any.length]!} `);
    case "remove":
      return tokens.toSpliced(place, 1 + (which % 4));
    case "swap": {
      const second = which % tokens.length;
      return tokens.with(place, tokens[second]!).with(second, token);
    }
    case "twice":
      return tokens.toSpliced(end, 0, ...tokens.slice(place, end));
    case "parentheses":
      return tokens.toSpliced(end, 0, ")").toSpliced(place, 0, "(");
    case "case":
      return tokens.with(place, which % 2 === 0 ? token.toUpperCase() : token.toLowerCase());
    case "blank":
      return tokens.toSpliced(place, 0, blanks[which % blanks.length]!);
    case "quotes":
      return tokens.with(place, which % 2 === 0 ? `"${token}"` : `'${token}'`);
    case "graft": {
      const from = which % Math.max(1, other.length);
      return tokens.toSpliced(place, which % 5, " ", ...other.slice(from, from + 1 + (at % 12)), " ");
    }
    case "negate":
      return tokens.with(place, which % 2 === 0 ? ` NOT ${token}` : ` -${token}`);
  }
}
