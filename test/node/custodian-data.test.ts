import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { DuckDbEngine } from "../../node/adapters/duckdb/duckdb-engine.ts";
import { PostgresEngine } from "../../node/adapters/postgresql/postgres-engine.ts";
import { RoutedEngine } from "../../node/adapters/routed-engine.ts";
import { SystemRandomness } from "../../node/adapters/system-randomness.ts";
import { type CustodianData, openCustodianData } from "../../node/custodian-data.ts";
import { limits, manifestOf, planOf, row, rowCount, writeRows } from "../ports/data-files.ts";
import { expectCode } from "../support/errors.ts";
import { database, type PostgresServer, startPostgres } from "../support/postgresql-server.ts";

const columns =
  "person text PRIMARY KEY, region text, cost numeric(9, 2), age integer, day date, acute boolean, large bigint";

describe("a custodian's data, in files and in a database", () => {
  const root = mkdtempSync(join(tmpdir(), "itd-custodian-"));
  const folders = { filesFolder: join(root, "datasets"), databasesFolder: join(root, "postgresql") };
  let server: PostgresServer;
  let data: CustodianData;
  let url: string;
  before(async () => {
    server = await startPostgres();
    await server.sql(
      `CREATE ROLE reader LOGIN; CREATE TABLE visits (${columns}); GRANT SELECT ON visits TO reader;
       INSERT INTO visits SELECT 'p' || n, 'north', n, n, '1999-12-31', true, n FROM generate_series(1, 7) AS n`,
    );
    url = `postgres://reader@127.0.0.1:${server.port}/${database}?table=visits`;
    data = openCustodianData({ ...folders, randomness: new SystemRandomness() });
  });
  after(async () => {
    await server.stop();
    rmSync(root, { recursive: true });
  });

  it("has one set of names, and asks each dataset where it is", async () => {
    const file = writeRows(root, [row("a"), row("b")]);
    await data.datasets.importFile(file, manifestOf({ name: "in-file" }));
    await data.datasets.importFile(url, manifestOf({ name: "in-database" }));
    await data.datasets.importFile(file, manifestOf({ name: "z-file" }));
    expect(data.datasets.manifests().map(({ name }) => name)).to.deep.equal([
      "in-database",
      "in-file",
      "z-file",
    ]);
    expect(["in-file", "in-database"].map((name) => data.isInDatabase(name))).to.deep.equal([false, true]);
    const files = new DuckDbEngine({ folder: folders.filesFolder });
    const databases = new PostgresEngine({ folder: folders.databasesFolder });
    const engine = new RoutedEngine((name) => (data.isInDatabase(name) ? databases : files));
    const count = async (name: string) => {
      await engine.requireAvailable(name, planOf([rowCount]));
      return (await engine.execute(name, planOf([rowCount]), limits)).vectors;
    };
    expect([await count("in-file"), await count("in-database")]).to.deep.equal([[[2n]], [[7n]]]);
    await expectCode(() => engine.execute("nothing", planOf([rowCount]), limits), "engine_failed");
    files.close();
    await databases.close();
  });

  it("puts no dataset of one kind in the place of one of the other", async () => {
    const file = writeRows(root, [row("a")]);
    await expectCode(
      () => data.datasets.importFile(file, manifestOf({ name: "in-database" })),
      "dataset_exists",
    );
    await expectCode(() => data.datasets.importFile(url, manifestOf({ name: "in-file" })), "dataset_exists");
    expect(data.datasets.manifests()).to.have.length(3);
  });

  it("refuses a dataset of either kind with which the catalogue would be too large", async () => {
    const domain = Array.from({ length: 10_000 }, (_, at) => `${at}`.padStart(90, "x"));
    const large = manifestOf({
      name: "large",
      columns: { region: { type: "text", nullable: true, domain } },
    });
    await expectCode(() => data.datasets.importFile(url, large), "catalogue_too_large");
    expect(readdirSync(folders.databasesFolder)).to.deep.equal(["in-database.json"]);
  });

  it("proposes and connects a table from the command line, and says what became of its values", async () => {
    const config = join(root, "node.yaml");
    const own = "{ keyFile: none, passphraseFile: none }";
    writeFileSync(
      config,
      `roles: [repository]\nname: Clinic\nstateFolder: state\naccount: ${own}\ntls: { certificateFile: none, keyFile: none }\nchain: { urls: [http://127.0.0.1:1], deploymentFile: none }\n`,
    );
    const bin = new URL("../../bin/itd.mjs", import.meta.url).pathname;
    const add = (...more: string[]) =>
      spawnSync(process.execPath, [bin, "dataset", "add", url, "--config", config, ...more], {
        encoding: "utf8",
        timeout: 30_000,
        env: { ...process.env, NODE_OPTIONS: "" },
      });
    const added = add("--name", "clinic-visits", "--person", "person", "--json");
    expect(added.status, added.stderr).to.equal(0);
    const document = JSON.parse(added.stdout);
    expect(document.report).to.deep.include({ rows: 7, people: 7, unfit: {} });
    expect(document.manifest).to.deep.include({ name: "clinic-visits", rowsPerPerson: 1 });
    const record = readFileSync(join(root, "state", "postgresql", "clinic-visits.json"), "utf8");
    expect(JSON.parse(record).manifest).to.deep.equal(document.manifest);
    await server.sql("GRANT INSERT ON visits TO reader");
    const refused = add("--manifest", document.manifestFile, "--json");
    expect(refused.status).to.not.equal(0);
    expect(`${refused.stdout}${refused.stderr}`).to.match(/database_role_unsafe/);
    await server.sql(
      "REVOKE INSERT ON visits FROM reader; UPDATE visits SET age = 100000 WHERE person = 'p1'",
    );
    const again = add("--manifest", document.manifestFile);
    expect(again.stdout).to.match(/7 rows of 7 people.*age: 1 value moved to a declared bound/s);
  });
});
