import { readdirSync } from "node:fs";
import { expect } from "chai";
import { matchesDataset } from "../../../node/data-sharing/discover.ts";
import { compilePlan } from "../../../node/data-sharing/plan/compile-plan.ts";
import { loadSqlParser } from "../../../node/data-sharing/plan/parse-sql.ts";
import { algorithmNames, datasetLines } from "../../../node/living-lab/content.ts";
import { algorithmManifest, datasetManifest, datasetNames, recordsOf, stored } from "./support/table.ts";

const algorithms = algorithmNames.map(algorithmManifest);
const datasets = datasetNames.map(datasetManifest);
/** Terms of the Data Privacy Vocabulary 2.0 (purposes) that the lab uses. */
const purposes = [
  "dpv:AcademicResearch",
  "dpv:ResearchAndDevelopment",
  "dpv:PublicPolicyMaking",
  "dpv:ImproveHealthcare",
  "dpv:ImproveTransportMobility",
];

describe("the content of the Living Lab", () => {
  before(loadSqlParser);

  it("has a file for each name and a name for each file", () => {
    const files = (folder: string) =>
      readdirSync(`node/living-lab/${folder}`).map((file) => file.replace(/\.yaml$/, ""));
    expect(files("algorithms").sort()).to.deep.equal([...algorithmNames].sort());
    expect(files("datasets").sort()).to.deep.equal([...datasetNames].sort());
    expect(algorithms.map(({ name }) => name)).to.deep.equal([...algorithmNames]);
    expect(datasets.map(({ name }) => name)).to.deep.equal(datasetNames);
  });

  it("calls what is made up synthetic in title, description and manifest, and nothing else", () => {
    for (const { name, title, description, synthetic } of datasets) {
      expect(/synthetic/i.test(title), name).to.equal(synthetic);
      expect(/synthetic/i.test(description), name).to.equal(synthetic);
      expect(synthetic, name).to.equal(!name.startsWith("wages"));
    }
  });

  it("lets the words wages, visits and trips each find what they say, and no more", () => {
    const found = (text: string) =>
      datasets.filter((dataset) => matchesDataset(dataset, text)).map(({ name }) => name);
    expect(found("wages")).to.deep.equal(["wages-outside-the-south", "wages-of-the-south"]);
    expect(found("visits")).to.deep.equal(["visits"]);
    expect(found("trips")).to.deep.equal(["trips"]);
  });

  it("declares the two halves of the wages alike, so that one question fits both", () => {
    const [one, other] = datasets.filter(({ table }) => table === "wages");
    expect(one!.columns).to.deep.equal(other!.columns);
    expect(one!.purposes).to.deep.equal(other!.purposes);
  });

  it("uses known purposes only, and lets academic research ask everything", () => {
    for (const { name, purposes: own } of [...algorithms, ...datasets]) {
      expect(purposes, name).to.include.members(own);
      expect(own, name).to.include("dpv:AcademicResearch");
    }
  });

  it("permits every purpose of an algorithm on the data that it is meant for", () => {
    for (const { dataClass, purposes: own } of algorithms)
      for (const dataset of datasets.filter((other) => other.dataClass === dataClass))
        expect(dataset.purposes).to.include.members(own);
  });

  for (const algorithm of algorithms)
    it(`compiles ${algorithm.name} on its data, for the least and the most of each parameter`, () => {
      const meant = datasets.filter(({ dataClass }) => dataClass === algorithm.dataClass);
      expect(meant).to.not.deep.equal([]);
      for (const dataset of meant)
        for (const end of [0, -1]) {
          const parameters = Object.entries(algorithm.parameters).map(([name, parameter]) => {
            const values =
              parameter.type === "text" ? parameter.values : [parameter.minimum, parameter.maximum];
            return [name, values.at(end)!] as const;
          });
          const plan = compilePlan(algorithm, Object.fromEntries(parameters), dataset);
          expect(plan.microRho).to.equal(algorithm.microRho);
        }
      expect(compilePlan(algorithm, {}, meant[0]!).outputs.length).to.be.greaterThan(1);
    });

  it("has a budget for each algorithm at least ten times, within what is reserved for one interval", () => {
    for (const { name, dataClass, microRho } of algorithms)
      for (const { budget } of datasets.filter((dataset) => dataset.dataClass === dataClass)) {
        expect(Number(budget.perQuerierMicroRho) / Number(microRho), name).to.be.at.least(10);
        expect(Number(budget.reservedMicroRho)).to.be.at.least(Number(microRho));
      }
  });

  for (const dataset of datasets)
    it(`keeps ${dataset.name} within its manifest: columns, bounds, domains and rows a person`, () => {
      const records = recordsOf(datasetLines[dataset.name]!(2_000, "any"));
      expect(Object.keys(records[0]!)).to.have.members([dataset.person, ...Object.keys(dataset.columns)]);
      for (const [name, column] of Object.entries(dataset.columns)) {
        const values = records.map((record) => stored(record[name]!, column));
        expect(values.every((value) => value >= 0n)).to.equal(true);
        if (column.type !== "integer" && column.type !== "decimal") continue;
        const [low, high] = column.bounds!.map((bound) => stored(String(bound), column)) as [bigint, bigint];
        expect(values.every((value) => value >= low && value <= high)).to.equal(true);
      }
      const rows = [...Map.groupBy(records, (record) => record[dataset.person]).values()];
      expect(Math.max(...rows.map((own) => own.length))).to.equal(dataset.rowsPerPerson);
    });
});
