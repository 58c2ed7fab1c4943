/** Hundreds of statements that nobody should be able to ask: each is refused with its code, place and reason, and soon. */
import { expect } from "chai";
import { parseAlgorithmManifest } from "../../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { compilePlan } from "../../../../node/data-sharing/plan/compile-plan.ts";
import { loadSqlParser, parseSelect } from "../../../../node/data-sharing/plan/parse-sql.ts";
import type { TrustedDataError } from "../../../../node/errors.ts";
import type { BadStatement } from "../../../support/bad-sql/statement.ts";
import { honestSql } from "../../../support/bad-sql/statement.ts";
import { badStatements } from "../../../support/bad-sql/statements.ts";
import { badSqlDataset, badSqlManifest } from "../../../support/bad-sql/world.ts";
import { refusal } from "./questions.ts";

/** Of CPU time, for each statement. */
const refusalMsMax = 50;
/** A busy machine slows a second of CPU down too; most statements need one attempt. */
const attemptsMax = 10;

/** As a repository meets it: the manifest's text, then its SQL. */
const refusalOf = (manifest: string) =>
  refusal(() => compilePlan(parseAlgorithmManifest(manifest), {}, badSqlDataset));

describe("a statement that nobody should ask", () => {
  before(async () => {
    await loadSqlParser();
    for (const [sql] of Object.values(badStatements).flat()) if (sql.length < 200) refusalOf(textOf(sql));
  });

  for (const [group, statements] of Object.entries(badStatements)) {
    it(`is refused with its code, place and reason, within ${refusalMsMax} ms: ${group}, ${statements.length}`, () => {
      for (const statement of statements) {
        const { error, leastMs } = timed(statement);
        expectRefused(statement, error);
        expect(leastMs, statement[0].slice(0, 200)).to.be.at.most(refusalMsMax);
      }
    });
  }

  it("is one of at least 300, all of them different", () => {
    const all = Object.values(badStatements).flatMap((statements) => statements.map(([sql]) => sql));
    expect(new Set(all).size).to.equal(all.length).and.to.be.at.least(300);
  });

  it("is refused by the plan, too, where the manifest's limit already holds it back", () => {
    const held = Object.values(badStatements)
      .flat()
      .filter(([, , code]) => code === "manifest_invalid");
    for (const [sql] of held) {
      const startedMs = cpuMs();
      const error = refusal(() => compilePlan(badSqlManifest(sql), {}, badSqlDataset));
      expect(error.code, sql.slice(0, 200)).to.equal("sql_refused");
      expect(cpuMs() - startedMs, sql.slice(0, 200)).to.be.at.most(refusalMsMax);
    }
  });

  it("is refused as soon where patterns meet a large domain", () => {
    const domain = Array.from({ length: 640 }, (_, code) => `${"a".repeat(96)}${1_000 + code}`);
    const columns = { ...badSqlDataset.columns, town: { type: "text", domain, nullable: false } as const };
    const patterns = Array.from({ length: 90 }, (_, at) => `town LIKE '%${"_a".repeat(25)}${at}b%'`);
    const manifest = badSqlManifest(`${honestSql} WHERE ${patterns.join(" OR ")}`);
    const startedMs = cpuMs();
    const error = refusal(() => compilePlan(manifest, {}, { ...badSqlDataset, columns }));
    expect(error.fields.reason).to.equal("all of it comes to more than 20000 parts");
    expect(cpuMs() - startedMs).to.be.at.most(refusalMsMax);
  });

  it("leaves the parser as it was", () => {
    const before = JSON.stringify(parseSelect(honestSql));
    const deep = badStatements["nesting without end"]!;
    for (let round = 0; round < 5; round++) for (const [sql] of deep) refusalOf(textOf(sql));
    expect(JSON.stringify(parseSelect(honestSql))).to.equal(before);
  });

  it("is told from an honest one that holds what others hide behind", () => {
    const where = (condition: string) => `${honestSql} WHERE ${condition}`;
    const plainOf = (sql: string) =>
      compilePlan(parseAlgorithmManifest(textOf(sql)), {}, badSqlDataset).rows.filter;
    const plain = plainOf(where("value > 3"));
    for (const [sql, what] of [
      [where(`value > 3 -- ${"-".repeat(3_000)}`), "a line of dashes"],
      [where(`value > 3 /* ${"* ( ".repeat(1_500)} */`), "a long comment"],
      [where(`value > 3 /* ${"/* */ ".repeat(200)} */`), "comments in a comment"],
      [where(`value > 3 AND town NOT IN ('${"(".repeat(90)}', 'x')`), "brackets in a text"],
    ] as const) {
      if (what === "brackets in a text")
        expect(refusalOf(textOf(sql)).fields.reason, what).to.contain("not in the domain");
      else expect(plainOf(sql), what).to.deep.equal(plain);
    }
  });
});

function expectRefused([sql, reason, code = "sql_refused"]: BadStatement, error: TrustedDataError): void {
  const shown = sql.slice(0, 200);
  expect(error.code, shown).to.equal(code);
  expect([error.message, ...Object.values(error.fields)].join("\n"), shown).to.contain(reason);
  if (code !== "sql_refused") return;
  const lines = sql.split("\n");
  const [line, column] = [Number(error.fields.line), Number(error.fields.column)];
  expect(line, shown).to.be.within(1, lines.length);
  expect(column, shown).to.be.within(1, [...lines[line - 1]!].length + 1);
}

/** The least of a few attempts, as the collection of garbage falls into some of them. */
function timed([sql]: BadStatement): { error: TrustedDataError; leastMs: number } {
  const text = textOf(sql);
  let leastMs = Number.POSITIVE_INFINITY;
  for (let attempt = 1; ; attempt++) {
    const startedMs = cpuMs();
    const error = refusalOf(text);
    leastMs = Math.min(leastMs, cpuMs() - startedMs);
    if (leastMs <= refusalMsMax || attempt === attemptsMax) return { error, leastMs };
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function textOf(sql: string): string {
  return JSON.stringify(badSqlManifest(sql));
}
