/** A dataset, its rows and its file, for the suites of data stores and engines. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type DatasetManifest,
  datasetManifestSchema,
} from "../../node/data-sharing/manifests/dataset-manifest.ts";
import { daysToDate, formatDecimal } from "../../node/data-sharing/manifests/grid.ts";
import type { PersonRow } from "../../node/data-sharing/plan/evaluate.ts";
import type {
  Bounding,
  Expression,
  GroupKey,
  Plan,
  Predicate,
  Rows,
  Vector,
} from "../../node/data-sharing/plan/plan.ts";
import type { DatasetStore, EngineLimits, PlanEngine } from "../../node/data-sharing/ports.ts";

export interface DataUnderTest {
  store: DatasetStore;
  engine: PlanEngine;
  /** Empty, for files of the tests; nothing else is in it. */
  inbox: string;
  /** What the store keeps, to see that nothing changed. */
  listing(): string[];
  dispose(): Promise<void> | void;
}

export const limits: EngineLimits = { timeMsMax: 30_000, memoryBytesMax: 512 << 20 };
export const regions = ["north", "it's south", 'the "east"', "west; or so"];

export function manifestOf(changes: Partial<DatasetManifest> = {}): DatasetManifest {
  return datasetManifestSchema.parse({
    name: "visits",
    title: "Visits",
    synthetic: true,
    dataClass: "health",
    table: "visits",
    person: "person",
    rowsPerPerson: 5,
    columns: {
      region: { type: "text", domain: regions, nullable: true },
      cost: { type: "decimal", scale: 2, bounds: [-100, 1000], nullable: true },
      age: { type: "integer", bounds: [0, 120] },
      day: { type: "date", bounds: ["1960-01-01", "2030-12-31"], nullable: true },
      acute: { type: "boolean", nullable: true },
      large: { type: "integer", bounds: [-(2 ** 47), 2 ** 47] },
    },
    purposes: ["dpv:ResearchAndDevelopment"],
    budget: { totalMicroRho: "1000", perQuerierMicroRho: "1000", reservedMicroRho: "100" },
    ...changes,
  });
}

export const header = "person,region,cost,age,day,acute,large";

export function writeRows(folder: string, rows: readonly PersonRow[], name = "visits.csv"): string {
  const lines = rows.map(({ person, columns }) => {
    const text = (name: string, form: (value: bigint) => string) => {
      const value = columns[name];
      return value === null || value === undefined ? "" : form(value);
    };
    return [
      person,
      text("region", (value) => `"${regions[Number(value)]!.replaceAll('"', '""')}"`),
      text("cost", (value) => formatDecimal(value, 2)),
      text("age", String),
      text("day", daysToDate),
      text("acute", (value) => String(value === 1n)),
      text("large", String),
    ].join(",");
  });
  return writeText(folder, `${[header, ...lines].join("\n")}\n`, name);
}

export function writeText(folder: string, text: string | Uint8Array, name = "visits.csv"): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

export function row(person: string, columns: Record<string, bigint | null> = {}): PersonRow {
  const plain = { region: 0n, cost: 0n, age: 30n, day: 0n, acute: 0n, large: 0n };
  return { person, columns: { ...plain, ...columns } };
}

export const column = (name: string): Expression => ({ kind: "column", name });
export const rowCount: Vector = { kind: "count", of: null };

export function sumOf(of: Expression, low: bigint, high: bigint, centre = 0n): Vector {
  return { kind: "sum", of, low: String(low), high: String(high), centre: String(centre) };
}

/** Grouped by the texts of region. */
export const byRegion: GroupKey[] = [declared(column("region"), ["0", "1", "2", "3"], regions)];

export function declared(expression: Expression, values: string[], labels = values): GroupKey {
  return { kind: "declared", expression, values, labels };
}

export interface PlanParts {
  filter?: Predicate;
  keys?: GroupKey[];
  /** Of the table `visits`, where `rows` does not say otherwise. */
  rowsPerPerson?: number;
  bounding?: Bounding;
  rows?: Rows;
}

/** A plan that releases each vector; its outputs, which no engine looks at, are left out. */
export function planOf(
  vectors: Vector[],
  {
    filter = { kind: "always" },
    keys = [],
    rowsPerPerson = 5,
    bounding = { kind: "stored" },
    rows,
  }: PlanParts = {},
): Plan {
  const source = { kind: "table" as const, table: "visits", rowsPerPerson };
  return {
    version: "itd-plan/2",
    rows: rows ?? { sources: [source], publicJoins: [], filter },
    bounding,
    keys,
    vectors,
    releases: vectors.map((_, vector) => ({
      mechanism: "gaussian",
      vector,
      sensitivitySquared: "1",
      microRho: "1",
    })),
    floor: { release: 0, minimum: 10 },
    threshold: null,
    microRho: String(vectors.length),
    outputs: [],
    post: { having: null, order: [], limit: null },
  };
}
