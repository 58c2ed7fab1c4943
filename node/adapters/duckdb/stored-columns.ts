/**
 * How a dataset lies in its DuckDB file: one table, `rows_`, of integers. A declared column `wage` is `v_wage`; the prefix keeps declared
 * names apart from ours and from reserved words. `person_` numbers the people in random order, `rank_` (1-based) the rows of one person.
 */
import type { DatasetManifest } from "../../data-sharing/manifests/dataset-manifest.ts";
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
  /** Texts by their code; empty but for text columns. */
  domain: readonly string[];
  sqlType: "INTEGER" | "BIGINT";
}

export function storedColumns(manifest: DatasetManifest): StoredColumn[] {
  return [...planColumns(manifest)].map(([name, column]) => {
    const { low, high } = column.range ?? { low: -storedMagnitudeMax, high: storedMagnitudeMax };
    assert(low <= high && low >= -storedMagnitudeMax && high <= storedMagnitudeMax, "bounds fit 18 digits");
    const sqlType = low >= -(2n ** 31n) && high < 2n ** 31n ? "INTEGER" : "BIGINT";
    const domain = column.type === "text" ? column.domain : [];
    const { type, nullable, scale } = column;
    return { name, type, nullable, scale, low, high, domain, sqlType };
  });
}

/** Of all that stored rows depend on: with another shape they would mean something else, or a person count for more. */
export function shapeHash(manifest: DatasetManifest): Hex {
  const { table, person, rowsPerPerson } = manifest;
  const columns = storedColumns(manifest)
    .map(({ low, high, ...column }) => ({ ...column, low: String(low), high: String(high) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return canonicalHash({ version: "itd-shape/1", table, person, rowsPerPerson, columns });
}

/** The SQL name of a declared column. Nothing but lower-case letters, digits and underscores ever goes into a statement as a name. */
export function sqlName(column: string): string {
  assert(/^[a-z][a-z0-9_]{0,62}$/.test(column), "a column name is an identifier");
  return `v_${column}`;
}

/** What a header is called in a manifest: lower case, anything else than letters and digits as underscores. */
export function identifierOf(header: string): string {
  const lower = header.normalize("NFKD").toLowerCase();
  if (/^[a-z][a-z0-9_]{0,62}$/.test(lower)) return lower;
  const words = lower.replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  return (/^[a-z]/.test(words) ? words : `c_${words}`).slice(0, 63);
}
