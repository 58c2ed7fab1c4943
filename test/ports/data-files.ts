/** A dataset, its rows and its file, for the suites of data stores and engines. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EnrolmentCheck } from "../../node/data-sharing/consent/ports.ts";
import {
  type DatasetColumn,
  type DatasetManifest,
  datasetManifestSchema,
  tablesOf,
} from "../../node/data-sharing/manifests/dataset-manifest.ts";
import { daysToDate, formatDecimal } from "../../node/data-sharing/manifests/grid.ts";
import { textCode } from "../../node/data-sharing/manifests/text-code.ts";
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
  store: DatasetStore & EnrolmentCheck;
  engine: PlanEngine;
  /** Empty, for files of the tests; nothing else is in it. */
  inbox: string;
  /** Puts these rows, by table, in the place of the dataset's; by way of files where an adapter does not say how (`loadFiles`). */
  load?(manifest: DatasetManifest, tables: TableRows): Promise<unknown>;
  /** What the store keeps, to see that nothing changed. */
  listing(): string[];
  dispose(): Promise<void> | void;
}

export type TableRows = Readonly<Record<string, readonly PersonRow[]>>;

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

/** The texts of open domains, by their code. */
export const towns = ["Oslo", 'Kingston, "upon" Hull', "Łódź", "O'Fallon", "\u8d8a\u91ce", "x".repeat(100)];
export const texts: ReadonlyMap<bigint, string> = new Map(towns.map((town) => [textCode(town), town]));

/** Two texts with one code, found in 2^31 hashes: a minute's work for whoever wants to. */
export const sameCode = ["25ff4df58cfb9fa", "67e6f1ff27fc3ce"] as const;

/** The manifest with an open domain and two further tables; each has a number `who` for each person. */
export function joinedManifest(changes: Partial<DatasetManifest> = {}): DatasetManifest {
  const who: DatasetColumn = { type: "integer", bounds: [0, 1_000_000], nullable: false };
  const town: DatasetColumn = { type: "text", domain: "open", nullable: true };
  return manifestOf({
    columns: { ...manifestOf().columns, town, who },
    furtherTables: {
      patients: {
        rowsPerPerson: 1,
        columns: {
          who,
          born: { type: "date", bounds: ["1900-01-01", "2030-12-31"], nullable: true },
          weight: { type: "decimal", scale: 1, bounds: [0, 300], nullable: false },
          town,
        },
      },
      drugs: {
        rowsPerPerson: 3,
        columns: {
          who,
          dose: { type: "integer", bounds: [-1000, 1000], nullable: true },
          generic: { type: "boolean", nullable: false },
        },
      },
    },
    ...changes,
  });
}

export const header = "person,region,cost,age,day,acute,large";

export function writeRows(folder: string, rows: readonly PersonRow[], name = "visits.csv"): string {
  return writeTable(folder, manifestOf().columns, rows, name);
}

/** @returns The path of a CSV file with the rows. */
export function writeTable(
  folder: string,
  columns: Readonly<Record<string, DatasetColumn>>,
  rows: readonly PersonRow[],
  name: string,
): string {
  const lines = rows.map((row) => {
    const values = Object.entries(columns).map(([name, column]) => {
      const value = row.columns[name];
      return value === null || value === undefined ? "" : textOf(column, value);
    });
    return [row.person, ...values].join(",");
  });
  const names = ["person", ...Object.keys(columns)].join(",");
  return writeText(folder, `${[names, ...lines].join("\n")}\n`, name);
}

function textOf(column: DatasetColumn, value: bigint): string {
  switch (column.type) {
    case "text": {
      const text = column.domain === "open" ? texts.get(value) : column.domain[Number(value)];
      return `"${text!.replaceAll('"', '""')}"`;
    }
    case "decimal":
      return formatDecimal(value, column.scale);
    case "date":
      return daysToDate(value);
    case "boolean":
      return String(value === 1n);
    case "integer":
      return String(value);
  }
}

/** Loads rows as the adapter says, or by CSV files. */
export async function loadTables(
  data: DataUnderTest,
  manifest: DatasetManifest,
  tables: TableRows,
): Promise<void> {
  if (data.load !== undefined) {
    await data.load(manifest, tables);
    return;
  }
  const files = Object.fromEntries(
    [...tablesOf(manifest)].map(([name, { columns }]) => [
      name,
      writeTable(data.inbox, columns, tables[name]!, `${name}.csv`),
    ]),
  );
  const { [manifest.table]: file, ...further } = files;
  await data.store.importFile(file!, manifest, undefined, further);
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
