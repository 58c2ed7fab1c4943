/**
 * How a dataset lies in its DuckDB file: for each table, say `visits`, one of integers, `rows_visits`. A declared column `wage` is `v_wage`;
 * the prefixes keep declared names apart from ours and from reserved words. `person_` numbers the people of all tables in random order,
 * `rank_` (1-based) the rows of one person in one table; rows lie in the order of both. Texts of open domains are their `textCode`s, and
 * `texts_` says which text a code stands for. `built_` says by what the file was built, and holds the secret by which groups of a person are
 * chosen. Where consent is needed a further table, `people_`, holds each person's number with their keyed hash in four words
 * (`person-hash-sql.ts`).
 */
import {
  type DatasetManifest,
  type DatasetTable,
  needsConsent,
  tablesOf,
} from "../../data-sharing/manifests/dataset-manifest.ts";
import { planColumns } from "../../data-sharing/plan/columns.ts";
import { assert } from "../../primitives/assert.ts";
import { canonicalHash } from "../../primitives/canonical-json.ts";
import type { Hex } from "../../primitives/hex.ts";

/** Columns without declared bounds are kept within 18 digits, so that no comparison leaves 64 bits. */
export const storedMagnitudeMax = 10n ** 18n - 1n;

export interface StoredColumn {
  name: string;
  type: "integer" | "decimal" | "text" | "boolean" | "date";
  nullable: boolean;
  scale: number;
  /** Every stored value lies between them, both inside. */
  low: bigint;
  high: bigint;
  /** Texts by their code; empty but for text columns with a declared domain. */
  domain: readonly string[];
  /** A text of an open domain, kept as its `textCode`. */
  open: boolean;
  sqlType: "INTEGER" | "BIGINT";
}

/** By table, the first one first. */
export type StoredTables = ReadonlyMap<string, readonly StoredColumn[]>;

export function storedTables(manifest: DatasetManifest): StoredTables {
  return new Map([...tablesOf(manifest)].map(([name, table]) => [name, storedColumns(table)]));
}

export function storedColumns(table: Pick<DatasetTable, "columns">): StoredColumn[] {
  return [...planColumns(table)].map(([name, column]) => {
    const { low, high } = column.range ?? { low: -storedMagnitudeMax, high: storedMagnitudeMax };
    assert(low <= high && low > -(2n ** 62n) && high < 2n ** 62n, "bounds fit 62 bits");
    const sqlType = low >= -(2n ** 31n) && high < 2n ** 31n ? "INTEGER" : "BIGINT";
    const domain = column.type === "text" ? column.domain : [];
    const { type, nullable, scale, open } = column;
    return { name, type, nullable, scale, low, high, domain, open, sqlType };
  });
}

/** Of all that stored rows depend on: with another shape they would mean something else, or a person count for more. */
export function shapeHash(manifest: DatasetManifest): Hex {
  const { table, person } = manifest;
  const tables = [...tablesOf(manifest)].map(([name, one]) => ({
    name,
    rowsPerPerson: one.rowsPerPerson,
    columns: storedColumns(one)
      .map(({ low, high, ...column }) => ({ ...column, low: String(low), high: String(high) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  }));
  tables.sort((a, b) => (a.name < b.name ? -1 : 1));
  // With consent the file also knows people by their keyed hash.
  const consent = needsConsent(manifest) ? { consent: "required" } : {};
  return canonicalHash({ version: "itd-shape/2", table, person, tables, ...consent });
}

/** The SQL name of a declared column. Nothing but lower-case letters, digits and underscores ever goes into a statement as a name. */
export function sqlName(column: string): string {
  assert(/^[a-z][a-z0-9_]{0,62}$/.test(column), "a column name is an identifier");
  return `v_${column}`;
}

/** The SQL name of a declared table's rows. */
export function tableName(table: string): string {
  assert(/^[a-z][a-z0-9_]{0,62}$/.test(table), "a table name is an identifier");
  return `rows_${table}`;
}

/** What a header is called in a manifest: lower case, anything else than letters and digits as underscores. */
export function identifierOf(header: string): string {
  const lower = header.normalize("NFKD").toLowerCase();
  if (/^[a-z][a-z0-9_]{0,62}$/.test(lower)) return lower;
  const words = lower.replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  return (/^[a-z]/.test(words) ? words : `c_${words}`).slice(0, 63);
}
