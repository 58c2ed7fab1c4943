// Every kind of question that SQL may hold, from files to checked receipts, by the command line over a real node.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import {
  type AlgorithmManifest,
  algorithmManifestSchema,
} from "../../node/data-sharing/manifests/algorithm-manifest.ts";
import { Itd } from "../support/itd.ts";
import { type Network, startNetwork, type TestNode } from "../support/network.ts";

const purpose = "dpv:ResearchAndDevelopment";
const people = 3_000;
const towns = ["Bern", "Zug", "Chur"];

const dataset = {
  name: "clinic",
  title: "Visits of a clinic, and its patients",
  synthetic: true,
  dataClass: "wages",
  table: "visits",
  person: "patient",
  rowsPerPerson: 3,
  columns: {
    cost: { type: "decimal", scale: 2, bounds: [0, 1000] },
    day: { type: "date", bounds: ["2024-01-01", "2025-12-31"] },
    ward: { type: "text", domain: ["a", "b"] },
  },
  furtherTables: {
    patients: {
      rowsPerPerson: 1,
      columns: {
        sex: { type: "text", domain: ["f", "m"] },
        town: { type: "text", domain: "open" },
      },
    },
  },
  purposes: [purpose],
  budget: { totalMicroRho: "900000000", perQuerierMicroRho: "900000000", reservedMicroRho: "900000000" },
};

/** Patient p comes 1 to 3 times, on the same ward, each time for p mod 500 and 25 cents; one patient is from a town of his own. */
function filesIn(folder: string): void {
  const numbers = Array.from({ length: people }, (_, p) => p);
  const visits = numbers.flatMap((p) =>
    Array.from(
      { length: 1 + (p % 3) },
      () => `p${p},${p % 500}.25,2025-0${1 + (p % 9)}-15,${p % 2 ? "a" : "b"}`,
    ),
  );
  const patients = numbers.map(
    (p) => `p${p},${p % 4 === 0 ? "f" : "m"},${p === 0 ? "Uri" : towns[Math.floor((p % 10) / 4)]}`,
  );
  writeFileSync(join(folder, "visits.csv"), ["patient,cost,day,ward", ...visits, ""].join("\n"));
  writeFileSync(join(folder, "patients.csv"), ["patient,sex,town", ...patients, ""].join("\n"));
  writeFileSync(join(folder, "clinic.yaml"), stringify(dataset));
}

/** Charged so much that noise hardly shows. */
function question(name: string, sql: string, more: Partial<AlgorithmManifest> = {}): AlgorithmManifest {
  return algorithmManifestSchema.parse({
    name,
    title: name,
    description: "Of the clinic.",
    version: 1,
    kind: "sql",
    dataClass: "wages",
    table: "visits",
    sql,
    microRho: "20000000",
    purposes: [purpose],
    ...more,
  });
}

const questions = {
  join: question(
    "cost-by-sex",
    "SELECT p.sex, COUNT(DISTINCT person) AS patients, AVG(v.cost) AS cost FROM visits v JOIN patients p USING (person) GROUP BY p.sex",
  ),
  perPerson: question(
    "visits-a-patient",
    "SELECT n, COUNT(*) AS patients FROM (SELECT person, COUNT(*) AS n FROM visits GROUP BY person) AS own GROUP BY n HAVING COUNT(*) > 10 ORDER BY n DESC",
  ),
  publicJoin: question(
    "visits-by-floor",
    "SELECT w.floor, COUNT(*) AS visits FROM visits v JOIN wards w ON v.ward = w.ward GROUP BY w.floor",
    {
      publicTables: {
        wards: {
          columns: [
            { name: "ward", type: "text" },
            { name: "floor", type: "integer" },
          ],
          rows: [
            ["a", 1],
            ["b", 4],
          ],
        },
      },
    },
  ),
  open: question(
    "patients-by-town",
    "SELECT town, COUNT(*) AS patients FROM patients GROUP BY town ORDER BY patients DESC",
  ),
  quantiles: question(
    "costs",
    "SELECT MEDIAN(cost) AS middle, MAX(day) AS last, STDDEV(cost) AS deviation, HISTOGRAM(cost, 0, 500, 2) AS cost FROM visits WHERE day >= DATE '2025-01-01'",
    { bounding: { rowsPerGroup: 1, groups: 1 } },
  ),
  cases: question(
    "dear-visits",
    "SELECT CASE WHEN cost >= param.dear THEN 'dear' ELSE 'cheap' END AS kind, EXTRACT(quarter FROM day) AS quarter, COUNT(*) AS visits FROM visits WHERE ward LIKE 'a%' GROUP BY kind, quarter",
    { parameters: { dear: { type: "integer", minimum: 0, maximum: 1000, default: 400 } } },
  ),
};

