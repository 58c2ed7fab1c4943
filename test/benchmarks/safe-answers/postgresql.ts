/**
 * The PostgreSQL engine's whole path (snapshot, catalogue, statements, answer) against psql that runs the same statements over the same rows:
 * a million people with one row each, which a constraint says, and a hundred thousand with ten, whose rows are counted off. CPU time of
 * server and client together. Where there is no psql, the driver alone is the reference, and `psql` is 0.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDatabaseUrl } from "../../../node/adapters/postgresql/database-address.ts";
import { DatabaseConnections } from "../../../node/adapters/postgresql/database-connections.ts";
import { datasetSources } from "../../../node/adapters/postgresql/dataset-tables.ts";
import { PostgresDatasetStore } from "../../../node/adapters/postgresql/postgres-dataset-store.ts";
import { PostgresEngine } from "../../../node/adapters/postgresql/postgres-engine.ts";
import { optionsFor, statementsOf } from "../../../node/adapters/postgresql/run-plan.ts";
import { readTableFacts } from "../../../node/adapters/postgresql/table-facts.ts";
import { SystemRandomness } from "../../../node/adapters/system-randomness.ts";
import type { DatasetManifest } from "../../../node/data-sharing/manifests/dataset-manifest.ts";
import type { Plan } from "../../../node/data-sharing/plan/plan.ts";
import {
  administrator,
  database,
  type PostgresServer,
  startPostgres,
} from "../../support/postgresql-server.ts";
import { cpuMsOf, medianOf } from "../cpu.ts";
import { limits, manifestFor, planFor, reader } from "../postgresql-rows.ts";
import { serverCpuMs } from "../server-cpu.ts";

const [rows, rounds] = [1_000_000, 5];

export async function benchPostgresql(): Promise<Record<string, number>> {
  const server = await startPostgres({ settings: ["max_parallel_workers_per_gather = 0", "jit = off"] });
  const folder = mkdtempSync(join(tmpdir(), "itd-bench-"));
  try {
    return await measure(server, folder);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

async function measure(server: PostgresServer, folder: string): Promise<Record<string, number>> {
  await server.sql(`CREATE ROLE ${reader} LOGIN`);
  const store = new PostgresDatasetStore({
    folder: join(folder, "postgresql"),
    randomness: new SystemRandomness(),
  });
  const engine = new PostgresEngine({ folder: join(folder, "postgresql") });
  const withPsql = spawnSync("psql", ["--version"]).status === 0;
  const figures: Record<string, number> = { psql: withPsql ? 1 : 0 };
  for (const [name, rowsPerPerson] of [
    ["oneRow", 1],
    ["countedOff", 10],
  ] as const) {
    const table = name.toLowerCase();
    await fill(server, table, rowsPerPerson);
    const manifest = manifestFor({ name: table, table, rowsPerPerson });
    const url = `postgres://${reader}@127.0.0.1:${server.port}/${database}?table=${table}`;
    await store.importFile(url, manifest);
    const plan = planFor(table, rowsPerPerson);
    const statements = await statementsFor(url, manifest, plan);
    const own = await medianCpuMs(server, () => engine.execute(table, plan, limits));
    const reference = await medianCpuMs(server, () =>
      withPsql ? psql(server, folder, statements) : bare(server, statements),
    );
    figures[`${name}EngineCpuMs`] = own;
    figures[`${name}PsqlCpuMs`] = reference;
    figures[`postgresql${name[0]!.toUpperCase()}${name.slice(1)}CpuRatio`] = own / reference;
  }
  await engine.close();
  return figures;
}

async function fill(server: PostgresServer, table: string, rowsPerPerson: number): Promise<void> {
  const people = rows / rowsPerPerson;
  await server.sql(
    `CREATE TABLE ${table} (person integer NOT NULL, key text NOT NULL, value numeric(9, 2) NOT NULL, age integer NOT NULL);
     INSERT INTO ${table} SELECT n % ${people}, 'k' || n * 7919 % 10, n * 31 % 100000 / 100.0, n % ${people} * 17 % 100 FROM generate_series(0::bigint, ${rows - 1}) AS n;
     GRANT SELECT ON ${table} TO ${reader}`,
  );
  if (rowsPerPerson === 1) await server.sql(`ALTER TABLE ${table} ADD PRIMARY KEY (person)`);
  await server.sql(`VACUUM ANALYZE ${table}`);
}

/** The median of the rounds; the first one, which opens and warms, is left out. */
async function medianCpuMs(server: PostgresServer, work: () => Promise<unknown> | number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const from = serverCpuMs(server.pid);
    let childMs = 0;
    const ownMs = await cpuMsOf(async () => {
      const outcome = await work();
      if (typeof outcome === "number") childMs = outcome;
    });
    // psql's own work, not ours of starting it.
    times.push(serverCpuMs(server.pid) - from + (childMs > 0 ? childMs : ownMs));
  }
  return medianOf(times.slice(1));
}

/** CPU time of psql in milliseconds, as the shell that waits for it tells. */
function psql(server: PostgresServer, folder: string, statements: readonly string[]): number {
  const file = join(folder, "statements.sql");
  writeFileSync(file, `SET work_mem = '256MB';\n${statements.join(";\n")};\n`);
  const command = `psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p ${server.port} -U ${administrator} -d ${database} -f '${file}' >/dev/null || exit 1; times`;
  const { stdout, status } = spawnSync("bash", ["-c", command], { encoding: "utf8" });
  if (status !== 0) throw new Error("psql failed");
  const [, children = ""] = stdout.split("\n");
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + 60_000 * Number(minutes) + 1000 * Number(seconds),
    0,
  );
}

async function bare(server: PostgresServer, statements: readonly string[]): Promise<void> {
  const client = await server.connect();
  await client.query("SET work_mem = '256MB'");
  for (const sql of statements) await client.query(sql);
  await client.end();
}

async function statementsFor(url: string, manifest: DatasetManifest, plan: Plan): Promise<string[]> {
  const { address, table } = parseDatabaseUrl(url);
  const connections = new DatabaseConnections(1);
  const statements = await connections.inSnapshot(address, limits, async ({ client }) => {
    const sources = datasetSources(
      manifest,
      { [manifest.table]: table },
      await readTableFacts(client, [table]),
    );
    return statementsOf(plan, optionsFor(plan, sources, "", undefined)).map(({ sql }) => sql);
  });
  await connections.close();
  return statements;
}
