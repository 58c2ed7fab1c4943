/** The lab's CSV as engines would store it, and its manifests as nodes would read them: what the lab's tests share. */
import { readFileSync } from "node:fs";
import { parseAlgorithmManifest } from "../../../../node/data-sharing/manifests/algorithm-manifest.ts";
import {
  type DatasetColumn,
  type DatasetManifest,
  parseDatasetManifest,
} from "../../../../node/data-sharing/manifests/dataset-manifest.ts";
import { decimalToGrid } from "../../../../node/data-sharing/manifests/grid.ts";
import { textCode } from "../../../../node/data-sharing/manifests/text-code.ts";
import type { PersonRow } from "../../../../node/data-sharing/plan/evaluate.ts";
import {
  algorithmManifestUrl,
  datasetLines,
  datasetManifestUrl,
} from "../../../../node/living-lab/content.ts";

export const datasetNames = Object.keys(datasetLines);

export function datasetManifest(name: string): DatasetManifest {
  return parseDatasetManifest(readFileSync(datasetManifestUrl(name), "utf8"));
}

export function algorithmManifest(name: string) {
  return parseAlgorithmManifest(readFileSync(algorithmManifestUrl(name), "utf8"));
}

/** The records of a CSV, by the names of its header. */
export function recordsOf(lines: Iterable<string>): Record<string, string>[] {
  const [header = "", ...rows] = lines;
  const names = header.split(",");
  return rows.map((row) => Object.fromEntries(row.split(",").map((text, index) => [names[index]!, text])));
}

/** Rows of integers; NaN-like values become errors of `BigInt`. */
export function personRows(lines: Iterable<string>, manifest: DatasetManifest): PersonRow[] {
  return recordsOf(lines).map((record) => ({
    person: record[manifest.person]!,
    columns: Object.fromEntries(
      Object.entries(manifest.columns).map(([name, column]) => [name, stored(record[name]!, column)]),
    ),
  }));
}

/** The stored integer; -1 for a text outside of a declared domain. */
export function stored(text: string, column: DatasetColumn): bigint {
  switch (column.type) {
    case "text":
      return column.domain === "open" ? textCode(text) : BigInt(column.domain.indexOf(text));
    case "boolean":
      return BigInt(["false", "true"].indexOf(text));
    case "integer":
      return BigInt(text);
    case "decimal":
      return decimalToGrid(Number(text), column.scale)!;
    default:
      throw new Error(`no column of the lab is a ${column.type}`);
  }
}
