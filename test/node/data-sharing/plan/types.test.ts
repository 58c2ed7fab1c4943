/** Where PostgreSQL would mean something else, or a value could leave what engines hold, the question is refused. */
import { expect } from "chai";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import { declaredKey, expectRefusal, refusal } from "./questions.ts";
import { clinic } from "./random/clinic.ts";
import { clinicPlan } from "./random/clinic-plan.ts";

const sum = (expression: string, from = "visits") => `SELECT SUM(${expression}) AS s FROM ${from}`;
const by = (key: string, from = "visits") => `SELECT ${key} AS k, COUNT(*) AS n FROM ${from} GROUP BY k`;
const perPerson = (column: string) => `(SELECT person, ${column} AS c FROM visits GROUP BY person) p`;
const wide = 2 ** 47;
const large = {
  ...clinic,
  columns: {
    ...clinic.columns,
    big: { type: "integer" as const, bounds: [-wide, wide] as [number, number], nullable: false },
    vast: { type: "integer" as const, bounds: [0, wide] as [number, number], nullable: true },
  },
};

describe("whole numbers", () => {
  before(loadSqlParser);

  // PostgreSQL divides numerics exactly, and integers with a remainder.
  const refused = [
    sum("age ^/ 2.0"),
    sum("age * 1.0 ^/ 4"),
    sum("COALESCE(age, 2.0) ^/ 4"),
    sum("CASE WHEN acute THEN age ELSE 1.0 END ^/ 4"),
    sum("GREATEST(age, 1.0) ^/ 4"),
    sum("ABS(age * 1.0) ^/ 4"),
    sum("EXTRACT(year FROM day) ^/ 10"),
    sum("date_part('year', day) ^/ 10"),
    sum("c ^/ 2", perPerson("SUM(age * 1.0)")),
    sum("c ^/ 2", perPerson("MAX(EXTRACT(year FROM day))")),
    // Of PostgreSQL's bigint the SUM is a numeric.
    sum("c ^/ 2", perPerson("SUM(age)")),
    sum("NULLIF(age, 2.0) ^/ 2"),
    sum("cost ^/ 2"),
  ];
  for (const marked of refused)
    it(`alone are divided: ${marked}`, () =>
      expectRefusal(marked, "only whole numbers", (sql) => clinicPlan(sql)));

  const divided = [
    sum("age / 2"),
    sum("(age + 10) / 2"),
    sum("EXTRACT(year FROM day)::integer / 10"),
    sum("(age * 2.0)::integer / 3"),
    sum("(day - DATE '2000-01-01') / 7"),
    sum("c::integer / 2", perPerson("SUM(age)")),
    sum("c / 2", perPerson("COUNT(*)")),
    sum("c / 2", perPerson("MAX(age)")),
    sum("NULLIF(age, 2) / 2"),
    sum("years / 2", "visits JOIN rates ON age = years"),
    sum("acute::integer / 2 + age"),
  ];
  for (const sql of divided)
    it(`are divided: ${sql}`, () => expect(clinicPlan(sql).vectors).to.have.length(2));

  it("and others have remainders alike", () => {
    expect(declaredKey(clinicPlan(by("EXTRACT(dow FROM day) % 2"))).labels).to.deep.equal(["0", "1"]);
  });
});

describe("dates", () => {
  before(loadSqlParser);

  const refused = [
    by("day ^+ 100000000"),
    by("day ^- 1000000"),
    "SELECT MAX(day ^+ 10000000) AS d FROM visits",
    "SELECT MIN(day ^+ age * 1000000) AS d FROM visits",
    sum("EXTRACT(year FROM day ^+ 10000000)"),
  ];
  for (const marked of refused)
    it(`stay in the years that engines agree on: ${marked}`, () =>
      expectRefusal(marked, "years 1 to 9999", (sql) => clinicPlan(sql)));

  it("begin in the year 1, as PostgreSQL has no year 0", () => {
    expectRefusal("SELECT COUNT(*) AS n FROM visits WHERE day > DATE ^'0000-12-31'", "exists", (sql) =>
      clinicPlan(sql),
    );
    expect(
      clinicPlan("SELECT COUNT(*) AS n FROM visits WHERE day > DATE '0001-01-01'").vectors,
    ).to.have.length(1);
  });
});

describe("values that could grow too large", () => {
  before(loadSqlParser);

  const refused: Record<string, string> = {
    "are looked at in NULLIF": sum("^NULLIF(big, cost * 0.0000000001)"),
    "are looked at in CASE with a subject": sum("CASE big ^WHEN cost * 0.0000000001 THEN 1 ELSE 2 END"),
    "are looked at in LEAST": sum("^LEAST(big * 22001 - vast * 9000, vast * 18000 - big * 12000)"),
    "are looked at in keys of public tables":
      "SELECT COUNT(*) AS n FROM visits v JOIN steps s ON v.big ^= s.step",
  };
  const publicTables = {
    steps: { columns: [{ name: "step", type: "decimal" as const, scale: 6 }], rows: [[0.5], [1]] },
  };
  for (const [name, marked] of Object.entries(refused))
    it(name, () => expectRefusal(marked, "2^62", (sql) => clinicPlan(sql, { publicTables }, large)));

  it("are not joined with where nobody says how large they are", () => {
    const error = refusal(() => clinicPlan("SELECT COUNT(*) AS n FROM visits JOIN prices ON ward = step"));
    expect(error.code).to.equal("bounds_missing");
    expect(
      clinicPlan("SELECT COUNT(*) AS n FROM visits JOIN rates ON ward = years").rows.publicJoins,
    ).to.have.length(1);
  });
});
