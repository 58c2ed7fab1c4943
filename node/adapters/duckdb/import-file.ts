/**
 * Builds a dataset's DuckDB file from a CSV or Parquet file: text to integers, clamped to the declared bounds, rows bounded per person.
 *
 * The work goes through a second database that is deleted afterwards, as freed blocks of a DuckDB file keep their content: the file that
 * stays has never held a person's name. Names become MD5 under a secret key drawn for this import (a keyed shuffle: no hash leaves, and
 * without the key nobody can search for two names with one hash). People are numbered in the order of the hash, and the rows of a
 * person ranked by a keyed hash of their place; the table lies in this order, so nothing of the file's order stays. Where consent is needed,
 * each number stays with a hash under the repository's own secret, so that enrolments hold over imports.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { type DatasetManifest, needsConsent } from "../../data-sharing/manifests/dataset-manifest.ts";
import type { ImportProgress, ImportReport } from "../../data-sharing/ports.ts";
import { TrustedDataError } from "../../errors.ts";
import { assert } from "../../primitives/assert.ts";
import { badReasons, conversionOf, firstBadMark, mark } from "./convert-columns.ts";
import { type BadRow, badRowsError, badRowsShownMax } from "./data-file-errors.ts";
import { type DataSource, openDataSource, scanShare } from "./data-source.ts";
import { hashColumns, hashWordSql, personHashSql } from "./person-hash-sql.ts";
import {
  identifierOf,
  type StoredColumn,
  shapeHash,
  sqlName,
  storedColumns,
  tableName,
} from "./stored-columns.ts";

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

/** Writes the data file at `target`, complete and closed. */
export async function buildDataFile(
  file: string,
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
    return await build(connection, file, manifest, target, options);
  } catch (error) {
    throw importError(error);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function build(
  connection: DuckDBConnection,
  file: string,
  manifest: DatasetManifest,
  target: string,
  { key, personSecret, fileBytesMax, onProgress }: ImportOptions,
): Promise<ImportReport> {
  assert(key.length === 32, "the key has 32 bytes");
  assert(needsConsent(manifest) === (personSecret !== undefined), "people are known where consent is needed");
  const secret = Buffer.from(key).toString("hex");
  const columns = storedColumns(manifest);
  const person = identifierOf(manifest.person);
  const wanted = [person, ...columns.map((column) => column.name)];
  const source = await openDataSource(file, wanted, connection, fileBytesMax, onProgress);
  const report = (share: number) =>
    onProgress({ bytesRead: Math.round(source.bytes * share), bytesTotal: source.bytes });
  await makeDomains(connection, columns);
  await withProgress(
    connection,
    (done) => report(scanShare + (storeShare - scanShare) * done),
    () =>
      stage(connection, file, source, columns, person, secret, (text) =>
        personSecret === undefined ? undefined : personHashSql(personSecret, manifest.name, text),
      ),
  );
  await refuseBadRows(connection, source, columns, manifest.person);
  const counts = await countMarks(connection, columns);
  if (counts.rows === 0) throw new TrustedDataError("data_file_empty", "The file has no rows.");
  if (source.rows !== undefined && source.rows !== counts.rows)
    throw new TrustedDataError("data_file_invalid", "The file changed while it was read: import it again.");
  const { people, kept } = await withProgress(
    connection,
    (done) => report(storeShare + (1 - storeShare) * done),
    () => store(connection, columns, manifest, secret, target),
  );
  report(1);
  return {
    rows: counts.rows,
    people,
    rowsLeftOut: counts.rows - kept,
    clamped: counts.clamped,
    rounded: counts.rounded,
    madeNull: counts.madeNull,
    ignoredColumns: source.names.filter((name) => !wanted.includes(identifierOf(name))),
    delimiter: source.delimiter,
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

/** The ENUM types by which texts become their place in the domain. */
async function makeDomains(connection: DuckDBConnection, columns: StoredColumn[]): Promise<void> {
  await connection.run("CREATE TABLE domains (of_ INTEGER, place INTEGER, value VARCHAR)");
  const appender = await connection.createAppender("domains");
  for (const [of, column] of columns.entries())
    for (const [place, value] of column.domain.entries()) {
      appender.appendInteger(of);
      appender.appendInteger(place);
      appender.appendVarchar(value);
      appender.endRow();
    }
  appender.closeSync();
  for (const [of, column] of columns.entries())
    if (column.type === "text")
      await connection.run(
        `CREATE TYPE domain${of} AS ENUM (SELECT value FROM domains WHERE of_ = ${of} ORDER BY place)`,
      );
}

/** Every row of the file in its order, as integers and marks. */
async function stage(
  connection: DuckDBConnection,
  file: string,
  source: DataSource,
  columns: StoredColumn[],
  person: string,
  secret: string,
  /** SQL of the keyed hash of a person's text, in hexadecimal. */
  hashOf: (text: string) => string | undefined,
): Promise<void> {
  const identifiers = source.names.map(identifierOf);
  const field = (name: string) => `f${identifiers.indexOf(name)}`;
  const conversions = columns.map((column, at) =>
    conversionOf(column, field(column.name), `v${at}`, `domain${at}`),
  );
  const texts = [...new Set([person, ...columns.map((column) => column.name)].map(field))];
  const values = conversions.map(({ value }, at) => `, ${value} AS v${at}`).join("");
  const marks = conversions.map((one, at) => `, v${at}, CAST(${one.mark} AS UTINYINT) AS m${at}`).join("");
  const personText = field(person);
  const hash = hashOf(personText);
  const known = hash === undefined ? "" : `, CASE WHEN ${personText} IS NOT NULL THEN ${hash} END AS h`;
  await connection.run("SET enable_progress_bar = true; SET enable_progress_bar_print = false");
  await connection.run(
    `CREATE TABLE staged AS
     SELECT CASE WHEN ${personText} IS NOT NULL THEN md5_number(concat('${secret}', ${personText})) END AS p${known}${marks}
     FROM (SELECT ${texts.join(", ")}${values} FROM ${source.from})`,
    [file],
  );
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

async function refuseBadRows(
  connection: DuckDBConnection,
  source: DataSource,
  columns: StoredColumn[],
  person: string,
): Promise<void> {
  const marks = columns.map((_, at) => `m${at}`);
  const isBad = ["p IS NULL", ...marks.map((name) => `${name} >= ${firstBadMark}`)].join(" OR ");
  const found = await connection.runAndReadAll(
    `SELECT rowid, p IS NULL, ${marks.join(", ")} FROM staged WHERE ${isBad} ORDER BY rowid LIMIT ${badRowsShownMax + 1}`,
  );
  const rows = found.getRows();
  if (rows.length === 0) return;
  const places = await source.placesOf(rows.map(([row]) => Number(row)));
  const bad = rows.flatMap(([row, nobody, ...codes]): BadRow[] => {
    const line = places.get(Number(row)) ?? 0;
    const reasons = codes.flatMap((code, at): BadRow[] => {
      const reason = badReasons[Number(code)];
      return reason === undefined ? [] : [{ line, column: columns[at]!.name, reason }];
    });
    return nobody === true ? [{ line, column: person, reason: "no person" }, ...reasons] : reasons;
  });
  throw badRowsError(bad, source.unit);
}

interface Counts {
  rows: number;
  clamped: Record<string, number>;
  rounded: Record<string, number>;
  madeNull: Record<string, number>;
}

async function countMarks(connection: DuckDBConnection, columns: StoredColumn[]): Promise<Counts> {
  const counts = columns.flatMap(({ low, high }, at) => [
    `count(*) FILTER (v${at} < ${low} OR v${at} > ${high})`,
    `count(*) FILTER (m${at} = ${mark.rounded})`,
    `count(*) FILTER (m${at} = ${mark.madeNull})`,
  ]);
  const found = await connection.runAndReadAll(`SELECT count(*), ${counts.join(", ")} FROM staged`);
  const [rows, ...numbers] = found.getRows()[0]!.map(Number);
  const kind = (offset: number) =>
    Object.fromEntries(
      columns
        .map((column, at) => [column.name, numbers[3 * at + offset]!] as const)
        .filter(([, count]) => count > 0),
    );
  return { rows: rows!, clamped: kind(0), rounded: kind(1), madeNull: kind(2) };
}

async function store(
  connection: DuckDBConnection,
  columns: StoredColumn[],
  manifest: DatasetManifest,
  secret: string,
  target: string,
): Promise<{ people: number; kept: number }> {
  const values = columns.map(({ low, high, sqlType }, at) => {
    const name = sqlName(columns[at]!.name);
    // Not with LEAST and GREATEST: they skip NULL.
    return `CAST(CASE WHEN v${at} < ${low} THEN ${low} WHEN v${at} > ${high} THEN ${high} ELSE v${at} END AS ${sqlType}) AS ${name}`;
  });
  // One sort, which DuckDB does on disk where memory is short; a window function over as many rows it does not. A row's place in the sorted
  // table, less that of its person's first row, is its rank.
  const isKnown = needsConsent(manifest);
  const statements = [
    `CREATE TABLE sorted AS SELECT * FROM staged ORDER BY p, md5_number(concat('${secret}', rowid))`,
    "DROP TABLE staged",
    `CREATE TABLE people AS SELECT row_number() OVER () AS person_, * FROM
     (SELECT p, min(rowid) AS start${isKnown ? ", any_value(h) AS h" : ""} FROM sorted GROUP BY p ORDER BY start)`,
    `ATTACH '${target.replaceAll("'", "''")}' AS data`,
    `CREATE TABLE data.${tableName(manifest.table)} AS
     SELECT person_, CAST(sorted.rowid - start + 1 AS INTEGER) AS rank_, ${values.join(", ")}
     FROM sorted JOIN people USING (p) WHERE sorted.rowid - start < ${manifest.rowsPerPerson}`,
    ...(isKnown
      ? [
          `CREATE TABLE data.people_ AS SELECT person_, ${hashColumns.map((name, at) => `${hashWordSql("h", at)} AS ${name}`).join(", ")}
           FROM people ORDER BY person_`,
        ]
      : []),
    `CREATE TABLE data.built_ AS SELECT '${shapeHash(manifest)}' AS shape, CAST(${seedOf(secret)} AS BIGINT) AS seed,
     (SELECT max(person_) FROM people) AS people, (SELECT count(*) FROM data.${tableName(manifest.table)}) AS row_count`,
  ];
  for (const sql of statements) await connection.run(sql);
  const found = await connection.runAndReadAll(
    `SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM data.${tableName(manifest.table)})`,
  );
  await connection.run("CHECKPOINT data");
  await connection.run("DETACH data");
  const [people, kept] = found.getRows()[0]!.map(Number);
  return { people: people!, kept: kept! };
}

/** Says nothing about the secret itself, which the file must not hold. */
function seedOf(secret: string): bigint {
  return createHash("sha256").update(`groups ${secret}`).digest().readBigInt64LE();
}
