/**
 * What the benches over PostgreSQL ask, and over what: `SELECT key, COUNT(*), AVG(value) ... WHERE age > 29 GROUP BY key`, as the role that
 * may only read.
 */
import type { DatasetManifest } from "../../node/data-sharing/manifests/dataset-manifest.ts";
import type { Plan } from "../../node/data-sharing/plan/plan.ts";
import { column, declared, manifestOf, planOf, rowCount, sumOf } from "../ports/data-files.ts";

const names = Array.from({ length: 10 }, (_, at) => `k${at}`);

export const limits = { timeMsMax: 120_000, memoryBytesMax: 1 << 30 };
export const reader = "bench_reader";

export function manifestFor(
  parts: Pick<DatasetManifest, "name" | "table" | "rowsPerPerson"> & Partial<DatasetManifest>,
): DatasetManifest {
  return manifestOf({
    columns: {
      key: { type: "text", domain: names, nullable: false },
      value: { type: "decimal", scale: 2, bounds: [0, 1000], nullable: false },
      age: { type: "integer", bounds: [0, 120], nullable: false },
    },
    ...parts,
  });
}

export function planFor(table: string, rowsPerPerson: number): Plan {
  return planOf(
    [rowCount, { kind: "count", of: column("value") }, sumOf(column("value"), 0n, 100_000n, 50_000n)],
    {
      rows: {
        sources: [{ kind: "table", table, rowsPerPerson }],
        publicJoins: [],
        filter: {
          kind: "compare",
          operator: "<",
          left: { kind: "constant", value: "29" },
          right: column("age"),
        },
      },
      keys: [
        declared(
          column("key"),
          names.map((_, at) => String(at)),
          names,
        ),
      ],
    },
  );
}
