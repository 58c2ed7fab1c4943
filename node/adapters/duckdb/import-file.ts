/**
 * Builds a dataset's DuckDB file from CSV or Parquet files, one for each table: text to integers, clamped to the declared bounds, rows bounded per person.
 *
 * The work goes through a second database that is deleted afterwards, as freed blocks of a DuckDB file keep their content: the file that
 * stays has never held a person's name. Names become MD5 under a secret key drawn for this import (a keyed shuffle: no hash leaves, and
 * without the key nobody can search for two names with one hash). People are numbered in the order of the hash, and the rows of a
 * person ranked by a keyed hash of their place; the table lies in this order, so nothing of the file's order stays. Where consent is needed,
 * each number stays with a hash under the repository's own secret, so that enrolments hold over imports.
 */
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import {
  type DatasetManifest,
  needsConsent,
  tablesOf,
} from "../../data-sharing/manifests/dataset-manifest.ts";
import type { ImportProgress, ImportReport } from "../../data-sharing/ports.ts";
import { TrustedDataError } from "../../errors.ts";
import { assert } from "../../primitives/assert.ts";
import { openDataSource, scanShare } from "./data-source.ts";
import { personHashSql } from "./person-hash-sql.ts";
import { type Counts, checkStaged, stageTable, type TableToStage } from "./staged-table.ts";
import { storeTables } from "./store-tables.ts";
import { identifierOf, type StoredColumn, storedColumns } from "./stored-columns.ts";

const progressIntervalMs = 250;
/** Where in the whole storing begins, by measurement. */
const storeShare = 0.7;

export interface ImportOptions {
  /** An empty folder of our own; holds people's values while the import runs. */
  workFolder: string;
  /** 32 secret bytes. */
  key: Uint8Array;
  /** Under which people are known over imports; for a dataset that needs consent only. */
  personSecret?: Uint8Array | undefined;
  fileBytesMax: number;
  memoryBytesMax: number;
  threads: number;
  onProgress: (progress: ImportProgress) => void;
}

/**
 * Writes the data file at `target`, complete and closed.
 * @param files By table, all those of the manifest.
 */
