// A custodian's live PostgreSQL behind a node: connected, asked and checked by the command line; what comes and goes there shows as it should.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import { algorithmManifestSchema } from "../../node/data-sharing/manifests/algorithm-manifest.ts";
import { Itd } from "../support/itd.ts";
import { type Network, startNetwork } from "../support/network.ts";
import { database, type PostgresServer, startPostgres } from "../support/postgresql-server.ts";

const purpose = "dpv:ResearchAndDevelopment";
const manifest = {
  name: "members",
  title: "Members, as the database has them now",
  synthetic: true,
  dataClass: "wages",
  table: "members",
  person: "member no",
  rowsPerPerson: 1,
  columns: {
    wage: { type: "decimal", scale: 2, bounds: [0, 50] },
    region: { type: "text", domain: ["north", "south"] },
  },
  purposes: [purpose],
  budget: { totalMicroRho: "900000000", perQuerierMicroRho: "900000000", reservedMicroRho: "400000000" },
};
const algorithm = algorithmManifestSchema.parse({
  name: "members-by-region",
  title: "Members by region",
  description: "Members and their average wage.",
  version: 1,
  kind: "sql",
  dataClass: "wages",
  table: "members",
  sql: "SELECT region, COUNT(*) AS people, AVG(wage) AS wage FROM members WHERE wage >= param.least GROUP BY region",
  parameters: { least: { type: "integer", minimum: 0, maximum: 50, default: 0 } },
  microRho: "20000000",
  purposes: [purpose],
});

describe("a node over a live PostgreSQL", function () {
  this.timeout(240_000);
  let server: PostgresServer;
  let network: Network;
  let itd: Itd;
  let add: string[];

  before(async () => {
    server = await startPostgres();
    await server.sql(
      `CREATE ROLE reader LOGIN; CREATE ROLE writer LOGIN;
       CREATE TABLE members ("member no" integer PRIMARY KEY, wage numeric(6, 2), region text);
       GRANT SELECT ON members TO reader, writer; GRANT UPDATE ON members TO writer;
       INSERT INTO members SELECT n, n % 40, CASE WHEN n % 4 = 0 THEN 'north' ELSE 'south' END FROM generate_series(1, 2000) AS n`,
    );
    network = await startNetwork({ repositories: 1, directories: 1, queriers: 1, strangers: 0 });
    await network.startDirectory();
    const node = await network.startRepository({ settings: { name: "Union" }, datasets: [] });
    itd = await Itd.for(network, network.take("querier"));
    writeFileSync(join(itd.folder, "members.yaml"), stringify(manifest));
    add = ["--config", node.configFile, "--manifest", "members.yaml"];
    await network.publishAlgorithm(algorithm);
  });
  after(async () => {
    await network.close();
    await server.stop();
  });

  const address = (role: string) => `postgres://${role}@127.0.0.1:${server.port}/${database}?table=members`;

  async function ask(least: number) {
    const question = [
      "query",
      "--dataset",
      "members",
      "--algorithm",
      algorithm.name,
      "--param",
      `least=${least}`,
    ];
    for (let i = 0; ; i++) {
      const asked = await itd.json(...question, "--receipt", `${least}.json`);
      const code = asked.document.error?.code;
      if ((code !== "budget_not_reserved" && code !== "no_dataset_found") || i >= 50) return asked;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  it("is connected with a role that may only read, and with no other", async () => {
    const refused = await itd.json("dataset", "add", address("writer"), ...add);
    expect(refused.document.error.code).to.equal("database_role_unsafe");
    const added = await itd.json("dataset", "add", address("reader"), ...add);
    expect(added.exitCode, added.err).to.equal(0);
    expect(added.document.report).to.include({ rows: 2_000, people: 2_000 });
  });

  it("answers questions, with receipts that anyone can check", async () => {
    const { document, exitCode, err } = await ask(0);
    expect(exitCode, err).to.equal(0);
    const [north, south] = document.answer;
    expect([north.region, south.region]).to.deep.equal(["north", "south"]);
    expect(north.people).to.be.closeTo(500, 5);
    expect(south.people).to.be.closeTo(1_500, 5);
    expect(south.wage).to.be.closeTo(20, 1);
    const verdict = await itd.json("receipt", "verify", "0.json");
    expect(verdict.document.valid, verdict.out).to.equal(true);
  });

  it("sees rows that came since, and gives what was asked before as it was, free", async () => {
    await server.sql("INSERT INTO members SELECT n, 30, 'north' FROM generate_series(2001, 3000) AS n");
    const again = await ask(0);
    expect(again.document.charge.microRho).to.equal("0");
    expect(again.document.answer[0].people).to.be.closeTo(500, 5);
    const fresh = await ask(1);
    expect(fresh.document.answer[0].people).to.be.closeTo(1_450, 5);
  });

  it("charges nothing while the database is away, and goes on when it is back", async () => {
    await server.pause();
    const away = await ask(2);
    expect(away.exitCode).to.equal(1);
    expect(away.document.error.code).to.equal("dataset_unavailable");
    await server.resume();
    const back = await ask(3);
    expect(back.exitCode, back.err).to.equal(0);
    const { microRho, repositories } = back.document.charge;
    expect(microRho).to.equal(algorithm.microRho);
    // A first answer, one after the new rows and this one are paid for; the repeat and the refusal are not.
    expect(repositories[0].answersLeft).to.equal(42);
  });
});
