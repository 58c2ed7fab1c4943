/** What DuckDB and PostgreSQL, or two versions of one of them, read differently is refused; found by `npm run fuzz`. */
import { expect } from "chai";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import { reasonAgainstToken } from "../../../../node/data-sharing/plan/plain-tokens.ts";
import { expectRefusal } from "./questions.ts";
import { clinicPlan } from "./random/clinic-plan.ts";

const ages = {
  columns: [
    { name: "age", type: "decimal" as const, scale: 1 },
    { name: "band", type: "integer" as const },
  ],
  rows: [[1.5, 1]],
};
const planOf = (sql: string) => clinicPlan(sql, { publicTables: { ages } });

/** SQL with ^ before the place that is refused, and a part of the reason. */
const refused: [string, string][] = [
  // DuckDB: 0 under the name x1f.
  ["SELECT age + ^0x1F AS k, COUNT(*) AS n FROM visits GROUP BY 1", "digits and a point"],
  ["SELECT COUNT(*) FROM visits WHERE age > ^0b1", "digits and a point"],
  ["SELECT COUNT(*) FROM visits WHERE age > ^1_0", "digits and a point"],
  // DuckDB takes the place of quotes from a text with escapes, and then spaces in texts for spaces outside of them.
  ["SELECT COUNT(*) FROM visits WHERE region = ^E'n\\x6frth'", "escapes"],
  ["SELECT COUNT(*) FROM visits WHERE region = ^U&'n\\006frth'", "escapes"],
  ["SELECT COUNT(*) FROM visits WHERE region = ^$$north$$", "escapes"],
  ["SELECT COUNT(*) FROM visits WHERE region = ^'nor'\n'th'", "where its quote ends"],
  ["SELECT COUNT(*) FROM visits /* it's */ WHERE region = 'a^\u00a0b'", "invisible"],
  ["SELECT COUNT(*) FROM visits v^\u3000", "invisible"],
  // Other kinds of join, to DuckDB.
  ["SELECT COUNT(*) FROM ^visits semi JOIN patients USING (person)", "kind of join"],
  ["SELECT COUNT(*) FROM ^visits anti JOIN patients USING (person)", "kind of join"],
  ["SELECT COUNT(*) FROM ^visits AS asof JOIN patients USING (person)", "kind of join"],
  ["SELECT COUNT(*) FROM ^visits positional JOIN patients USING (person)", "kind of join"],
  // One name, to DuckDB.
  [
    'SELECT SUM("N") AS a, SUM(n) AS b FROM (SELECT person, ^COUNT(*) AS "N", SUM(age) AS n FROM visits GROUP BY person) t',
    "lower-case",
  ],
  ['SELECT COUNT(*) FROM visits v JOIN ^patients "V" ON v.person = "V".person', "lower-case"],
  [`SELECT COUNT(*) AS ^${"n".repeat(64)} FROM visits`, "63 bytes"],
  // Of a numeric column in PostgreSQL, of an integer one in DuckDB.
  ["SELECT SUM(age / 2) AS s FROM visits JOIN ^ages USING (age)", "columns of one type"],
  // Ambiguous, to both.
  ["SELECT COUNT(*) FROM visits JOIN ages ON ^age = ages.age", "several tables"],
  ["SELECT COUNT(*) FROM visits v JOIN ages ON v.age = ages.age AND ^age > 3", "several tables"],
  // A time of day and a number are not added up by either.
  ["SELECT COUNT(*) FROM visits WHERE date_trunc('month', day) ^+ 1 > day", "::date"],
  ["SELECT COUNT(*) FROM visits WHERE day ^- date_trunc('week', day) > 1", "::date"],
  ["SELECT COUNT(*) FROM visits WHERE COALESCE(day, date_trunc('week', day)) ^- day > 1", "::date"],
  [
    "SELECT COUNT(*) FROM (SELECT person, MAX(^date_trunc('week', day)) AS w FROM visits GROUP BY person) t WHERE w - DATE '2020-01-01' > 1",
    "::date",
  ],
  ["SELECT COUNT(*) FROM visits WHERE day ^+ 1.0 > DATE '2020-01-01'", "whole days"],
  ["SELECT COUNT(*) FROM visits WHERE day ^- EXTRACT(day FROM day) > DATE '2020-01-01'", "whole days"],
  // Null where a person has nulls alone, and a plan knows no sum that is null.
  ["SELECT SUM(s) AS t FROM (SELECT person, SUM(^delta) AS s FROM visits GROUP BY person) p", "COALESCE"],
  // A property that every object of JavaScript has is no function of SQL.
  [
    "SELECT SUM(n) AS s FROM (SELECT person, ^constructor(age) AS n FROM visits GROUP BY person) t",
    "COUNT, SUM",
  ],
  [
    'SELECT SUM(n) AS s FROM (SELECT person, ^"toString"(age) AS n FROM visits GROUP BY person) t',
    "COUNT, SUM",
  ],
];

const taken = [
  "SELECT COUNT(*) FROM visits WHERE age > 1. AND cost > .5 AND age < 007",
  "SELECT COUNT(*) FROM visits WHERE day - date_trunc('week', day)::date > 1",
  "SELECT date_trunc('month', day) AS k, COUNT(*) AS n FROM visits GROUP BY k",
  "SELECT COUNT(*) FROM visits WHERE day + EXTRACT(day FROM day)::integer > DATE '2020-01-01'",
  "SELECT SUM(visits.age / 2) AS s FROM visits JOIN ages ON visits.age = ages.age",
  'SELECT COUNT(*) AS "n" FROM visits "v" /* it\'s */ -- "x\n WHERE v.age > 1',
  `SELECT COUNT(*) AS ${"n".repeat(63)} FROM visits`,
];

describe("SQL with two readings", () => {
  before(loadSqlParser);

  for (const [marked, reason] of refused)
    it(`is refused: ${JSON.stringify(marked)}`, () => expectRefusal(marked, reason, planOf));

  for (const sql of taken)
    it(`is not what this is: ${sql}`, () => expect(planOf(sql).vectors).not.to.deep.equal([]));

  it("is not in comments, whatever they hold", () => {
    for (const comment of ["-- 0x1F E'x'", "/* $$ 1_0 */"])
      expect(reasonAgainstToken(comment)).to.equal(null);
  });
});
