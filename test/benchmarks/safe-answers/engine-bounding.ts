/**
 * What bounding costs on DuckDB: the engine's whole path for `SELECT key, COUNT(*), AVG(value) ... WHERE ... GROUP BY key` over 10 million
 * rows, against the same question put to DuckDB over the same rows as anyone would keep them: no bounds, no ranks. With one row a person,
 * with ten (bounded when imported), and with ten of which the question itself lets 2 rows in each of 4 groups count; beside the last the
 * usual rewriting of that into SQL. Each ratio is the median of rounds in which both sides take turns.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { openDatasetStore } from "../../../node/adapters/duckdb/duckdb-dataset-store.ts";
import { DuckDbEngine } from "../../../node/adapters/duckdb/duckdb-engine.ts";
import { SystemRandomness } from "../../../node/adapters/system-randomness.ts";
import type { Plan, Vector } from "../../../node/data-sharing/plan/plan.ts";
import { column, planOf, rowCount } from "../../ports/data-files.ts";
import { cpuRatioOf } from "../cpu.ts";
import { averages, averagesSql, byKey, filter, manifestFor, rowsSql } from "../engine-rows.ts";

const [rows, rounds] = [10_000_000, 7];
const [rowsPerGroup, groups] = [2, 4];

export async function benchEngineBounding(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), "itd-bench-"));
  const instance = await DuckDBInstance.create(join(folder, "raw.duckdb"), {
    threads: "2",
    // The naive rewriting and count(DISTINCT) take what they take.
    memory_limit: "6GiB",
  });
  const connection = await instance.connect();
  try {
    return { ...(await measureOneRow(folder, connection)), ...(await measureTenRows(folder, connection)) };
  } finally {
    connection.closeSync();
    instance.closeSync();
    rmSync(folder, { recursive: true });
  }
}

async function measureOneRow(folder: string, connection: DuckDBConnection): Promise<Record<string, number>> {
  const { ask, close } = await opened(folder, connection, 1);
  const one = await cpuRatioOf(ask(averages, 1), () => connection.runAndReadAll(averagesSql), rounds);
  close();
  return { engineOneRowCpuRatio: one.ratio };
}

async function measureTenRows(folder: string, connection: DuckDBConnection): Promise<Record<string, number>> {
  const { ask, close } = await opened(folder, connection, 10);
  const raw = () => connection.runAndReadAll(averagesSql);
  const bounding = { kind: "query", rowsPerGroup, groups } as const;
  const stored = await cpuRatioOf(ask(averages, 10), raw, rounds);
  const full = await cpuRatioOf(ask(averages, 10, { bounding }), raw, rounds);
  const naive = await cpuRatioOf(() => connection.runAndReadAll(naiveSql), raw, 3);
  const people = await cpuRatioOf(
    ask([...averages, { kind: "people" }], 10),
    () => connection.runAndReadAll(averagesSql.replace("count(*)", "count(*), count(DISTINCT person)")),
    3,
  );
  const median = await cpuRatioOf(
    ask([rowCount, { kind: "buckets", of: column("value"), low: "0", step: "10", buckets: 100 }], 10),
    () => connection.runAndReadAll(averagesSql.replace("avg(value)", "quantile_disc(value, 0.5)")),
    3,
  );
  close();
  return {
    engineRawCpuMs: stored.referenceMs,
    enginePreBoundedCpuRatio: stored.ratio,
    engineFullBoundingCpuRatio: full.ratio,
    engineNaiveRewritingCpuRatio: naive.ratio,
    enginePeopleCpuRatio: people.ratio,
    engineQuantileCpuRatio: median.ratio,
  };
}

type Ask = (
  vectors: Vector[],
  rowsPerPerson: number,
  parts?: Pick<Plan, "bounding">,
) => () => Promise<unknown>;

/** Makes the rows and imports them. */
async function opened(
  folder: string,
  connection: DuckDBConnection,
  rowsOfPerson: number,
): Promise<{ ask: Ask; close: () => void }> {
  const parquet = join(folder, "rows.parquet");
  await connection.run(`CREATE OR REPLACE TABLE rows AS ${rowsSql(rows, rows / rowsOfPerson)}`);
  await connection.run(`COPY rows TO '${parquet}' (FORMAT parquet)`);
  const datasets = join(folder, `datasets-${rowsOfPerson}`);
  const store = openDatasetStore({ folder: datasets, randomness: new SystemRandomness() });
  const manifest = manifestFor({ rowsPerPerson: rowsOfPerson });
  await store.importFile(parquet, manifest);
  const engine = new DuckDbEngine({ folder: datasets });
  const limits = { timeMsMax: 60_000, memoryBytesMax: 1 << 30 };
  return {
    ask: (vectors, rowsPerPerson, parts) => {
      const plan = planOf(vectors, { filter, keys: byKey, rowsPerPerson, ...parts });
      return () => engine.execute(manifest.name, plan, limits);
    },
    close: () => engine.close(),
  };
}

const naiveSql = `SELECT key, sum(least(n, ${rowsPerGroup})), sum(if(n > ${rowsPerGroup}, total * ${rowsPerGroup} // n, total))
  FROM (SELECT person, key, count(*) AS n, sum(value - 500) AS total FROM rows WHERE age >= 30 AND value > 100 GROUP BY person, key
        QUALIFY row_number() OVER (PARTITION BY person ORDER BY hash(person, key)) <= ${groups}) GROUP BY key`;
