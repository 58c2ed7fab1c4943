/** What is wrong with a custodian's data file, in one sentence and with the lines. Seen by the custodian only, so it may be exact. */
import { TrustedDataError } from "../../errors.ts";

/** More would not help to find the cause. */
export const badRowsShownMax = 10;

export interface BadRow {
  /** 1-based line of a CSV file, or row of a Parquet file. */
  line: number;
  /** Empty where the row itself is broken. */
  column: string;
  reason: string;
}

/** @param unit What `line` counts. */
export function badRowsError(rows: readonly BadRow[], unit: "line" | "row"): TrustedDataError {
  const places = [...Map.groupBy(rows, (row) => `${unit} ${row.line}`)];
  const texts = places
    .slice(0, badRowsShownMax)
    .map(([at, own]) => [at, own.map(describe).join("; ")] as const);
  const more = places.length > badRowsShownMax ? ", and more" : "";
  return new TrustedDataError(
    "data_file_invalid",
    `The file has rows that cannot be taken: ${texts.map(([place, text]) => `${place} (${text})`).join(", ")}${more}. Nothing was imported; correct them or the manifest.`,
    Object.fromEntries(texts),
  );
}

function describe({ column, reason }: BadRow): string {
  return column === "" ? reason : `${column}: ${reason}`;
}
