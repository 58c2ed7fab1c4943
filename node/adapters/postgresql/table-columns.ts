/** A table's declared columns with the interval in which every value of a plan lies, bounds or none. */
import type { DatasetTable } from "../../data-sharing/manifests/dataset-manifest.ts";
import { dateToDays } from "../../data-sharing/manifests/grid.ts";
import { type Interval, type PlanColumn, planColumns } from "../../data-sharing/plan/columns.ts";
import { assert } from "../../primitives/assert.ts";

/** Numbers without declared bounds are kept within 18 digits, as the import of files does. */
const magnitudeMax = 10n ** 18n - 1n;
/** The days of which plans can take parts; PostgreSQL knows earlier and later ones. */
export const dayRange: Interval = { low: dayOf("0001-01-01"), high: dayOf("9999-12-31") };

export interface TableColumn extends PlanColumn {
  name: string;
  range: Interval;
}

export function tableColumns(table: Pick<DatasetTable, "columns">): TableColumn[] {
  return [...planColumns(table)].map(([name, column]) => ({ ...column, name, range: rangeOf(column) }));
}

function rangeOf({ type, range }: PlanColumn): Interval {
  if (type !== "date") return range ?? { low: -magnitudeMax, high: magnitudeMax };
  if (range === null) return dayRange;
  const inside = (day: bigint) =>
    day < dayRange.low ? dayRange.low : day > dayRange.high ? dayRange.high : day;
  return { low: inside(range.low), high: inside(range.high) };
}

function dayOf(text: string): bigint {
  const days = dateToDays(text);
  assert(days !== null, "a day that exists");
  return days;
}
