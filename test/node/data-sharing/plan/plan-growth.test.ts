/** Short texts that stand for much: they are refused, and soon. */
import { expect } from "chai";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import { refusal } from "./questions.ts";
import { clinicPlan } from "./random/clinic-plan.ts";

const nested = (times: number, of: (inner: string) => string, innermost: string) =>
  Array.from({ length: times }).reduce<string>((inner) => of(inner), innermost);
const many = (count: number, of: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => of(at)).join(", ");

describe("expressions that would grow without end", () => {
  before(loadSqlParser);

  const endless: Record<string, string> = {
    "GREATEST of many": `GREATEST(${many(40, (at) => `age * ${(at * 7) % 41} + ${(at * 13) % 37}`)})`,
    "nested ABS": nested(28, (inner) => `ABS(${inner})`, "delta"),
    "nested NULLIF": nested(28, (inner) => `NULLIF(${inner}, 3)`, "age"),
    "nested date_trunc": `${nested(20, (inner) => `date_trunc('month', ${inner})`, "day")} - day`,
    "nested CASE with a subject": nested(
      20,
      (inner) => `CASE ${inner} WHEN 1 THEN 5 WHEN 2 THEN 4 WHEN 3 THEN 7 ELSE 5 END`,
      "age",
    ),
    "nested BETWEEN": nested(
      14,
      (inner) => `CASE WHEN ${inner} BETWEEN 1 AND 3 THEN 1 ELSE 2 END`,
      "age + delta",
    ),
  };
  for (const [name, expression] of Object.entries(endless)) {
    it(`are refused: ${name}`, () => {
      const from = process.cpuUsage();
      const error = refusal(() => clinicPlan(`SELECT SUM(${expression}) AS s FROM visits`));
      const { user, system } = process.cpuUsage(from);
      expect(error.fields.reason).to.contain("parts");
      // Without a bound they take more than the age of the machine.
      expect((user + system) / 1_000).to.be.lessThan(1_000);
    });
  }

  it("are told from those that come to little", () => {
    for (const expression of [
      nested(14, (inner) => `CASE ${inner} WHEN 1 THEN 5 WHEN 2 THEN 5 WHEN 3 THEN 5 ELSE 5 END`, "age"),
      nested(14, (inner) => `CASE WHEN ${inner} IN (1, 2, 3, 4, 5, 6, 7) THEN 1 ELSE 1 END`, "age"),
    ])
      expect(
        refusal(() => clinicPlan(`SELECT SUM(${expression}) AS s FROM visits`)).fields.reason,
      ).to.contain("the same for every row");
    expect(
      clinicPlan(`SELECT SUM(LEAST(${many(300, () => "delta")})) AS s FROM visits`).vectors[1],
    ).to.deep.include({
      of: { kind: "column", name: "delta" },
    });
    expect(
      clinicPlan(`SELECT COUNT(*) AS n FROM visits WHERE age IN (${many(900, String)})`).vectors,
    ).to.have.length(1);
  });

  it("take no part in joins either", () => {
    const joins = (count: number) =>
      many(count, (at) => `JOIN rates r${at} ON r${at}.years = v.age + ${at}`).replaceAll(",", "");
    expect(
      refusal(() => clinicPlan(`SELECT COUNT(*) AS n FROM visits v ${joins(9)}`)).fields.reason,
    ).to.contain("more than 8 tables");
    const self = many(8, (at) => `JOIN visits v${at} ON v.person = v${at}.person`).replaceAll(",", "");
    expect(refusal(() => clinicPlan(`SELECT COUNT(*) AS n FROM visits v ${self}`)).fields.reason).to.contain(
      "more than 8 tables",
    );
    const keys = many(5, (at) => `AND d.region = v.region AND v.age + ${at} = d.income`).replaceAll(",", "");
    expect(
      refusal(() => clinicPlan(`SELECT COUNT(*) AS n FROM visits v JOIN districts d ON TRUE ${keys}`)).fields
        .reason,
    ).to.contain("more than 4 columns");
    const columns = many(65, (at) => `SUM(age * ${at + 1}) AS a${at}`);
    const wanted = many(65, (at) => `SUM(a${at}) AS s${at}`);
    const subquery = `(SELECT person, ${columns} FROM visits GROUP BY person) p`;
    expect(refusal(() => clinicPlan(`SELECT ${wanted} FROM ${subquery}`)).fields.reason).to.contain(
      "more than 64 columns",
    );
  });
});
