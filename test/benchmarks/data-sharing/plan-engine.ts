/**
 * The engine's whole path for `SELECT key, COUNT(*), AVG(value) ... WHERE ... GROUP BY key` over 10 million rows of a million people, against
 * the same question put to DuckDB over the same rows as anyone would keep them: no bounds, no ranks.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { openDatasetStore } from "../../../node/adapters/duckdb/duckdb-dataset-store.ts";
import { DuckDbEngine } from "../../../node/adapters/duckdb/duckdb-engine.ts";
import { SystemRandomness } from "../../../node/adapters/system-randomness.ts";
import type { DatasetManifest } from "../../../node/data-sharing/manifests/dataset-manifest.ts";
import type { Plan } from "../../../node/data-sharing/plan/plan.ts";
import { column, declared, manifestOf, planOf, rowCount, sumOf } from "../../ports/data-files.ts";
import { cpuMsOf } from "../cpu.ts";

const [people, rowsOfPerson, keys, rounds] = [1_000_000, 10, 10, 7];
const names = Array.from({ length: keys }, (_, at) => `k${at}`);

export async function benchPlanEngine(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), "itd-bench-"));
  try {
    return await measure(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(folder: string): Promise<Record<string, number>> {
  const parquet = join(folder, "rows.parquet");
  const instance = await DuckDBInstance.create(join(folder, "raw.duckdb"), {
    threads: "2",
    memory_limit: "1GiB",
  });
  const connection = await instance.connect();
  await makeRows(connection, parquet);
  const datasets = join(folder, "datasets");
  const store = openDatasetStore({ folder: datasets, randomness: new SystemRandomness() });
  const importCpuMs = await cpuMsOf(() => store.importFile(parquet, manifest));
  const engine = new DuckDbEngine({ folder: datasets });
  const limits = { timeMsMax: 60_000, memoryBytesMax: 1 << 30 };
  const raw = "SELECT key, count(*), avg(value) FROM rows WHERE age >= 30 AND value > 100 GROUP BY key";
  const rawCpuMs = await medianCpuMs(() => connection.runAndReadAll(raw));
  const engineCpuMs = await medianCpuMs(() => engine.execute(manifest.name, plan, limits));
  engine.close();
  connection.closeSync();
  instance.closeSync();
  return {
    importCpuMs,
    rawCpuMs,
    engineCpuMs,
    cpuRatio: engineCpuMs / rawCpuMs,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** The first round, which opens and warms, is left out on both sides. */
async function medianCpuMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  await work();
  for (let round = 0; round < rounds; round++) times.push(await cpuMsOf(work));
  return times.sort((a, b) => a - b)[rounds >> 1]!;
}

async function makeRows(connection: DuckDBConnection, parquet: string): Promise<void> {
  await connection.run(
    `CREATE TABLE rows AS SELECT range % ${people} AS person, 'k' || hash(range) % ${keys} AS key,
       CAST(hash(range, 1) % 1000 AS INTEGER) AS value, CAST(hash(range % ${people}, 2) % 100 AS INTEGER) AS age
     FROM range(${people * rowsOfPerson})`,
  );
  await connection.run(`COPY rows TO '${parquet}' (FORMAT parquet)`);
}

const manifest: DatasetManifest = manifestOf({
  rowsPerPerson: rowsOfPerson,
  columns: {
    key: { type: "text", domain: names, nullable: false },
    value: { type: "integer", bounds: [0, 999], nullable: false },
    age: { type: "integer", bounds: [0, 120], nullable: false },
  },
});

const over = (name: string, value: number) =>
  ({
    kind: "compare",
    operator: "<",
    left: { kind: "constant", value: String(value) },
    right: column(name),
  }) as const;
const plan: Plan = planOf(
  [rowCount, { kind: "count", of: column("value") }, sumOf(column("value"), 0n, 999n, 500n)],
  {
    filter: { kind: "and", operands: [over("age", 29), over("value", 100)] },
    keys: [
      declared(
        column("key"),
        names.map((_, at) => String(at)),
        names,
      ),
    ],
    // Just below what the store keeps, so that ranks are looked at and nearly all rows take part.
    rowsPerPerson: rowsOfPerson - 1,
  },
);
