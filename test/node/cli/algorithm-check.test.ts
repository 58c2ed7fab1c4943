import { readFileSync } from "node:fs";
import { expect } from "chai";
import { planSchema } from "../../../node/data-sharing/plan/plan-schema.ts";
import { RecordedTerminal, run } from "./support/recorded-terminal.ts";

const lab = (path: string) =>
  readFileSync(new URL(`../../../node/living-lab/${path}`, import.meta.url), "utf8");

function terminal(algorithm = lab("algorithms/distance-by-mode.yaml")): RecordedTerminal {
  const recorded = new RecordedTerminal();
  recorded.columns = 200;
  recorded.files.set("algorithm.yaml", algorithm);
  recorded.files.set("trips.yaml", lab("datasets/trips.yaml"));
  recorded.files.set("wages.yaml", lab("datasets/wages-of-the-south.yaml"));
  return recorded;
}
const check = (...more: string[]) => ["algorithm", "check", "algorithm.yaml", ...more];
const trips = ["--manifest", "trips.yaml"];

describe("itd algorithm check", () => {
  it("shows plan, sensitivity, charge and expected error without any network", async () => {
    const { exitCode, out, err } = await run(check(...trips, "--people", "5000"), {}, terminal());
    expect([exitCode, err]).to.deep.equal([0, ""]);
    for (const part of [
      "at most 10 rows of a person",
      "mode (5 declared: walk, bicycle, car, bus, train)",
      "under 91 rows",
      "sum of distance_km held to 0 ... 800",
      "costs 0.3 rho",
      "average_km",
      "5000 people in 5 equal groups",
    ])
      expect(out.replaceAll(/\s+/g, " ")).to.contain(part);
  });

  it("gives one document with the plan as it would be asked", async () => {
    const { out } = await run(check(...trips, "--json", "--param", "from_hour=8"), {}, terminal());
    const document = JSON.parse(out);
    const plan = planSchema.parse(document.plan);
    expect(plan.rows.filter.kind).to.equal("compare");
    expect(document.chargeMicroRho).to.equal(plan.microRho);
    expect(document.answers).to.deep.equal({ total: 66, perQuerier: 33 });
    expect(document.expected.errors.map((error: { name: string }) => error.name)).to.deep.equal([
      "trips",
      "average_km",
    ]);
  });

  it("expects less error for more people, and warns of groups too small to be shown", async () => {
    const averageAt = async (people: string) => {
      const { out } = await run(check(...trips, "--json", "--people", people), {}, terminal());
      return JSON.parse(out).expected.errors[1].margin as number;
    };
    expect((await averageAt("1000")) / (await averageAt("100000"))).to.be.closeTo(100, 1e-6);
    const { out } = await run(check(...trips, "--people", "100"), {}, terminal());
    expect(out).to.contain("mostly be suppressed");
  });

  it("says plainly what cannot be asked for its charge", async () => {
    const beyond = async (microRho: string) => {
      const dear = lab("algorithms/distance-by-mode.yaml").replace(/microRho: .*/, `microRho: "${microRho}"`);
      const { out } = await run(check(...trips), {}, terminal(dear));
      return /It cannot be asked of trips: .*\((\w+)\)/.exec(out.replaceAll(/\s+/g, " "))?.[1];
    };
    expect(await beyond("2500000")).to.equal(undefined);
    expect(await beyond("2500002")).to.equal("reservedMicroRho");
    expect(await beyond("10000002")).to.equal("perQuerierMicroRho");
    expect(await beyond("20000002")).to.equal("totalMicroRho");
  });

  it("refuses what would be refused when asked, with line and column", async () => {
    const wrong = lab("algorithms/distance-by-mode.yaml").replace("COUNT(*)", "COUNT(*) OVER ()");
    const refused = await run(check(...trips), {}, terminal(wrong));
    expect(refused.exitCode).to.equal(1);
    expect(refused.err).to.match(/line 1, column \d+: window functions are not part of the subset/);
    expect((await run(check("--manifest", "wages.yaml"), {}, terminal())).err).to.contain(
      "data_class_mismatch",
    );
    expect((await run(check(...trips, "--param", "from_hour=99"), {}, terminal())).err).to.contain(
      "parameter_invalid",
    );
    expect((await run(check("--manifest", "none.yaml"), {}, terminal())).err).to.contain("file_unreadable");
  });

  it("says what to give where there is no network, and refuses wrong usage", async () => {
    expect((await run(check(), {}, terminal())).err).to.contain("client_not_found");
    for (const wrong of [
      ["--people", "0"],
      ["--people", "many"],
      [...trips, "--dataset", "trips"],
    ])
      expect((await run(check(...trips, ...wrong), {}, terminal())).exitCode).to.equal(2);
  });
});
