/** SQL that hides something, or is too much. */
import { expect } from "chai";
import { compilePlan } from "../../../../node/data-sharing/plan/compile-plan.ts";
import { loadSqlParser, parseSelect } from "../../../../node/data-sharing/plan/parse-sql.ts";
import { TrustedDataError } from "../../../../node/errors.ts";
import { algorithm, people, planOf, refusal } from "./questions.ts";

// Past the manifest's own limits, so that those of the parser are seen.
const refusalOf = (sql: string) => refusal(() => compilePlan({ ...algorithm("x"), sql }, {}, people));

describe("smuggled SQL", () => {
  before(loadSqlParser);

  const smuggled = [
    "SELECT COUNT(*) FROM people WHERE pg_sleep(10) IS NULL",
    "SELECT COUNT(*) FROM read_csv('/etc/passwd')",
    "SELECT COUNT(*) FROM '/etc/passwd'",
    'SELECT COUNT(*) FROM "/etc/passwd"',
    'SELECT COUNT(*) FROM "people; DROP TABLE people"',
    'SELECT COUNT(*) FROM people WHERE "age"" > 0 OR ""age" > 0',
    'SELECT COUNT(*) AS "n"", (SELECT 1) AS ""m" FROM people',
    "SELECT COUNT(*) FROM people WHERE sex = 'male'' OR ''1'' = ''1'",
    "SELECT COUNT(*) FROM people WHERE sex = E'male\\' OR 1=1 --'",
    "SELECT COUNT(*) FROM people WHERE sex = $$male$$ || $$x$$",
    "SELECT COUNT(*) FROM people; DROP TABLE people",
    "SELECT COUNT(*) FROM people /* ; */ ; /* */ DELETE FROM people",
    "SELECT COUNT(*) FROM people WHERE age > 3\0; DROP TABLE people",
    "SELECT COUNT(*) FROM people WHERE age > 3 -- \u202e }; DROP TABLE people",
    "SELECT COUNT(*) FROM people WHERE a\u200bge > 3",
    "SELECT COUNT(*) FROM people WHERE аge > 3",
    'SELECT COUNT(*) FROM people WHERE U&"\\0430ge" > 3',
    'SELECT COUNT(*) FROM people WHERE "AGE" > 3',
    "SELECT COUNT(*) FROM people WHERE __proto__ > 3",
    "SELECT COUNT(*) FROM people WHERE constructor > 3",
    "SELECT COUNT(*) FROM people WHERE age > param.__proto__",
    "SELECT COUNT(*) FROM people TABLESAMPLE system(1)",
    "SELECT COUNT(*) FROM people WHERE (SELECT 1 FROM people WHERE age = 1 / (age - 18)) = 1",
    "EXPLAIN ANALYZE SELECT COUNT(*) FROM people",
    "SET search_path = x",
    "DO $$ BEGIN END $$",
    "SELECT COUNT(*) FROM people WHERE age = (TABLE people)",
    "SELECT COUNT(*) FROM LATERAL generate_series(1, 9) people",
    "SELECT COUNT(*) FROM people WHERE current_user = 'x'",
    "SELECT 'lone \ud800' FROM people",
  ];
  for (const sql of smuggled) {
    it(`is refused: ${JSON.stringify(sql).slice(0, 100)}`, () => {
      expect(refusalOf(sql).code).to.equal("sql_refused");
    });
  }

  it("changes nothing when it hides in comments", () => {
    const plain = planOf("SELECT COUNT(*) FROM people WHERE age > 30");
    expect(
      planOf("SELECT COUNT(*) /* , SUM(age) */ FROM people -- ; DROP\nWHERE age > 30 /* /* OR TRUE */ */"),
    ).to.deep.equal(plain);
    expect(planOf('select count(*) from "people" where "age" > 30;')).to.deep.equal(plain);
  });

  it("cannot exhaust the parser by depth or length", () => {
    const where = (condition: string) => `SELECT COUNT(*) FROM people WHERE ${condition}`;
    const deep = [
      where(`${"(".repeat(65)}member${")".repeat(65)}`),
      where(`${"(".repeat(8_100)}`),
      where(`${"NOT ".repeat(1_900)}member`),
      where(`${"- ".repeat(1_900)}age > 1`),
      where(`${"age + ".repeat(900)}age > 1`),
      where(`${"(SELECT ".repeat(900)}1${")".repeat(900)} = 1`),
      where(`age${"::date".repeat(900)} = 1`),
      where(`${"CASE WHEN ".repeat(400)}member${" THEN member END".repeat(250)}`),
      where(`age IN (${"1,".repeat(2_000)}1)`),
      where(`${"member AND ".repeat(1_000)}member`),
      where(`age > 1 -- ${"x".repeat(9_000)}`),
    ];
    for (const sql of deep) {
      const error = refusalOf(sql);
      expect(error.code).to.equal("sql_refused");
      expect(error.fields.reason).to.match(
        /nested deeper|more than 2000 parts|longer than|cannot be read|not PostgreSQL/,
      );
    }
    // And the parser still works.
    expect(parseSelect("SELECT COUNT(*) FROM people").targets).to.have.length(1);
  });

  it("is refused or compiled, whatever bytes it is made of", () => {
    const words = [
      "SELECT",
      "COUNT(*)",
      "SUM(",
      ")",
      "FROM",
      "people",
      "WHERE",
      "age",
      ">",
      "'",
      '"',
      ";",
      "--",
      "/*",
      "*/",
      "$$",
      "\\",
      "1",
      ".",
      ",",
      "(",
      "NULL",
      "GROUP BY",
      "é",
      "\n",
    ];
    let state = 1;
    const next = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state;
    };
    for (let run = 0; run < 3_000; run++) {
      const tail = Array.from({ length: next() % 12 }, () => words[next() % words.length]!).join(" ");
      try {
        planOf(`SELECT COUNT(*) FROM people WHERE age ${tail} `);
      } catch (error) {
        expect(error, tail).to.be.instanceOf(TrustedDataError);
      }
    }
  });
});
