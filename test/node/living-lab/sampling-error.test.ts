import { expect } from "chai";
import { parseAlgorithmManifest } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { compilePlan } from "../../../node/data-sharing/plan/compile-plan.ts";
import { executePlan, type PersonRow } from "../../../node/data-sharing/plan/evaluate.ts";
import { loadSqlParser } from "../../../node/data-sharing/plan/parse-sql.ts";
import type { Plan } from "../../../node/data-sharing/plan/plan.ts";
import { datasetLines } from "../../../node/living-lab/content.ts";
import { type NumberOutput, sampledNumber } from "../../../scripts/usefulness/numbers.ts";
import { Tally } from "../../../scripts/usefulness/tally.ts";
import { datasetManifest, personRows } from "./support/table.ts";

const samples = 300;
const peopleOfSample = 400;
/** Of a standard deviation over so many samples the relative standard error is 1 / sqrt(2 * 300), 4%; this is four of them. */
const tolerance = 0.17;

/** People have several trips each, so their rows are no independent draws. */
const question = {
  name: "trips-of-all",
  title: "Trips",
  description: "Every kind of number over trips that are not in cars.",
  version: 1,
  kind: "sql",
  dataClass: "trips",
  table: "trips",
  sql: `SELECT COUNT(*) AS trips, COUNT(DISTINCT person) AS people, SUM(distance_km) AS km, AVG(distance_km) AS average,
    VARIANCE(distance_km) AS variance, STDDEV(distance_km) AS deviation, MEDIAN(distance_km) AS middle,
    PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY distance_km) AS long, MAX(distance_km) AS longest,
    HISTOGRAM(distance_km, 0, 20, 2) AS length FROM trips WHERE mode <> 'car'`,
  candidates: { middle: 0.5, long: 0.5, longest: 1 },
  microRho: "1000000",
  purposes: ["dpv:AcademicResearch"],
};

describe("the sampling error of an answer", () => {
  let plan: Plan;
  let outputs: NumberOutput[];
  const drawn: Tally[] = [];

  before(async () => {
    await loadSqlParser();
    const manifest = datasetManifest("trips");
    plan = compilePlan(parseAlgorithmManifest(JSON.stringify(question)), {}, manifest);
    outputs = plan.outputs.filter((output): output is NumberOutput => output.kind !== "key");
    const rows = personRows(datasetLines.trips!(samples * peopleOfSample, "samples"), manifest);
    const people = [...Map.groupBy(rows, ({ person }) => person).values()];
    for (let sample = 0; sample < samples; sample++)
      drawn.push(tallied(plan, people.slice(sample * peopleOfSample, (sample + 1) * peopleOfSample)));
  });

  const numbers = (output: NumberOutput) =>
    drawn.map((tally) => sampledNumber(output, plan, tally.groups[0]!, tally.people)!);

  it("is how far the numbers of other samples really lie apart, of every kind of number", () => {
    const seen: string[] = [];
    for (const output of outputs) {
      const own = numbers(output);
      if (own.some(({ margin }) => margin === null)) continue;
      const mean = average(own.map(({ value }) => value));
      const spread = Math.sqrt(average(own.map(({ value }) => (value - mean) ** 2)));
      const claimed = Math.sqrt(average(own.map(({ margin }) => (margin! / 1.96) ** 2)));
      expect(claimed / spread, output.name).to.be.within(1 - tolerance, 1 + tolerance);
      seen.push(output.name);
    }
    expect(seen.join()).to.equal("trips,people,km,average,variance,deviation,middle,long,length_1,length_2");
  });

  it("would be too small if rows counted as independent draws", () => {
    const count = outputs.find(({ name }) => name === "trips")!;
    const own = numbers(count);
    const mean = average(own.map(({ value }) => value));
    const spread = Math.sqrt(average(own.map(({ value }) => (value - mean) ** 2)));
    expect(Math.sqrt(mean) / spread).to.be.below(1 - tolerance);
  });

  it("is not claimed of a maximum", () => {
    const longest = outputs.find(({ name }) => name === "longest")!;
    expect(numbers(longest).every(({ margin }) => margin === null)).to.equal(true);
  });

  it("belongs to the numbers of the reference interpreter, however often the same person is drawn", () => {
    const rows = personRows(datasetLines.trips!(50, "same"), datasetManifest("trips"));
    const people = [...Map.groupBy(rows, ({ person }) => person).values()];
    const tally = tallied(plan, people);
    expect(tally.exact()).to.deep.equal(executePlan(rows, plan));
    const twice = new Tally(plan);
    for (const own of people) twice.add(own, 2);
    const repeated = tallied(plan, [...people, ...people]);
    expect(twice.exact()).to.deep.equal(repeated.exact());
    for (const output of outputs) {
      const [one, other] = [twice, repeated].map(
        (of) => sampledNumber(output, plan, of.groups[0]!, of.people)!,
      );
      expect(one!.value).to.be.closeTo(other!.value, 1e-9 * other!.value);
      expect(one!.margin ?? 0).to.be.closeTo(other!.margin ?? 0, 1e-6 * other!.value);
    }
  });
});

function tallied(plan: Plan, people: PersonRow[][]): Tally {
  const tally = new Tally(plan);
  for (const rows of people) tally.add(rows, 1);
  return tally;
}

function average(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
