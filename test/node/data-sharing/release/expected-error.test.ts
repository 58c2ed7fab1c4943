import { expect } from "chai";
import { SystemRandomness } from "../../../../node/adapters/system-randomness.ts";
import { executePlan, type PersonRow } from "../../../../node/data-sharing/plan/evaluate.ts";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import { expectedErrors } from "../../../../node/data-sharing/release/expected-error.ts";
import { presentAnswer } from "../../../../node/data-sharing/release/present.ts";
import { releaseAnswer } from "../../../../node/data-sharing/release/release.ts";
import { planOf } from "../plan/questions.ts";

const rows = 3_000;
/** Ages spread evenly over 18 to 90, one row a person. */
const data: PersonRow[] = Array.from({ length: rows }, (_, person) => ({
  person: String(person),
  columns: { age: BigInt((18 + (person * 73) / rows) | 0), sex: 0n },
}));

describe("the expected error of a plan", () => {
  before(loadSqlParser);

  const plan = () =>
    planOf(
      "SELECT COUNT(*) AS n, SUM(age) AS s, AVG(age) AS a, VAR_POP(age) AS v, STDDEV_POP(age) AS d, MEDIAN(age) AS m FROM people",
      { microRho: "60000" },
    );

  it("is what repeated releases show: the standard deviation of each column within a fifth", () => {
    const question = plan();
    const exact = executePlan(data, question);
    const randomness = new SystemRandomness();
    const trials = 600;
    const seen = Array.from({ length: trials }, () => {
      const { rows: shown } = presentAnswer(question, releaseAnswer(exact, question, randomness));
      return shown[0]!.values.map(Number);
    });
    for (const [index, { name, kind, margin }] of expectedErrors(question, rows).entries()) {
      if (margin === null) continue;
      const values = seen.map((one) => one[index]!);
      const mean = values.reduce((a, b) => a + b, 0) / trials;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / trials);
      const predicted = margin / 1.96;
      // An average is nearest to the middle of its bounds here, where the count's noise does not move it.
      const [low, high] = kind === "average" ? [0.4, 1.2] : [0.8, 1.25];
      expect(deviation / predicted, name).to.be.within(low, high);
    }
  });

  it("bounds how far the rank of a quantile is off", () => {
    const question = plan();
    const exact = executePlan(data, question);
    const randomness = new SystemRandomness();
    const [error] = expectedErrors(question, rows).filter(({ kind }) => kind === "quantile");
    const ages = data.map(({ columns }) => Number(columns.age));
    let missed = 0;
    for (let trial = 0; trial < 200; trial++) {
      const { rows: shown } = presentAnswer(question, releaseAnswer(exact, question, randomness));
      const value = Number(shown[0]!.values[5]);
      const below = ages.filter((age) => age < value).length;
      const upto = ages.filter((age) => age <= value).length;
      const off = Math.max(0, below - rows / 2, rows / 2 - upto);
      if (off > error!.rank!) missed++;
    }
    // 5% are expected at most; 25 of 200 come by chance once in 10^6 times.
    expect(missed).to.be.below(25);
  });
});
