/** A custodian's CSV or Parquet file, checked and ready to be read by DuckDB as columns of text `f0`, `f1`, ... */
import { open, stat } from "node:fs/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { ImportProgress } from "../../data-sharing/ports.ts";
import { TrustedDataError } from "../../errors.ts";
import { readCsvHeader, recordBytesMax } from "./csv-header.ts";
import { linesOfRows, scanCsv } from "./csv-scan.ts";
import { identifierOf } from "./stored-columns.ts";

/** The part of an import that reading a CSV file through makes up, by measurement. */
export const scanShare = 0.3;

export interface DataSource {
  /** As in the file, in its order. */
  names: string[];
  bytes: number;
  /** Of a CSV file. */
  delimiter: string | null;
  /** Known before DuckDB reads the file, of a CSV file only. */
  rows: number | undefined;
  /** A FROM item of the columns `f0`, `f1`, ... as text, empty ones NULL. The path is its parameter $1. */
  from: string;
  /** What the places of bad rows are called. */
  unit: "line" | "row";
  placesOf(rows: readonly number[]): Promise<Map<number, number>>;
}

/**
 * @param wanted Identifiers of the columns that must be there.
 * @throws TrustedDataError `data_file_*`
 */
export async function openDataSource(
  file: string,
  wanted: readonly string[],
  connection: DuckDBConnection,
  fileBytesMax: number,
  onProgress: (progress: ImportProgress) => void,
): Promise<DataSource> {
  const bytes = await sizeOf(file);
  if (bytes > fileBytesMax)
    throw new TrustedDataError(
      "data_file_too_large",
      `The file has ${bytes} bytes, more than the ${fileBytesMax} that are allowed here: split it or raise the limit.`,
      { bytes: String(bytes), bytesMax: String(fileBytesMax) },
    );
  return (await isParquet(file))
    ? parquetSource(file, bytes, wanted, connection)
    : csvSource(file, bytes, wanted, onProgress);
}

async function csvSource(
  file: string,
  bytes: number,
  wanted: readonly string[],
  onProgress: (progress: ImportProgress) => void,
): Promise<DataSource> {
  const header = await readCsvHeader(file, (names) => missingOf(names, wanted).length === 0);
  checkNames(header.names, wanted);
  const shape = await scanCsv(file, header, (bytesRead) =>
    onProgress({ bytesRead: Math.round(bytesRead * scanShare), bytesTotal: bytes }),
  );
  if (shape.rows < 1)
    throw new TrustedDataError("data_file_empty", "The file has a header line and no rows.");
  const columns = header.names.map((_, index) => `'f${index}': 'VARCHAR'`).join(", ");
  const options = [
    "auto_detect = false",
    "header = true",
    `delim = '${header.delimiter}'`,
    `quote = '"'`,
    `escape = '"'`,
    "nullstr = ''",
    "compression = 'none'",
    `max_line_size = ${2 * recordBytesMax}`,
    `parallel = ${!shape.linesInFields}`,
    `columns = {${columns}}`,
  ];
  return {
    names: header.names,
    bytes,
    delimiter: header.delimiter,
    rows: shape.rows,
    from: `read_csv($1, ${options.join(", ")})`,
    unit: "line",
    placesOf: async (rows) =>
      shape.linesInFields
        ? linesOfRows(file, header, rows)
        : new Map(rows.map((row) => [row, row + 2] as const)),
  };
}

async function parquetSource(
  file: string,
  bytes: number,
  wanted: readonly string[],
  connection: DuckDBConnection,
): Promise<DataSource> {
  const names = await parquetNames(file, connection);
  checkNames(names, wanted);
  const columns = names.map((_, index) => `nullif(CAST(c${index} AS VARCHAR), '') AS f${index}`).join(", ");
  const aliases = names.map((_, index) => `c${index}`).join(", ");
  return {
    names,
    bytes,
    delimiter: null,
    rows: undefined,
    from: `(SELECT ${columns} FROM read_parquet($1) AS file(${aliases}))`,
    unit: "row",
    placesOf: async (rows) => new Map(rows.map((row) => [row, row + 1] as const)),
  };
}

async function parquetNames(file: string, connection: DuckDBConnection): Promise<string[]> {
  try {
    return (await connection.run("SELECT * FROM read_parquet($1) LIMIT 0", [file])).columnNames();
  } catch {
    throw new TrustedDataError("data_file_invalid", "The Parquet file is damaged or of an unknown version.");
  }
}

function missingOf(names: readonly string[], wanted: readonly string[]): string[] {
  const there = new Set(names.map(identifierOf));
  return wanted.filter((column) => !there.has(column));
}

function checkNames(names: readonly string[], wanted: readonly string[]): void {
  const twice = names.filter((name, at) => names.findIndex((other) => sameColumn(other, name)) < at);
  if (twice.length > 0)
    throw new TrustedDataError(
      "data_file_invalid",
      `The header names a column twice (${twice.join(", ")}; letter case and punctuation do not count): rename one.`,
      { columns: twice.join(", ") },
    );
  const missing = missingOf(names, wanted);
  if (missing.length > 0)
    throw new TrustedDataError(
      "data_file_column_missing",
      `The file has no column ${missing.join(", ")}: it has ${names.join(", ")}.`,
      { columns: missing.join(", ") },
    );
}

function sameColumn(a: string, b: string): boolean {
  return a === b || (identifierOf(a) === identifierOf(b) && /[a-z0-9]/i.test(a));
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile()) return found.size;
  throw new TrustedDataError("data_file_not_found", "There is no file at this path.", { file });
}

async function isParquet(file: string): Promise<boolean> {
  const handle = await open(file, "r").catch(() => {
    throw new TrustedDataError("data_file_not_found", "The file may not be read.", { file });
  });
  try {
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString("latin1") === "PAR1";
  } finally {
    await handle.close();
  }
}
