/** A dataset's columns as plans see them: integers with a range, and how to read their constants. */
import { assert } from "../../primitives/assert.ts";
import type { DatasetColumn, DatasetTable } from "../manifests/dataset-manifest.ts";
import { dateToDays, decimalToGrid } from "../manifests/grid.ts";

/** Whole numbers from `low` to `high`, both inside. */
export interface Interval {
  low: bigint;
  high: bigint;
}

export interface PlanColumn {
  type: DatasetColumn["type"];
  nullable: boolean;
  /** Decimal places of the grid; 0 but for decimals. */
  scale: number;
  /** What stored values lie in, as loading clamps them; null where the manifest declares no bounds. */
  range: Interval | null;
  /** Texts by their code; empty but for text and boolean columns. */
  domain: readonly string[];
  /** A text of an open domain: its values are `textCode`s. */
  open: boolean;
  /** All values that there are, where a public table says so. */
  values?: readonly bigint[];
}

export type PlanColumns = ReadonlyMap<string, PlanColumn>;

export function planColumns(table: Pick<DatasetTable, "columns">): PlanColumns {
  return new Map(Object.entries(table.columns).map(([name, column]) => [name, planColumn(column)]));
}

function planColumn(column: DatasetColumn): PlanColumn {
  const { type, nullable } = column;
  switch (column.type) {
    case "text":
    case "boolean": {
      if (column.type === "text" && column.domain === "open")
        return { type, nullable, scale: 0, range: { low: 0n, high: 2n ** 60n - 1n }, domain: [], open: true };
      // false is stored as 0, true as 1.
      const domain = column.type === "text" ? (column.domain as string[]) : ["false", "true"];
      const range = { low: 0n, high: BigInt(domain.length - 1) };
      return { type, nullable, scale: 0, range, domain, open: false };
    }
    case "date": {
      const range = column.bounds === undefined ? null : intervalOf(column.bounds.map(dateToDays));
      return { type, nullable, scale: 0, range, domain: [], open: false };
    }
    default: {
      const scale = column.type === "decimal" ? column.scale : 0;
      const range =
        column.bounds === undefined
          ? null
          : intervalOf(column.bounds.map((bound) => decimalToGrid(bound, scale)));
      return { type, nullable, scale, range, domain: [], open: false };
    }
  }
}

function intervalOf(bounds: (bigint | null)[]): Interval {
  const [low, high] = bounds;
  assert(typeof low === "bigint" && typeof high === "bigint", "the manifest's bounds lie on the grid");
  return { low, high };
}
