/** HAVING, ORDER BY and LIMIT as the plan has them. */
import { expect } from "chai";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import { planSchema } from "../../../../node/data-sharing/plan/plan-schema.ts";
import { expectRefusal } from "./questions.ts";
import { clinicPlan } from "./random/clinic-plan.ts";

const grouped = (rest: string, columns = "region, COUNT(*) AS n") =>
  clinicPlan(`SELECT ${columns} FROM visits GROUP BY region ${rest}`);

describe("HAVING, ORDER BY and LIMIT", () => {
  before(loadSqlParser);

  it("act on the columns that SELECT shows", () => {
    const plan = grouped("HAVING COUNT(*) > 20 ORDER BY n DESC, region LIMIT 3");
    expect(plan.outputs.map(({ name }) => name)).to.deep.equal(["region", "n"]);
    expect(plan.post).to.deep.equal({
      having: { kind: "compare", operator: ">", output: 1, value: "20" },
      order: [
        { output: 1, descending: true },
        { output: 0, descending: false },
      ],
      limit: 3,
    });
    expect(plan.releases).to.have.length(1);
  });

  it("cost no more for a sum that SELECT shows than for none", () => {
    const plan = grouped("HAVING SUM(age) > 3 ORDER BY AVG(age)", "region, SUM(age) AS s, COUNT(*) AS n");
    expect(plan.outputs.filter(({ shown }) => !shown)).to.deep.equal([
      { kind: "average", name: "hidden_4", shown: false, sum: 2, count: 0, scale: 0 },
    ]);
    expect(plan.post.having).to.include({ output: 1 });
    expect(plan.post.order).to.deep.equal([{ output: 3, descending: false }]);
  });

  it("release what SELECT does not show, without showing it", () => {
    const plan = grouped(
      "HAVING AVG(cost) > 1.50 AND NOT SUM(age) <= 2 ORDER BY MAX(age), region",
      "COUNT(*) AS n",
    );
    expect(plan.outputs.map(({ kind, shown }) => `${kind} ${shown}`).sort()).to.deep.equal(
      ["average false", "count true", "key false", "quantile false", "sum false"].sort(),
    );
    expect(plan.releases).to.have.length(5);
    const { having } = plan.post;
    expect(JSON.stringify(having)).to.contain('"value":"1.5"');
    expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).to.deep.equal(plan);
  });

  it("give hidden columns names that SELECT leaves free", () => {
    const plan = grouped(
      "HAVING SUM(age) > 2 AND SUM(cost) > 1",
      "COUNT(*) AS hidden_2, COUNT(cost) AS hidden_3",
    );
    expect(new Set(plan.outputs.map(({ name }) => name)).size).to.equal(4);
    expect(planSchema.safeParse(plan).success).to.equal(true);
  });

  it("mean the candidates that SELECT has", () => {
    const plan = clinicPlan(
      "SELECT MEDIAN(cost) AS m FROM visits HAVING MEDIAN(cost) > 1 ORDER BY MEDIAN(cost)",
      {
        candidates: { m: 0.5 },
      },
    );
    expect(plan.outputs).to.have.length(1);
    expect(plan.vectors[1]).to.include({ step: "50" });
    expect(clinicPlan("SELECT MEDIAN(cost) AS constructor FROM visits").vectors).to.have.length(2);
  });

  it("count places by SELECT, where a histogram is one", () => {
    const columns = "HISTOGRAM(age, 0, 6, 3) AS h, COUNT(*) AS n, SUM(age) AS s";
    expect(grouped("ORDER BY 3, 2 DESC, h_2", columns).post.order).to.deep.equal([
      { output: 4, descending: false },
      { output: 3, descending: true },
      { output: 1, descending: false },
    ]);
  });

  it("turn comparisons, and know dates and parameters", () => {
    const parameters = { least: { type: "integer" as const, minimum: 0, maximum: 50, default: 7 } };
    const plan = clinicPlan(
      "SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING param.least <= COUNT(*) AND COUNT(*) <> 9 LIMIT param.least",
      { parameters },
    );
    expect(plan.post).to.deep.equal({
      having: {
        kind: "and",
        operands: [
          { kind: "compare", operator: ">=", output: 1, value: "7" },
          { kind: "not", operand: { kind: "compare", operator: "=", output: 1, value: "9" } },
        ],
      },
      order: [],
      limit: 7,
    });
  });

  it("compare dates as WHERE does, by days", () => {
    const having = (condition: string) =>
      clinicPlan(`SELECT region, MEDIAN(day) AS middle FROM visits GROUP BY region HAVING ${condition}`).post;
    const expected = { kind: "compare", operator: ">=", output: 1, value: "19000" };
    for (const condition of [
      "MEDIAN(day) >= DATE '2022-01-08'",
      "MEDIAN(day) >= '2022-01-08'",
      "DATE '2022-01-08' <= MEDIAN(day)",
      "'2022-01-08' <= MEDIAN(day)",
    ])
      expect(having(condition).having, condition).to.deep.equal(expected);
    const between = having(
      "MEDIAN(day) BETWEEN '1969-12-31' AND DATE '2022-01-08' AND NOT MAX(day) = '1970-01-01'",
    );
    expect(JSON.stringify(between.having)).to.contain('"value":"-1"').and.to.contain('"value":"0"');
  });

  const refusals: [string, string][] = [
    ["HAVING MEDIAN(day) > ^19000", "a date is compared with a number"],
    ["HAVING ^19000 < MEDIAN(day)", "a date is compared with a number"],
    ["HAVING COUNT(*) > ^DATE '2022-01-08'", "a number is compared with a date"],
    ["HAVING COUNT(*) > ^'3'", "a number is compared with"],
    ["HAVING COUNT(*) > ^TRUE", "a number is compared with"],
    ["HAVING MEDIAN(day) > ^'2022-02-30'", "and exists"],
    ["HAVING ^MEDIAN(day) > NULL", "a number or a date"],
    ["HAVING ^region = 'north'", "belong in WHERE"],
    ["HAVING ^n > 3", "no column n"],
    ["HAVING ^age > 3", "stands not in GROUP BY"],
    ["HAVING ^COUNT(*) > SUM(age)", "with a number"],
    ["HAVING COUNT(*) ^IN (1, 2)", "HAVING compares by"],
    ["HAVING COUNT(*) ^IS NULL", "HAVING compares"],
    ["HAVING ^TRUE", "HAVING compares"],
    ["HAVING ^HISTOGRAM(age, 0, 6, 3) > 2", "a histogram is not compared"],
    ["HAVING ^COUNT(*) + 1 > 2", "an aggregate"],
    ["HAVING SUM(^icd) > 2", "SUM takes numbers"],
    ["ORDER BY ^age", "stands not in GROUP BY"],
    ["ORDER BY ^3", "does not have"],
    ["ORDER BY ^0", "does not have"],
    ["ORDER BY ^1.5", "does not have"],
    ["ORDER BY ^'n'", "does not have"],
    ["ORDER BY ^n + 1", "no column n"],
    ["ORDER BY ^n NULLS FIRST", "NULLS FIRST"],
    ["ORDER BY n USING ^<", "USING"],
    ["LIMIT ^-1", "from 0"],
    ["LIMIT ^1.5", "whole number"],
    ["LIMIT ^NULL", "whole number"],
    ["LIMIT ^'3'", "whole number"],
    ["LIMIT ^n", "no column n"],
    ["LIMIT ^999999999", "from 0"],
    ["LIMIT 3 OFFSET ^1", "OFFSET"],
    ["ORDER BY n FETCH FIRST ^3 ROWS WITH TIES", "WITH TIES"],
  ];
  for (const [marked, reason] of refusals)
    it(`are refused with place and reason: ${marked}`, () => {
      expectRefusal(`SELECT region, COUNT(*) AS n FROM visits GROUP BY region ${marked}`, reason, (sql) =>
        clinicPlan(sql),
      );
    });
});
