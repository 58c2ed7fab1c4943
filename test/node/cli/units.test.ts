import { expect } from "chai";
import { unitsOf } from "../../../node/cli/units.ts";
import { datasetManifestSchema } from "../../../node/data-sharing/manifests/dataset-manifest.ts";
import { loadSqlParser } from "../../../node/data-sharing/plan/parse-sql.ts";
import type { Plan } from "../../../node/data-sharing/plan/plan.ts";
import { people, planOf } from "../data-sharing/plan/questions.ts";

describe("units", () => {
  before(loadSqlParser);

  const manifest = (unit?: string) =>
    datasetManifestSchema.parse({
      ...people,
      columns: { ...people.columns, wage: { ...people.columns.wage, ...(unit !== undefined && { unit }) } },
    });
  const question =
    "SELECT sex, COUNT(*), AVG(wage), SUM(wage), STDDEV(wage), VARIANCE(wage), MEDIAN(wage), AVG(age) AS age, SUM(wage * 2) AS twice FROM people GROUP BY sex";
  const plan = (): Plan => planOf(question, { microRho: "900000" });

  it("are those of the column that is measured, where it is a plain one", () => {
    const units = unitsOf([{ plan: plan(), manifest: manifest("USD/hour") }]);
    expect(Object.fromEntries(units)).to.deep.equal({
      avg: "USD/hour",
      sum: "USD/hour",
      stddev: "USD/hour",
      median: "USD/hour",
    });
  });

  it("are left out where datasets say different ones, or none", () => {
    const of = (...units: (string | undefined)[]) =>
      unitsOf(units.map((unit) => ({ plan: plan(), manifest: manifest(unit) }))).size;
    expect(of("USD", "USD")).to.be.above(0);
    expect(of("USD", "EUR")).to.equal(0);
    expect(of("USD", undefined)).to.equal(0);
    expect(unitsOf([{ plan: null, manifest: manifest("USD") }]).size).to.equal(0);
    expect(unitsOf([]).size).to.equal(0);
  });

  it("are found in the table that a join takes the column from", () => {
    const joined: Plan = {
      ...plan(),
      rows: {
        ...plan().rows,
        sources: [
          { kind: "table", table: "visits", rowsPerPerson: 2 },
          { kind: "table", table: "people", rowsPerPerson: 3 },
        ],
      },
      vectors: plan().vectors.map((vector) =>
        vector.kind === "sum" ? { ...vector, of: { kind: "column", name: "1.wage" } } : vector,
      ),
    };
    expect(unitsOf([{ plan: joined, manifest: manifest("USD") }]).get("avg")).to.equal("USD");
  });
});
