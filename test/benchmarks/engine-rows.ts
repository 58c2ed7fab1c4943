/**
 * What the benches of the engine over a file ask, and over what: `SELECT key, COUNT(*), AVG(value) ... WHERE ... GROUP BY key` over rows of
 * people who each have as many.
 */
import type { DatasetManifest } from "../../node/data-sharing/manifests/dataset-manifest.ts";
import type { Vector } from "../../node/data-sharing/plan/plan.ts";
import { column, declared, manifestOf, rowCount, sumOf } from "../ports/data-files.ts";

const names = Array.from({ length: 10 }, (_, at) => `k${at}`);

/** A SELECT of DuckDB that makes the rows up. */
export function rowsSql(rows: number, people: number): string {
  return `SELECT range % ${people} AS person, 'k' || hash(range) % ${names.length} AS key,
    CAST(hash(range, 1) % 1000 AS INTEGER) AS value, CAST(hash(range % ${people}, 2) % 100 AS INTEGER) AS age
    FROM range(${rows})`;
}

export function manifestFor(
  parts: Pick<DatasetManifest, "rowsPerPerson"> & Partial<DatasetManifest>,
): DatasetManifest {
  return manifestOf({
    columns: {
      key: { type: "text", domain: names, nullable: false },
      value: { type: "integer", bounds: [0, 999], nullable: false },
      age: { type: "integer", bounds: [0, 120], nullable: false },
    },
    ...parts,
  });
}

/** The question as anyone would put it to DuckDB, over a table `rows`, */
export const averagesSql =
  "SELECT key, count(*), avg(value) FROM rows WHERE age >= 30 AND value > 100 GROUP BY key";

/** and the parts of its plan. */
export const averages: Vector[] = [rowCount, sumOf(column("value"), 0n, 999n, 500n)];
export const filter = { kind: "and" as const, operands: [over("age", 29), over("value", 100)] };
export const byKey = [
  declared(
    column("key"),
    names.map((_, at) => String(at)),
    names,
  ),
];

function over(name: string, value: number) {
  return {
    kind: "compare",
    operator: "<",
    left: { kind: "constant", value: String(value) },
    right: column(name),
  } as const;
}
