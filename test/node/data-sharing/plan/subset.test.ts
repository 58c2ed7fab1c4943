/** What the subset holds beside counts and sums over one table: that it compiles, and to what. */
import { expect } from "chai";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import { planSchema } from "../../../../node/data-sharing/plan/plan-schema.ts";
import { declaredKey, planOf } from "./questions.ts";
import { clinicPlan } from "./random/clinic-plan.ts";

const labelsOf = (key: string, from = "visits") =>
  declaredKey(clinicPlan(`SELECT ${key} AS k, COUNT(*) AS n FROM ${from} GROUP BY k`)).labels;

describe("the SQL subset", () => {
  before(loadSqlParser);

  it("joins tables on the person, and rows multiply", () => {
    const plan = clinicPlan(
      "SELECT p.sex, SUM(v.age) AS s FROM visits v JOIN patients p USING (person) GROUP BY p.sex",
    );
    expect(plan.rows.sources).to.deep.equal([
      { kind: "table", table: "patients", rowsPerPerson: 2 },
      { kind: "table", table: "visits", rowsPerPerson: 3 },
    ]);
    expect(plan.releases[1]).to.include({ sensitivitySquared: String((2 * 3 * 6) ** 2) });
  });

  it("joins public tables, by as many rows as one key has", () => {
    const plan = clinicPlan(
      "SELECT zone, COUNT(*) AS n FROM visits v JOIN districts d ON v.region = d.region GROUP BY zone",
    );
    // Of the region in the domain alone; codes of zones by their texts.
    expect(plan.rows.publicJoins).to.deep.equal([
      {
        on: [{ kind: "column", name: "region" }],
        columns: ["zone"],
        rows: [
          ["0", "0"],
          ["0", "1"],
          ["0", "1"],
          ["1", "0"],
        ],
      },
    ]);
    expect(declaredKey(plan).labels).to.deep.equal(["a", "b", "c"]);
    expect(plan.releases[0]).to.include({ sensitivitySquared: String((3 * 3) ** 2) });
  });

  it("takes one row a person from subqueries, with no more noise than a row needs", () => {
    const plan = clinicPlan(
      "SELECT n, COUNT(*) AS people, AVG(total) AS t FROM (SELECT person, COUNT(*) AS n, SUM(age) AS total FROM visits WHERE acute GROUP BY person) p GROUP BY n",
    );
    expect(declaredKey(plan).labels).to.deep.equal(["1", "2", "3"]);
    expect(plan.vectors[1]).to.include({ low: "0", high: "18", centre: "9" });
    expect(plan.releases.map((one) => one.mechanism === "gaussian" && one.sensitivitySquared)).to.deep.equal([
      "1",
      "81",
    ]);
  });

  it("knows the domain of a key that is computed", () => {
    expect(labelsOf("CASE WHEN age < 2 THEN 'low' WHEN age < 5 THEN 'mid' ELSE 'high' END")).to.deep.equal([
      "high",
      "low",
      "mid",
    ]);
    expect(labelsOf("CASE region WHEN 'north' THEN region ELSE 'other' END")).to.deep.equal([
      "north",
      "other",
    ]);
    expect(labelsOf("COALESCE(region, 'none')")).to.deep.equal(["north", "south", "west", "none"]);
    expect(labelsOf("GREATEST(age, 4)")).to.deep.equal(["4", "5", "6"]);
    expect(labelsOf("NULLIF(age, 3)")).to.deep.equal(["0", "1", "2", "4", "5", "6"]);
    expect(labelsOf("age % 3")).to.deep.equal(["0", "1", "2"]);
    expect(labelsOf("ABS(delta)")).to.deep.equal(["0", "1", "2", "3", "4"]);
    expect(labelsOf("EXTRACT(year FROM day)")).to.deep.equal(["2019", "2020"]);
    expect(labelsOf("date_trunc('month', day)")).to.deep.equal(["2019-12-01", "2020-01-01"]);
    expect(labelsOf("date_trunc('week', day)")).to.deep.equal(["2019-12-23", "2019-12-30", "2020-01-06"]);
    expect(labelsOf("acute::integer")).to.deep.equal(["0", "1"]);
    expect(labelsOf("income", "visits JOIN districts USING (region)")).to.deep.equal(["-1", "3", "9"]);
    expect(labelsOf("closed", "visits JOIN holidays USING (day)")).to.deep.equal(["false", "true"]);
  });

  it("leaves keys open where there is no end to them, behind a threshold on people", () => {
    for (const key of ["icd", "ward", "NULLIF(icd, 'I21')", "COALESCE(ward, age)"]) {
      const plan = clinicPlan(`SELECT ${key} AS k, COUNT(*) AS n FROM visits GROUP BY k`);
      expect(plan.keys[0], key).to.include({ kind: "open" });
      expect(plan.vectors[plan.releases[plan.threshold!.release]!.vector]).to.deep.equal({ kind: "people" });
      expect(BigInt(plan.threshold!.minimum) > 10n).to.equal(true);
    }
    // The noise on the number of groups would take all room that there is for them.
    expect(() =>
      clinicPlan("SELECT icd, COUNT(*) AS n FROM visits GROUP BY icd", { microRho: "10" }),
    ).to.throw("none could be named");
  });

  it("matches patterns against the domain", () => {
    const matched = (pattern: string) =>
      planOf(`SELECT COUNT(*) AS n FROM people WHERE region LIKE '${pattern}'`).rows.filter;
    const region = { kind: "column", name: "region" };
    expect(matched("%th")).to.deep.equal({ kind: "in", expression: region, values: ["0", "2"] });
    expect(matched("_est")).to.deep.equal({
      kind: "compare",
      operator: "=",
      left: region,
      right: { kind: "constant", value: "3" },
    });
    expect(matched("")).to.deep.equal({ kind: "never" });
    expect(matched("NORTH")).to.deep.equal({ kind: "never" });
  });

  it("releases quantiles, variances and histograms", () => {
    const plan = clinicPlan(
      "SELECT MIN(cost) AS low, MEDIAN(cost) AS middle, PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY cost DESC) AS top, MAX(day) AS last, STDDEV_POP(age) AS s, HISTOGRAM(cost, 0, 2, 4) AS h FROM visits",
      { candidates: { low: 0.5, middle: 0.1 } },
    );
    expect(plan.outputs.map(({ kind }) => kind)).to.deep.equal([
      ...["quantile", "quantile", "quantile", "quantile", "variance"],
      ...["count", "count", "count", "count"],
    ]);
    expect(
      plan.releases.flatMap((one) => (one.mechanism === "exponential" ? [one.quantile] : [])),
    ).to.deep.equal([
      { numerator: "0", denominator: "1" },
      { numerator: "1", denominator: "2" },
      { numerator: "1", denominator: "10" },
      { numerator: "1", denominator: "1" },
    ]);
    expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).to.deep.equal(plan);
  });

  it("takes parameters wherever a constant stands", () => {
    const parameters = {
      n: { type: "integer" as const, minimum: 1, maximum: 5, default: 3 },
      text: { type: "text" as const, values: ["north", "south"], default: "north" },
      pattern: { type: "text" as const, values: ["n%"], default: "n%" },
      unit: { type: "text" as const, values: ["month"], default: "month" },
      since: { type: "text" as const, values: ["2020-01-01"], default: "2020-01-01" },
    };
    const pairs: [string, string][] = [
      ["SUM(age * param.n) AS s FROM visits", "SUM(age * 3) AS s FROM visits"],
      ["SUM(age / param.n) AS s FROM visits", "SUM(age / 3) AS s FROM visits"],
      ["SUM(COALESCE(cost, param.n)) AS s FROM visits", "SUM(COALESCE(cost, 3)) AS s FROM visits"],
      [
        "COUNT(CASE WHEN region = param.text THEN 1 END) AS n FROM visits",
        "COUNT(CASE WHEN region = 'north' THEN 1 END) AS n FROM visits",
      ],
      [
        "COUNT(*) AS n FROM visits WHERE region LIKE param.pattern",
        "COUNT(*) AS n FROM visits WHERE region LIKE 'n%'",
      ],
      ["COUNT(*) AS n FROM visits WHERE icd = param.text", "COUNT(*) AS n FROM visits WHERE icd = 'north'"],
      [
        "COUNT(*) AS n FROM visits WHERE day >= param.since",
        "COUNT(*) AS n FROM visits WHERE day >= '2020-01-01'",
      ],
      [
        "COUNT(*) AS n FROM visits WHERE age BETWEEN 1 AND param.n",
        "COUNT(*) AS n FROM visits WHERE age BETWEEN 1 AND 3",
      ],
      [
        "COUNT(*) AS n FROM visits WHERE age IN (param.n, 1)",
        "COUNT(*) AS n FROM visits WHERE age IN (1, 3)",
      ],
      [
        "date_trunc(param.unit, day) AS k, COUNT(*) AS n FROM visits GROUP BY k",
        "date_trunc('month', day) AS k, COUNT(*) AS n FROM visits GROUP BY k",
      ],
      [
        "COUNT(*) AS n FROM visits v JOIN rates r ON r.years = v.age + param.n",
        "COUNT(*) AS n FROM visits v JOIN rates r ON r.years = v.age + 3",
      ],
      [
        "SUM(n) AS s FROM (SELECT person, COUNT(*) AS n FROM visits WHERE age > param.n GROUP BY person) p",
        "SUM(n) AS s FROM (SELECT person, COUNT(*) AS n FROM visits WHERE age > 3 GROUP BY person) p",
      ],
      ["HISTOGRAM(age, 0, 6, param.n) AS h FROM visits", "HISTOGRAM(age, 0, 6, 3) AS h FROM visits"],
    ];
    for (const [one, other] of pairs)
      expect(clinicPlan(`SELECT ${one}`, { parameters }), one).to.deep.equal(clinicPlan(`SELECT ${other}`));
  });
});
