import { expect } from "chai";
import { datasetManifestSchema } from "../../../../node/data-sharing/manifests/dataset-manifest.ts";
import { textCode } from "../../../../node/data-sharing/manifests/text-code.ts";
import { executePlan, type PersonRow } from "../../../../node/data-sharing/plan/evaluate.ts";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import type { Plan } from "../../../../node/data-sharing/plan/plan.ts";
import { releasedAnswerSchema } from "../../../../node/data-sharing/release/answer.ts";
import { presentAnswer } from "../../../../node/data-sharing/release/present.ts";
import { releaseAnswer } from "../../../../node/data-sharing/release/release.ts";
import { seededRandomness } from "../../../support/seeded-randomness.ts";
import { people, planOf } from "../plan/questions.ts";

/** With a charge so high that noise is small, so that what is wrong is not the noise. */
const loud = { microRho: "900000" };

const towns = ["Bern", "Zug", "Chur"];
const texts = new Map([...towns, "Uri"].map((town) => [textCode(town), town]));

/** One row a person: wages from 0.00 to 49.90, ages from 18 to 87, sexes by halves; half live in Bern, one alone in Uri. */
const rows: PersonRow[] = Array.from({ length: 6_000 }, (_, i) => ({
  person: String(i),
  columns: {
    sex: BigInt(i % 2),
    wage: BigInt(((i * 7_919) % 500) * 10),
    age: BigInt(18 + ((i * 31) % 70)),
    town: textCode(i === 0 ? "Uri" : towns[i % 10 < 5 ? 0 : i % 10 < 8 ? 1 : 2]!),
  },
}));

const open = datasetManifestSchema.parse({
  ...people,
  rowsPerPerson: 1,
  columns: { ...people.columns, town: { type: "text", domain: "open" } },
});

describe("from SQL to a table", () => {
  before(loadSqlParser);

  const tableOf = (plan: Plan) => {
    const released = releaseAnswer(executePlan(rows, plan, { texts }), plan, seededRandomness(1));
    return presentAnswer(plan, releasedAnswerSchema.parse(JSON.parse(JSON.stringify(released))));
  };
  const wages = (keep: (row: PersonRow) => boolean) =>
    rows
      .filter(keep)
      .map(({ columns }) => Number(columns.wage) / 100)
      .sort((a, b) => a - b);
  const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;

  it("says what each bucket of a histogram holds", () => {
    const plan = planOf("SELECT HISTOGRAM(wage, 0, 50, 4) AS wages FROM people", loud, open);
    const { columns, rows: shown } = tableOf(plan);
    expect(columns.map(({ name, label }) => [name, label])).to.deep.equal([
      ["wages_1", "0.00 to 12.50"],
      ["wages_2", "12.50 to 25.00"],
      ["wages_3", "25.00 to 37.50"],
      ["wages_4", "37.50 to 50.00"],
    ]);
    for (const value of shown[0]!.values) expect(Number(value)).to.be.closeTo(1_500, 50);
  });

  it("gives every aggregate near the truth, and its margin holds it", () => {
    const plan = planOf(
      "SELECT sex, COUNT(*) AS n, SUM(wage) AS total, AVG(wage) AS mean, VARIANCE(wage) AS variance, STDDEV_POP(wage) AS deviation, " +
        "MEDIAN(wage) AS middle, MIN(age) AS youngest, MAX(age) AS oldest, HISTOGRAM(age, 18, 88, 2) AS ages FROM people GROUP BY sex",
      loud,
      open,
    );
    const { columns, rows: shown } = tableOf(plan);
    for (const [sex, row] of shown.entries()) {
      const own = wages(({ columns: { sex: of } }) => of === BigInt(sex));
      const center = mean(own);
      const variance = own.reduce((sum, wage) => sum + (wage - center) ** 2, 0) / (own.length - 1);
      const truth: Record<string, number> = {
        n: own.length,
        total: own.reduce((a, b) => a + b),
        mean: center,
        variance,
        deviation: Math.sqrt((variance * (own.length - 1)) / own.length),
      };
      for (const [name, expected] of Object.entries(truth)) {
        const column = columns.findIndex((each) => each.name === name);
        const [value, margin] = [Number(row.values[column]), Number(row.margins[column])];
        expect(margin, name).to.be.above(0);
        expect(Math.abs(value - expected), name).to.be.below(2 * margin);
        expect(margin, name).to.be.below(expected / 20);
      }
      const at = (name: string) => Number(row.values[columns.findIndex((each) => each.name === name)]);
      expect(at("middle")).to.be.closeTo(own[own.length / 2]!, 0.5);
      expect(at("youngest")).to.be.within(18, 19);
      expect(at("oldest")).to.be.within(86, 87);
      expect(at("ages_1") + at("ages_2")).to.be.closeTo(own.length, 10);
    }
  });

  it("names open groups of many people only, and puts them in the order that was asked", () => {
    const sql =
      "SELECT town, COUNT(*) AS n FROM people GROUP BY town HAVING COUNT(*) < 2500 ORDER BY SUM(wage) DESC LIMIT 5";
    const { columns, rows: shown } = tableOf(planOf(sql, loud, open));
    expect(columns.map(({ name }) => name)).to.deep.equal(["town", "n"]);
    expect(shown.map(({ values }) => values[0])).to.deep.equal(["Zug", "Chur"]);
    expect(shown.map(({ values }) => Math.round(Number(values[1]) / 100))).to.deep.equal([18, 12]);
    const all = tableOf(planOf("SELECT town, COUNT(*) AS n FROM people GROUP BY town", loud, open));
    expect(all.rows.map(({ values }) => values[0])).to.deep.equal(["Bern", "Chur", "Zug"]);
  });
});
