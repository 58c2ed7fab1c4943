/** One question, however it is written, has one plan. */
import { expect } from "chai";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import { planHash } from "../../../../node/data-sharing/plan/plan-hash.ts";
import { TrustedDataError } from "../../../../node/errors.ts";
import { clinicPlan } from "./random/clinic-plan.ts";
import { Draw } from "./random/draw.ts";
import { Questions } from "./random/questions.ts";

const questions = 250;

/** Null where a way of writing leaves the subset: a name alone may mean two columns. */
function hashOf(sql: string): string | null {
  try {
    return planHash(clinicPlan(sql));
  } catch (error) {
    expect(error, sql).to.be.instanceOf(TrustedDataError);
    return null;
  }
}

describe("the plan of a question", () => {
  before(loadSqlParser);

  it("is one for all ways of writing random questions", () => {
    let compared = 0;
    const hashes = new Set<string>();
    for (let seed = 1; seed <= questions; seed++) {
      const [first, second] = [1, 2].map(
        (style) => new Questions(new Draw(seed), new Draw(1_000 * seed + style)).question().sql,
      ) as [string, string];
      const [one, other] = [hashOf(first), hashOf(second)];
      if (one === null || other === null) continue;
      compared++;
      hashes.add(one);
      expect(other, `${first}\n${second}`).to.equal(one);
    }
    expect(compared).to.be.greaterThan(questions * 0.6);
    // Different ones, that is: nothing makes all plans equal.
    expect(hashes.size).to.be.greaterThan(compared * 0.95);
  });

  const joined = "FROM visits v JOIN patients p ON v.person = p.person";
  const counted = "(SELECT person, COUNT(*) AS n, SUM(age) AS s FROM visits GROUP BY person)";
  const equal: [string, string][] = [
    ["SELECT COUNT(*) AS n FROM visits", "select Count(*) n from Visits as t;"],
    [
      `SELECT p.sex, AVG(v.cost) AS c ${joined} GROUP BY p.sex`,
      "SELECT sex, AVG(cost) AS c FROM patients JOIN visits USING (person) GROUP BY 1",
    ],
    [`SELECT COUNT(*) AS n ${joined} WHERE v.age > 3`, `SELECT COUNT(*) AS n ${joined} AND 3 < v.age`],
    [`SELECT COUNT(*) AS n ${joined}`, `SELECT COUNT(*) AS n ${joined} AND p.person = v.person`],
    [
      "SELECT SUM(v.age * w.delta) AS s FROM visits v JOIN visits w USING (person) WHERE w.acute",
      "SELECT SUM(v.delta * w.age) AS s FROM visits v JOIN visits w USING (person) WHERE v.acute",
    ],
    [
      "SELECT d.zone, COUNT(*) AS n FROM visits v JOIN districts d ON v.region = d.region GROUP BY d.zone",
      "SELECT zone, COUNT(*) AS n FROM districts JOIN visits ON districts.region = visits.region GROUP BY zone",
    ],
    [
      "SELECT d.zone, COUNT(*) AS n FROM visits v JOIN districts d ON v.region = d.region GROUP BY d.zone",
      "SELECT d.zone, COUNT(*) AS n FROM visits v JOIN districts d USING (region) GROUP BY d.zone",
    ],
    [
      "SELECT COUNT(*) AS n FROM visits v JOIN districts d USING (region) JOIN holidays h USING (day)",
      "SELECT COUNT(*) AS n FROM visits v JOIN holidays h USING (day) JOIN districts d USING (region)",
    ],
    [
      "SELECT COUNT(*) AS n FROM visits v JOIN prices p ON v.cost = p.step AND v.cost = p.band",
      "SELECT COUNT(*) AS n FROM visits v JOIN prices p ON v.cost = p.band AND p.step = v.cost",
    ],
    [
      `SELECT SUM(n) AS t FROM ${counted} q`,
      "SELECT SUM(c) AS t FROM (SELECT COUNT(*) AS c, person FROM visits GROUP BY person) r",
    ],
    [
      `SELECT COUNT(*) AS t FROM ${counted} q`,
      "SELECT COUNT(*) AS t FROM (SELECT person FROM visits GROUP BY person) q",
    ],
    [
      "SELECT SUM(a.n - b.n) AS t FROM (SELECT person, COUNT(*) AS n FROM visits GROUP BY person) a JOIN (SELECT person, COUNT(*) AS n FROM patients GROUP BY person) b USING (person)",
      "SELECT SUM(x.m - y.k) AS t FROM (SELECT COUNT(*) AS k, person FROM patients GROUP BY person) y JOIN (SELECT COUNT(*) AS m, person FROM visits GROUP BY person) x ON x.person = y.person",
    ],
    [
      "SELECT SUM(COALESCE(cost, 0)) AS s FROM visits",
      "SELECT SUM(CASE WHEN cost IS NULL THEN 0 ELSE cost END) AS s FROM visits",
    ],
    [
      "SELECT SUM(COALESCE(cost, 0)) AS s FROM visits",
      "SELECT SUM(CASE WHEN NOT cost IS NULL THEN cost ELSE 0 END) AS s FROM visits",
    ],
    ["SELECT SUM(COALESCE(age, 0)) AS s FROM visits", "SELECT SUM(age) AS s FROM visits"],
    [
      "SELECT COUNT(NULLIF(age, 3)) AS n FROM visits",
      "SELECT COUNT(CASE WHEN age = 3 THEN NULL ELSE age END) AS n FROM visits",
    ],
    ["SELECT SUM(GREATEST(age, 3)) AS s FROM visits", "SELECT SUM(GREATEST(3, age, 3)) AS s FROM visits"],
    [
      "SELECT COUNT(*) AS n FROM visits WHERE region LIKE 'n%'",
      "SELECT COUNT(*) AS n FROM visits WHERE region = 'north'",
    ],
    [
      "SELECT COUNT(*) AS n FROM visits WHERE region LIKE '%'",
      "SELECT COUNT(*) AS n FROM visits WHERE region IS NOT NULL",
    ],
    [
      "SELECT COUNT(*) AS n FROM visits WHERE day >= DATE '2020-01-01'",
      "SELECT COUNT(*) AS n FROM visits WHERE '2020-01-01' <= day",
    ],
    [
      "SELECT COUNT(*) AS n FROM visits WHERE day >= DATE '2020-01-01'",
      "SELECT COUNT(*) AS n FROM visits WHERE day - DATE '2019-12-31' >= 1",
    ],
    [
      "SELECT acute, region, COUNT(*) AS n FROM visits GROUP BY acute, region",
      "SELECT acute, region, COUNT(*) AS n FROM visits GROUP BY 2, 1, region",
    ],
    [
      "SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING COUNT(*) > 20 AND SUM(age) > 5",
      "SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING 5 < SUM(age) AND 20.0 < COUNT(*)",
    ],
    [
      "SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING AVG(cost) > 1 OR SUM(age) > 5",
      "SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING SUM(age) > 5 OR AVG(cost) > 1 OR SUM(age) > 5",
    ],
    [
      "SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING AVG(cost) BETWEEN 1 AND 2",
      "SELECT region, COUNT(*) AS n FROM visits GROUP BY region HAVING AVG(cost) >= 1 AND AVG(cost) <= 2",
    ],
    [
      "SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY n DESC, region",
      "SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY COUNT(*) DESC, 1 ASC, n",
    ],
  ];
  for (const [one, other] of equal)
    it(`is the same for ${one} and ${other}`, () => {
      expect(clinicPlan(other)).to.deep.equal(clinicPlan(one));
      expect(planHash(clinicPlan(other))).to.equal(planHash(clinicPlan(one)));
    });

  const different: [string, string][] = [
    [`SELECT SUM(v.age) AS s ${joined}`, `SELECT SUM(p.age) AS s ${joined}`],
    [
      "SELECT SUM(v.age) AS s FROM visits v JOIN visits w USING (person) WHERE w.acute",
      "SELECT SUM(v.age) AS s FROM visits v JOIN visits w USING (person) WHERE v.acute",
    ],
    [
      "SELECT COUNT(*) AS n FROM visits v JOIN districts d ON v.region = d.region",
      "SELECT COUNT(*) AS n FROM visits v WHERE v.region IN ('north', 'south')",
    ],
    [
      "SELECT COUNT(*) AS n FROM visits v JOIN prices p ON v.cost = p.step AND v.age = p.band",
      "SELECT COUNT(*) AS n FROM visits v JOIN prices p ON v.age = p.step AND v.cost = p.band",
    ],
    [
      "SELECT COUNT(*) AS n FROM visits",
      "SELECT COUNT(*) AS n FROM (SELECT person FROM visits GROUP BY person) p",
    ],
    ["SELECT COUNT(cost) AS n FROM visits", "SELECT COUNT(*) AS n FROM visits WHERE cost IS NOT NULL"],
    ["SELECT SUM(GREATEST(age, delta)) AS s FROM visits", "SELECT SUM(LEAST(age, delta)) AS s FROM visits"],
    ["SELECT SUM(age / 2 * 2) AS s FROM visits", "SELECT SUM(age * 2 / 2) AS s FROM visits"],
    ["SELECT VAR_POP(age) AS s FROM visits", "SELECT VAR_SAMP(age) AS s FROM visits"],
    ["SELECT MIN(age) AS s FROM visits", "SELECT MAX(age) AS s FROM visits"],
    [
      "SELECT CASE WHEN acute THEN 'a' ELSE 'b' END AS k, COUNT(*) AS n FROM visits GROUP BY k",
      "SELECT CASE WHEN acute THEN 'c' ELSE 'd' END AS k, COUNT(*) AS n FROM visits GROUP BY k",
    ],
    [
      "SELECT acute, COUNT(*) AS n FROM visits GROUP BY acute",
      "SELECT acute::integer AS acute, COUNT(*) AS n FROM visits GROUP BY 1",
    ],
  ];
  for (const [one, other] of different)
    it(`differs for ${one} and ${other}`, () => {
      expect(planHash(clinicPlan(other))).not.to.equal(planHash(clinicPlan(one)));
    });
});
