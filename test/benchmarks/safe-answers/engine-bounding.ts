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
import type { DatasetManifest } from "../../../node/data-sharing/manifests/dataset-manifest.ts";
import type { Plan, Vector } from "../../../node/data-sharing/plan/plan.ts";
import { column, declared, manifestOf, planOf, rowCount, sumOf } from "../../ports/data-files.ts";
import { cpuMsOf } from "../cpu.ts";

const [rows, keys, rounds] = [10_000_000, 10, 7];
const names = Array.from({ length: keys }, (_, at) => `k${at}`);
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
  const one = await ratioOf(() => connection.runAndReadAll(rawSql), ask(averages, 1));
  close();
  return { engineOneRowCpuRatio: one.ratio };
}

async function measureTenRows(folder: string, connection: DuckDBConnection): Promise<Record<string, number>> {
  const { ask, close } = await opened(folder, connection, 10);
  const raw = () => connection.runAndReadAll(rawSql);
  const bounding = { kind: "query", rowsPerGroup, groups } as const;
  const stored = await ratioOf(raw, ask(averages, 10));
  const full = await ratioOf(raw, ask(averages, 10, { bounding }));
  const naive = await ratioOf(raw, () => connection.runAndReadAll(naiveSql), 3);
  const people = await ratioOf(
    () => connection.runAndReadAll(rawSql.replace("count(*)", "count(*), count(DISTINCT person)")),
    ask([...averages, { kind: "people" }], 10),
    3,
  );
  const median = await ratioOf(
    () => connection.runAndReadAll(rawSql.replace("avg(value)", "quantile_disc(value, 0.5)")),
    ask([rowCount, { kind: "buckets", of: column("value"), low: "0", step: "10", buckets: 100 }], 10),
    3,
  );
  close();
  return {
    engineRawCpuMs: stored.rawMs,
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
  const people = rows / rowsOfPerson;
  await connection.run(
    `CREATE OR REPLACE TABLE rows AS SELECT range % ${people} AS person, 'k' || hash(range) % ${keys} AS key,
       CAST(hash(range, 1) % 1000 AS INTEGER) AS value, CAST(hash(range % ${people}, 2) % 100 AS INTEGER) AS age
     FROM range(${rows})`,
  );
  await connection.run(`COPY rows TO '${parquet}' (FORMAT parquet)`);
  const datasets = join(folder, `datasets-${rowsOfPerson}`);
  const store = openDatasetStore({ folder: datasets, randomness: new SystemRandomness() });
  const manifest = manifestFor(rowsOfPerson);
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

/** The first round, which opens and warms, is left out on both sides. */
async function ratioOf(
  raw: () => Promise<unknown>,
  safe: () => Promise<unknown>,
  times = rounds,
): Promise<{ ratio: number; rawMs: number }> {
  await raw();
  await safe();
  const [ratios, raws]: [number[], number[]] = [[], []];
  for (let round = 0; round < times; round++) {
    const rawMs = await cpuMsOf(raw);
    raws.push(rawMs);
    ratios.push((await cpuMsOf(safe)) / rawMs);
  }
  return { ratio: medianOf(ratios), rawMs: medianOf(raws) };
}

function medianOf(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function manifestFor(rowsPerPerson: number): DatasetManifest {
  return manifestOf({
    rowsPerPerson,
    columns: {
      key: { type: "text", domain: names, nullable: false },
      value: { type: "integer", bounds: [0, 999], nullable: false },
      age: { type: "integer", bounds: [0, 120], nullable: false },
    },
  });
}

const over = (name: string, value: number) =>
  ({
    kind: "compare",
    operator: "<",
    left: { kind: "constant", value: String(value) },
    right: column(name),
  }) as const;
const filter = { kind: "and" as const, operands: [over("age", 29), over("value", 100)] };
const byKey = [
  declared(
    column("key"),
    names.map((_, at) => String(at)),
    names,
  ),
];
const averages = [rowCount, sumOf(column("value"), 0n, 999n, 500n)];
const rawSql = "SELECT key, count(*), avg(value) FROM rows WHERE age >= 30 AND value > 100 GROUP BY key";
const naiveSql = `SELECT key, sum(least(n, ${rowsPerGroup})), sum(if(n > ${rowsPerGroup}, total * ${rowsPerGroup} // n, total))
  FROM (SELECT person, key, count(*) AS n, sum(value - 500) AS total FROM rows WHERE age >= 30 AND value > 100 GROUP BY person, key
        QUALIFY row_number() OVER (PARTITION BY person ORDER BY hash(person, key)) <= ${groups}) GROUP BY key`;