describe("the whole subset by the itd command", function () {
  this.timeout(240_000);
  let network: Network;
  let bank: TestNode;
  let itd: Itd;

  before(async () => {
    network = await startNetwork({ repositories: 1, directories: 1, queriers: 1, strangers: 0 });
    await network.startDirectory();
    bank = await network.startRepository({ settings: { name: "Clinic" }, datasets: [] });
    itd = await Itd.for(network, network.take("querier"));
    filesIn(itd.folder);
    const add = ["dataset", "add", "visits.csv", "--config", bank.configFile, "--manifest", "clinic.yaml"];
    const without = await itd.json(...add);
    expect(without.exitCode, "a file of patients is missing").to.equal(1);
    const added = await itd.json(...add, "--table", "patients=patients.csv");
    expect(added.exitCode, added.err).to.equal(0);
    expect(added.document.report).to.include({ people });
    for (const manifest of Object.values(questions)) await network.publishAlgorithm(manifest);
    for (let i = 0; i < 200 && (await network.discover("clinic")).offers.length < 1; i++)
      await new Promise((resolve) => setTimeout(resolve, 100));
  });
  after(() => network.close());

  /** The rows of the answer; the budget is reserved with the first batch after the import. */
  async function ask(manifest: AlgorithmManifest): Promise<Record<string, string | number | null>[]> {
    for (let i = 0; ; i++) {
      const asked = await itd.json(
        ...[
          "query",
          "--dataset",
          "clinic",
          "--algorithm",
          manifest.name,
          "--receipt",
          `${manifest.name}.json`,
        ],
      );
      if (asked.document.error?.code === "budget_not_reserved" && i < 50) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        continue;
      }
      expect(asked.exitCode, asked.err).to.equal(0);
      const verdict = await itd.json("receipt", "verify", `${manifest.name}.json`);
      expect(verdict.document.valid, verdict.out).to.equal(true);
      return asked.document.answer;
    }
  }

  it("joins tables on the person", async () => {
    const [f, m] = await ask(questions.join);
    expect([f!.sex, m!.sex]).to.deep.equal(["f", "m"]);
    expect(f!.patients).to.be.closeTo(750, 5);
    expect(m!.cost).to.be.closeTo(250, 5);
  });

  it("makes one row of a person, keeps groups by HAVING and orders them", async () => {
    const rows = await ask(questions.perPerson);
    expect(rows.map(({ n }) => n)).to.deep.equal(["3", "2", "1"]);
    for (const { patients } of rows) expect(patients).to.be.closeTo(1_000, 5);
  });

  it("joins a public table that the algorithm brings", async () => {
    const rows = await ask(questions.publicJoin);
    expect(rows.map(({ floor }) => floor)).to.deep.equal(["1", "4"]);
    for (const { visits } of rows) expect(visits).to.be.closeTo(3_000, 10);
  });

  it("names the places of an open key that many come from, and not the one of a single patient", async () => {
    const rows = await ask(questions.open);
    expect(rows.map(({ town }) => town)).to.have.members(towns);
    expect(rows[2]).to.include({ town: "Chur" });
  });

  it("finds the middle, the last, the spread and the shape of a column", async () => {
    const [row] = await ask(questions.quantiles);
    expect(row!.middle).to.be.closeTo(250, 25);
    expect(String(row!.last)).to.match(/^2025-0[89]-/);
    expect(row!.deviation).to.be.closeTo(144, 10);
    expect(row!.cost_1).to.be.closeTo(1_500, 20);
    expect(row!.cost_2).to.be.closeTo(1_500, 20);
  });

  it("groups by CASE and by parts of dates, with parameters", async () => {
    const rows = await ask(questions.cases);
    expect(rows).to.have.length(8);
    const fourth = rows.filter(({ quarter }) => quarter === "4");
    expect(fourth.every(({ visits }) => visits === null || Number(visits) < 20)).to.equal(true);
    const dear = rows.filter(({ kind, quarter }) => kind === "dear" && quarter !== "4");
    const cheap = rows.filter(({ kind, quarter }) => kind === "cheap" && quarter !== "4");
    const total = (part: typeof rows) => part.reduce((sum, { visits }) => sum + Number(visits), 0);
    expect(total(cheap) / total(dear)).to.be.closeTo(4, 0.3);
  });
});
