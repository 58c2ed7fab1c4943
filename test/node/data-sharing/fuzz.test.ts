/** A short run of `npm run fuzz` (docs/attacks.md) from a random seed, and that it would see what it is there for. */
import { randomInt } from "node:crypto";
import { expect } from "chai";
import { loadSqlParser } from "../../../node/data-sharing/plan/parse-sql.ts";
import { type Engine, startDuckDb, type World } from "../../fuzz/engines.ts";
import { difference, expectationOf } from "../../fuzz/read-alike.ts";
import { renderFuzzReport } from "../../fuzz/report.ts";
import { runFuzz } from "../../fuzz/suite.ts";
import { edgeTables, planFor } from "../../fuzz/world.ts";
import { Draw } from "./plan/random/draw.ts";

describe("random SQL and manifests", () => {
  it("end in a plan or a refusal, and mean the same to DuckDB and PostgreSQL", async function () {
    // Some 5 seconds of CPU, many more where others want the CPU, too.
    this.timeout(180_000);
    const report = await runFuzz({ cases: 1_000, seed: randomInt(2 ** 31 - 1) });
    expect(report.findings, renderFuzzReport(report)).to.deep.equal([]);
    expect(report.sql.cases + report.manifests.cases).to.be.at.least(1_000);
    expect(report.compared.both, renderFuzzReport(report)).to.be.greaterThan(10);
    expect(report.manifests.accepted).to.be.greaterThan(20);
  });
});

describe("a statement that an engine reads differently", () => {
  let duck: Engine;
  const world: World = { tables: edgeTables(new Draw(1), 9), integerType: "INTEGER" };

  before(async () => {
    await loadSqlParser();
    duck = await startDuckDb();
    await duck.load([world]);
  });
  after(() => duck.close());

  /** What the plan means, and another reading of it. */
  const readings: [string, string][] = [
    [
      "SELECT COUNT(*) AS n FROM visits v JOIN patients USING (person)",
      "SELECT COUNT(*) AS n FROM visits SEMI JOIN patients USING (person)",
    ],
    ["SELECT SUM(age / 2) AS s FROM visits", "SELECT SUM(age / 2.0) AS s FROM visits"],
    ["SELECT AVG(delta) AS m FROM visits", "SELECT AVG(COALESCE(delta, 0)) AS m FROM visits"],
    ["SELECT VARIANCE(age) AS v FROM visits", "SELECT VAR_POP(age) AS v FROM visits"],
    ["SELECT MAX(age) AS m FROM visits", "SELECT MIN(age) AS m FROM visits"],
    [
      "SELECT region, COUNT(*) AS n FROM visits GROUP BY region",
      "SELECT region, COUNT(*) AS n FROM visits WHERE region <> 'south' GROUP BY region",
    ],
    [
      "SELECT region, COUNT(*) AS n FROM visits WHERE region = 'north' GROUP BY region",
      "SELECT region, COUNT(*) AS n FROM visits GROUP BY region",
    ],
    [
      "SELECT age, COUNT(*) AS n FROM visits GROUP BY age HAVING COUNT(*) > 1",
      "SELECT age, COUNT(*) AS n FROM visits GROUP BY age",
    ],
    [
      "SELECT age, COUNT(*) AS n FROM visits GROUP BY age ORDER BY age",
      "SELECT age, COUNT(*) AS n FROM visits GROUP BY age ORDER BY age DESC",
    ],
    [
      "SELECT age, COUNT(*) AS n FROM visits GROUP BY age LIMIT 2",
      "SELECT age, COUNT(*) AS n FROM visits GROUP BY age",
    ],
  ];
  for (const [meant, read] of readings)
    it(`is seen: ${read}`, async () => {
      const expectation = expectationOf(world.tables, planFor(meant));
      expect(difference(expectation, await duck.rows(0, meant))).to.equal(null);
      expect(difference(expectation, await duck.rows(0, read))).to.be.a("string");
    });
});