export async function buildDataFile(
  files: ReadonlyMap<string, string>,
  manifest: DatasetManifest,
  target: string,
  options: ImportOptions,
): Promise<ImportReport> {
  const instance = await DuckDBInstance.create(join(options.workFolder, "staging.duckdb"), {
    memory_limit: `${Math.floor(options.memoryBytesMax / 1024)}KiB`,
    threads: String(options.threads),
    temp_directory: join(options.workFolder, "spill"),
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  try {
    return await build(connection, files, manifest, target, options);
  } catch (error) {
    throw importError(error);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

interface StagedTable {
  name: string;
  columns: StoredColumn[];
  counts: Counts;
  ignoredColumns: string[];
  delimiter: string | null;
}

async function build(
  connection: DuckDBConnection,
  files: ReadonlyMap<string, string>,
  manifest: DatasetManifest,
  target: string,
  options: ImportOptions,
): Promise<ImportReport> {
  const { key, personSecret } = options;
  assert(key.length === 32, "the key has 32 bytes");
  assert(needsConsent(manifest) === (personSecret !== undefined), "people are known where consent is needed");
  const secret = Buffer.from(key).toString("hex");
  const report = await progressOf(files, options.onProgress);
  const tables: StagedTable[] = [];
  for (const name of tablesOf(manifest).keys())
    tables.push(
      await namingFile(files, name, () =>
        readTable(connection, manifest, name, files, secret, options, (share) =>
          report(name, storeShare * share),
        ),
      ),
    );
  const stored = await withProgress(
    connection,
    (done) => report(null, storeShare + (1 - storeShare) * done),
    () => storeTables(connection, manifest, secret, target),
  );
  report(null, 1);
  return reportOf(tables, stored.people, stored.kept);
}

/** @param onShare Told how much of reading the table is done. */
async function readTable(
  connection: DuckDBConnection,
  manifest: DatasetManifest,
  name: string,
  files: ReadonlyMap<string, string>,
  secret: string,
  { personSecret, fileBytesMax }: ImportOptions,
  onShare: (share: number) => void,
): Promise<StagedTable> {
  const [at, file] = [[...tablesOf(manifest).keys()].indexOf(name), files.get(name)!];
  const columns = storedColumns(tablesOf(manifest).get(name)!);
  const wanted = [identifierOf(manifest.person), ...columns.map((column) => column.name)];
  const source = await openDataSource(file, wanted, connection, fileBytesMax, ({ bytesRead, bytesTotal }) =>
    onShare(bytesRead / bytesTotal / storeShare),
  );
  const hashOf =
    personSecret === undefined
      ? undefined
      : (text: string) => personHashSql(personSecret, manifest.name, text);
  const table: TableToStage = { at, file, source, columns, person: manifest.person, secret, hashOf };
  await withProgress(
    connection,
    (done) => onShare((scanShare + (storeShare - scanShare) * done) / storeShare),
    () => stageTable(connection, table),
  );
  const counts = await checkStaged(connection, table);
  const ignoredColumns = source.names.filter((column) => !wanted.includes(identifierOf(column)));
  return { name, columns, counts, ignoredColumns, delimiter: source.delimiter };
}

/** Of several files the one that an error is about. */
async function namingFile<T>(
  files: ReadonlyMap<string, string>,
  table: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const known = importError(error);
    if (files.size === 1) throw known;
    const file = basename(files.get(table)!);
    throw new TrustedDataError(known.code, `${file} (table ${table}): ${known.message}`, {
      ...known.fields,
      file,
      table,
    });
  }
}

/** A share of one table's file, or of all files, as bytes of all; never less than before. */
async function progressOf(
  files: ReadonlyMap<string, string>,
  onProgress: (progress: ImportProgress) => void,
): Promise<(table: string | null, share: number) => void> {
  const sizes = new Map<string, number>();
  for (const [table, file] of files) sizes.set(table, (await stat(file).catch(() => undefined))?.size ?? 0);
  const bytesTotal = [...sizes.values()].reduce((a, b) => a + b, 0);
  let furthest = 0;
  return (table, share) => {
    let bytes = share * (table === null ? bytesTotal : sizes.get(table)!);
    if (table !== null)
      for (const [other, size] of sizes) {
        if (other === table) break;
        bytes += storeShare * size;
      }
    furthest = Math.max(furthest, Math.round(bytes));
    onProgress({ bytesRead: furthest, bytesTotal });
  };
}

/** Columns of further tables are told apart by their table. */
function reportOf(tables: readonly StagedTable[], people: number, kept: readonly number[]): ImportReport {
  const label = (at: number, column: string) => (at === 0 ? column : `${tables[at]!.name}.${column}`);
  const merged = (of: (counts: Counts) => Record<string, number>) =>
    Object.fromEntries(
      tables.flatMap(({ counts }, at) =>
        Object.entries(of(counts)).map(([column, count]) => [label(at, column), count]),
      ),
    );
  const byTable = tables.map(({ name, counts: { rows } }, at) => [
    name,
    { rows, rowsLeftOut: rows - kept[at]! },
  ]) as [string, { rows: number; rowsLeftOut: number }][];
  const total = (of: (table: { rows: number; rowsLeftOut: number }) => number) =>
    byTable.reduce((sum, [, table]) => sum + of(table), 0);
  return {
    rows: total(({ rows }) => rows),
    people,
    rowsLeftOut: total(({ rowsLeftOut }) => rowsLeftOut),
    clamped: merged(({ clamped }) => clamped),
    rounded: merged(({ rounded }) => rounded),
    madeNull: merged(({ madeNull }) => madeNull),
    ignoredColumns: tables.flatMap(({ ignoredColumns }, at) => ignoredColumns.map((name) => label(at, name))),
    delimiter: tables[0]!.delimiter,
    ...(tables.length > 1 ? { tables: Object.fromEntries(byTable) } : {}),
  };
}

/** Polls how far DuckDB has come, as it does not tell by itself. */
async function withProgress<T>(
  connection: DuckDBConnection,
  onDone: (done: number) => void,
  work: () => Promise<T>,
): Promise<T> {
  const poll = setInterval(() => {
    const { percentage } = connection.progress;
    if (percentage > 0) onDone(Math.min(percentage, 100) / 100);
  }, progressIntervalMs);
  try {
    return await work();
  } finally {
    clearInterval(poll);
  }
}

/** What DuckDB says is for the custodian, who owns file and machine; it may be exact. */
function importError(error: unknown): TrustedDataError {
  if (error instanceof TrustedDataError) return error;
  const detail = String((error as Error).message)
    .split("\n")[0]!
    .slice(0, 200);
  if (/out of memory|no space|could not write|failed to offload/i.test(detail))
    return new TrustedDataError(
      "engine_limit",
      `The import needs more memory or disk than there is (${detail}): free some and import the file again.`,
    );
  return new TrustedDataError(
    "data_file_invalid",
    `The file could not be imported (${detail}): write it anew and import it again.`,
  );
}
