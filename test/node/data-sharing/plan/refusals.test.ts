import { expect } from "chai";
import { compilePlan } from "../../../../node/data-sharing/plan/compile-plan.ts";
import { loadSqlParser, parseSelect } from "../../../../node/data-sharing/plan/parse-sql.ts";
import { TrustedDataError } from "../../../../node/errors.ts";
import { algorithm, people, planOf } from "./questions.ts";

function refusalOf(sql: string): TrustedDataError {
  try {
    // Past the manifest's own limits, so that those of the parser are seen.
    compilePlan({ ...algorithm("x"), sql }, {}, people);
  } catch (error) {
    expect(error, sql).to.be.instanceOf(TrustedDataError);
    return error as TrustedDataError;
  }
  throw new Error(`not refused: ${sql.slice(0, 200)}`);
}

/** SQL with ^ before the place that is refused, and a part of the reason. */
const refusals: [string, string][] = [
  ["SELECT COUNT(*) FROM people GROUP BY sex HAVING COUNT(*) ^> 3", "HAVING"],
  ["SELECT sex, COUNT(*) FROM people GROUP BY sex ORDER BY ^sex", "ORDER BY"],
  ["SELECT COUNT(*) FROM people LIMIT ^1", "LIMIT"],
  ["SELECT COUNT(*) FROM people OFFSET ^1", "LIMIT and OFFSET"],
  ["SELECT COUNT(*) FROM ^people JOIN people b ON TRUE", "joins"],
  ["SELECT COUNT(*) FROM people, ^people b", "joins"],
  ["SELECT COUNT(*) FROM (SELECT ^1) s", "subqueries"],
  ["SELECT COUNT(*) FROM people WHERE age ^IN (SELECT 1)", "subqueries"],
  ["SELECT COUNT(*) FROM people WHERE ^EXISTS (SELECT 1)", "subqueries"],
  ["^SELECT DISTINCT sex FROM people GROUP BY sex", "DISTINCT"],
  ["SELECT ^COUNT(DISTINCT age) FROM people", "DISTINCT"],
  ["SELECT ^COUNT(*) OVER () FROM people", "window"],
  ["SELECT ^COUNT(*) FILTER (WHERE member) FROM people", "FILTER"],
  ["SELECT ^SUM(age ORDER BY age) FROM people", "ORDER BY"],
  ["SELECT COUNT(*) FROM people UNION SELECT ^COUNT(*) FROM people", "UNION"],
  ["WITH ^x AS (SELECT 1) SELECT COUNT(*) FROM people", "WITH"],
  ["SELECT COUNT(*) FROM people; ^SELECT COUNT(*) FROM people", "more than one statement"],
  ["SELECT COUNT(*) FROM people FOR UPDATE", "FOR UPDATE"],
  ["SELECT COUNT(*) INTO ^x FROM people", "INTO"],
  ["SELECT COUNT(*) FROM ^public.people", "schema"],
  ["SELECT COUNT(*) FROM ONLY ^people", "ONLY"],
  ["SELECT COUNT(*) FROM ^folk", "there is no table folk"],
  ["SELECT COUNT(*) FROM ^pg_shadow", "there is no table"],
  ["SELECT COUNT(*) FROM ^people param", "param"],
  ["SELECT COUNT(*) FROM ^people AS p(a)", "column aliases"],
  ["^SELECT COUNT(*)", "there is no FROM"],
  ["SELECT ^* FROM people", "* stands in COUNT(*) only"],
  ["SELECT ^people.* FROM people", "* stands in COUNT(*) only"],
  ["SELECT ^SUM(*) FROM people", "COUNT(*) only"],
  ["SELECT ^age, COUNT(*) FROM people", "GROUP BY"],
  ["SELECT ^age / 5 AS age5, COUNT(*) FROM people GROUP BY age / 10", "GROUP BY"],
  ["SELECT ^'x' AS x, COUNT(*) FROM people", "aggregate"],
  ["SELECT ^age / 10, COUNT(*) FROM people GROUP BY 1", "AS name"],
  ["SELECT COUNT(*), ^COUNT(age) FROM people", "AS name"],
  ['SELECT ^COUNT(*) AS "A" FROM people', "lower-case"],
  ["SELECT COUNT(*) FROM people GROUP BY ^2", "does not have"],
  ["SELECT COUNT(*) FROM people GROUP BY ^0", "does not have"],
  ["SELECT COUNT(*) FROM people GROUP BY ^1", "aggregate"],
  ["SELECT COUNT(*) FROM people GROUP BY ^wage", "whole number"],
  ["SELECT COUNT(*) FROM people GROUP BY age ^+ children", "one column"],
  ["SELECT COUNT(*) FROM people GROUP BY age, ^balance, joined", "groups"],
  ["SELECT COUNT(*) FROM people GROUP BY ^ROLLUP (sex)", "grouping sets"],
  ["SELECT COUNT(*) FROM people GROUP BY ^(sex, member)", "rows"],
  ["SELECT ^COUNT(*) + 1 AS n FROM people", "aggregate"],
  ["SELECT SUM(^sex) FROM people", "SUM and AVG take numbers"],
  ["SELECT AVG(^joined) FROM people", "SUM and AVG take numbers"],
  ["SELECT SUM(^0) FROM people", "the same for every row"],
  ["SELECT AVG(^7) FROM people", "the same for every row"],
  ["SELECT ^MAX(age) FROM people", "the function max"],
  ["SELECT ^pg_catalog.count(*) FROM people", "pg_catalog.count"],
  ["SELECT COUNT(*) FROM people WHERE ^wages > 1", "no column wages"],
  ["SELECT COUNT(*) FROM people WHERE ^other.age > 1", "other.age"],
  ["SELECT COUNT(*) FROM people p WHERE ^people.age > 1", "people.age"],
  ["SELECT COUNT(*) FROM people WHERE ^id = 1", "no column id"],
  ["SELECT COUNT(*) FROM people WHERE ^ctid = 1", "no column ctid"],
  ["SELECT COUNT(*) FROM people WHERE age > ^param.x", "no parameter x"],
  ["SELECT COUNT(*) FROM people WHERE age > ^$1", "param.name"],
  ["SELECT COUNT(*) FROM people WHERE ^age", "a condition is expected"],
  ["SELECT COUNT(*) FROM people WHERE age ^= 'x'", "compared with"],
  ["SELECT COUNT(*) FROM people WHERE age ^= member", "compared with"],
  ["SELECT COUNT(*) FROM people WHERE age = ^NULL", "IS NULL"],
  ["SELECT COUNT(*) FROM people WHERE sex = ^'other'", "'female', 'male'"],
  ["SELECT COUNT(*) FROM people WHERE sex IN ('male', ^'other')", "domain of sex"],
  ["SELECT COUNT(*) FROM people WHERE sex ^< 'male'", "=, <> and IN"],
  ["SELECT COUNT(*) FROM people WHERE sex ^= region", "different domains"],
  ["SELECT COUNT(*) FROM people WHERE sex ^LIKE 'm%'", "operator"],
  ["SELECT COUNT(*) FROM people WHERE age ^IS DISTINCT FROM 3", "operator"],
  ["SELECT COUNT(*) FROM people WHERE age ^BETWEEN SYMMETRIC 1 AND 2", "operator"],
  ["SELECT COUNT(*) FROM people WHERE age ^= ANY(ARRAY[1])", "operator"],
  ["SELECT COUNT(*) FROM people WHERE age ^OPERATOR(pg_catalog.>) 3", "operator"],
  ["SELECT COUNT(*) FROM people WHERE age ^% 2 = 1", "expected here"],
  ["SELECT COUNT(*) FROM people WHERE age ^/ 0 = 1", "positive constant"],
  ["SELECT COUNT(*) FROM people WHERE age ^/ children = 1", "positive constant"],
  ["SELECT COUNT(*) FROM people WHERE balance ^/ 2 = 1", "could be negative"],
  ["SELECT COUNT(*) FROM people WHERE wage ^/ 2 = 1", "whole numbers"],
  ["SELECT COUNT(*) FROM people WHERE age > ^1e3", "exponent"],
  ["SELECT COUNT(*) FROM people WHERE wage > ^0.0000000000001", "decimal places"],
  ["SELECT COUNT(*) FROM people WHERE joined > ^'2020-02-30'", "'YYYY-MM-DD'"],
  ["SELECT COUNT(*) FROM people WHERE joined > DATE ^'now'", "'YYYY-MM-DD'"],
  ["SELECT COUNT(*) FROM people WHERE age > ^'3'::int", "date literal"],
  ["SELECT COUNT(*) FROM people WHERE ^age::bigint > 3", "date literal"],
  ["SELECT COUNT(*) FROM people WHERE joined > ^CURRENT_DATE", "time and the user"],
  ["SELECT COUNT(*) FROM people WHERE ^CASE WHEN member THEN age ELSE 0 END > 3", "CASE"],
  ["SELECT COUNT(*) FROM people WHERE (age ^> 3) = TRUE", "expected here"],
  [
    "SELECT COUNT(*) FROM people WHERE age * age * age * age * age * age * age * age * age ^* age * age > 3",
    "2^62",
  ],
  ["SELECT SUM(age ^* 99999999999999999) FROM people", "2^62"],
  [
    "SELECT COUNT(*) FROM people\nWHERE age > 3\n  AND (region = 'north') /* é */ AND ^nonsense = 1",
    "no column nonsense",
  ],
  ["SELECT COUNT(*) FROM people\nWHERE region = 'é' ^é", "not PostgreSQL"],
  ["^INSERT INTO people VALUES (1)", "only SELECT"],
  ["^COPY people TO PROGRAM 'id'", "only SELECT"],
  ["VALUES (^1)", "VALUES"],
  ["^", "no statement"],
  ["^-- nothing", "no statement"],
];

describe("refused SQL", () => {
  before(loadSqlParser);

  for (const [marked, reason] of refusals) {
    it(`says where and why: ${marked.replaceAll("\n", " ")}`, () => {
      const error = refusalOf(marked.replace("^", ""));
      expect(error.code).to.equal("sql_refused");
      expect(error.fields.reason).to.contain(reason);
      if (!marked.includes("^") || marked.startsWith("^")) return;
      const before = marked.slice(0, marked.indexOf("^")).split("\n");
      expect([error.fields.line, error.fields.column]).to.deep.equal([
        String(before.length),
        String([...before.at(-1)!].length + 1),
      ]);
    });
  }
});

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
    expect(parseSelect("SELECT COUNT(*) FROM people").table).to.equal("people");
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
