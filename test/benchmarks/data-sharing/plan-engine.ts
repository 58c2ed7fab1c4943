/**
 * The engine's whole path for `SELECT key, COUNT(*), AVG(value) ... WHERE ... GROUP BY key` over 10 million rows of a million people, against
 * the same question put to DuckDB over the same rows as anyone would keep them: no bounds, no ranks.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { openDatasetStore } from "../../../node/adapters/duckdb/duckdb-dataset-store.ts";
import { DuckDbEngine } from "../../../node/adapters/duckdb/duckdb-engine.ts";
import { SystemRandomness } from "../../../node/adapters/system-randomness.ts";
import { column, planOf, rowCount } from "../../ports/data-files.ts";
import { cpuMsOf, medianCpuMs } from "../cpu.ts";
import { averages, averagesSql, byKey, filter, manifestFor, rowsSql } from "../engine-rows.ts";

const [people, rowsOfPerson, rounds] = [1_000_000, 10, 7];

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
  await connection.run(`CREATE TABLE rows AS ${rowsSql(people * rowsOfPerson, people)}`);
  await connection.run(`COPY rows TO '${parquet}' (FORMAT parquet)`);
  const datasets = join(folder, "datasets");
  const store = openDatasetStore({ folder: datasets, randomness: new SystemRandomness() });
  const importCpuMs = await cpuMsOf(() => store.importFile(parquet, manifest));
  const engine = new DuckDbEngine({ folder: datasets });
  const limits = { timeMsMax: 60_000, memoryBytesMax: 1 << 30 };
  const rawCpuMs = await medianCpuMs(() => connection.runAndReadAll(averagesSql), rounds);
  const engineCpuMs = await medianCpuMs(() => engine.execute(manifest.name, plan, limits), rounds);
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

const manifest = manifestFor({ rowsPerPerson: rowsOfPerson });
const plan = planOf([rowCount, { kind: "count", of: column("value") }, ...averages.slice(1)], {
  filter,
  keys: byKey,
  // Just below what the store keeps, so that ranks are looked at and nearly all rows take part.
  rowsPerPerson: rowsOfPerson - 1,
});
