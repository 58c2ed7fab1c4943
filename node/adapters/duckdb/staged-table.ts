/**
 * One table of a dataset while it is imported: its file as rows of integers and marks, in the order of the file, and what is wrong with
 * them. The table is `staged0`, `staged1`, ... by the table's place in the manifest.
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import { TrustedDataError } from "../../errors.ts";
import { badReasons, conversionOf, firstBadMark, mark } from "./convert-columns.ts";
import { type BadRow, badRowsError, badRowsShownMax } from "./data-file-errors.ts";
import type { DataSource } from "./data-source.ts";
import { identifierOf, type StoredColumn } from "./stored-columns.ts";

export interface TableToStage {
  /** Its place among the tables. */
  at: number;
  file: string;
  source: DataSource;
  columns: readonly StoredColumn[];
  /** The person column as the manifest calls it. */
  person: string;
  /** Of this import, in hexadecimal. */
  secret: string;
  /** SQL of the keyed hash of a person's text, in hexadecimal; of a dataset that needs consent. */
  hashOf: ((text: string) => string) | undefined;
}

/** What was found in a table's file. */
export interface Counts {
  rows: number;
  clamped: Record<string, number>;
  rounded: Record<string, number>;
  madeNull: Record<string, number>;
}

/** @throws TrustedDataError `data_file_invalid`, `data_file_empty` */
export async function stageTable(connection: DuckDBConnection, table: TableToStage): Promise<void> {
  await makeDomains(connection, table.at, table.columns);
  await stage(connection, table);
}

/** @throws TrustedDataError `data_file_invalid`, `data_file_empty` */
export async function checkStaged(connection: DuckDBConnection, table: TableToStage): Promise<Counts> {
  await refuseBadRows(connection, table);
  const counts = await countMarks(connection, table);
  if (counts.rows === 0) throw new TrustedDataError("data_file_empty", "The file has no rows.");
  if (table.source.rows !== undefined && table.source.rows !== counts.rows)
    throw new TrustedDataError("data_file_invalid", "The file changed while it was read: import it again.");
  return counts;
}

/** The ENUM types by which texts become their place in the domain. */
async function makeDomains(
  connection: DuckDBConnection,
  at: number,
  columns: readonly StoredColumn[],
): Promise<void> {
  await connection.run(`CREATE TABLE domains${at} (of_ INTEGER, place INTEGER, value VARCHAR)`);
  const appender = await connection.createAppender(`domains${at}`);
  for (const [of, column] of columns.entries())
    for (const [place, value] of column.domain.entries()) {
      appender.appendInteger(of);
      appender.appendInteger(place);
      appender.appendVarchar(value);
      appender.endRow();
    }
  appender.closeSync();
  for (const [of, column] of columns.entries())
    if (column.domain.length > 0 && column.type === "text")
      await connection.run(
        `CREATE TYPE domain${at}_${of} AS ENUM (SELECT value FROM domains${at} WHERE of_ = ${of} ORDER BY place)`,
      );
}

async function stage(
  connection: DuckDBConnection,
  { at, file, source, columns, person, secret, hashOf }: TableToStage,
): Promise<void> {
  const identifiers = source.names.map(identifierOf);
  const field = (name: string) => `f${identifiers.indexOf(name)}`;
  const conversions = columns.map((column, place) =>
    conversionOf(column, field(column.name), `v${place}`, `domain${at}_${place}`),
  );
  const personText = field(identifierOf(person));
  const texts = [...new Set([personText, ...columns.map((column) => field(column.name))])];
  const values = conversions.map(({ value }, place) => `, ${value} AS v${place}`).join("");
  const marks = conversions
    .map((one, place) => `, v${place}, CAST(${one.mark} AS UTINYINT) AS m${place}`)
    .join("");
  // Open texts themselves, for the table of what their codes stand for.
  const open = columns
    .map((column, place) => (column.open ? `, ${field(column.name)} AS t${place}` : ""))
    .join("");
  const known =
    hashOf === undefined ? "" : `, CASE WHEN ${personText} IS NOT NULL THEN ${hashOf(personText)} END AS h`;
  await connection.run("SET enable_progress_bar = true; SET enable_progress_bar_print = false");
  await connection.run(
    `CREATE TABLE staged${at} AS
     SELECT CASE WHEN ${personText} IS NOT NULL THEN md5_number(concat('${secret}', ${personText})) END AS p${known}${marks}${open}
     FROM (SELECT ${texts.join(", ")}${values} FROM ${source.from})`,
    [file],
  );
}

async function refuseBadRows(
  connection: DuckDBConnection,
  { at, source, columns, person }: TableToStage,
): Promise<void> {
  const marks = columns.map((_, place) => `m${place}`);
  const isBad = ["p IS NULL", ...marks.map((name) => `${name} >= ${firstBadMark}`)].join(" OR ");
  const found = await connection.runAndReadAll(
    `SELECT rowid, p IS NULL, ${marks.join(", ")} FROM staged${at} WHERE ${isBad} ORDER BY rowid LIMIT ${badRowsShownMax + 1}`,
  );
  const rows = found.getRows();
  if (rows.length === 0) return;
  const places = await source.placesOf(rows.map(([row]) => Number(row)));
  const bad = rows.flatMap(([row, nobody, ...codes]): BadRow[] => {
    const line = places.get(Number(row)) ?? 0;
    const reasons = codes.flatMap((code, place): BadRow[] => {
      const reason = badReasons[Number(code)];
      return reason === undefined ? [] : [{ line, column: columns[place]!.name, reason }];
    });
    return nobody === true ? [{ line, column: person, reason: "no person" }, ...reasons] : reasons;
  });
  throw badRowsError(bad, source.unit);
}

async function countMarks(connection: DuckDBConnection, { at, columns }: TableToStage): Promise<Counts> {
  const counts = columns.flatMap(({ low, high }, place) => [
    `count(*) FILTER (v${place} < ${low} OR v${place} > ${high})`,
    `count(*) FILTER (m${place} = ${mark.rounded})`,
    `count(*) FILTER (m${place} = ${mark.madeNull})`,
  ]);
  const found = await connection.runAndReadAll(`SELECT count(*), ${counts.join(", ")} FROM staged${at}`);
  const [rows, ...numbers] = found.getRows()[0]!.map(Number);
  const kind = (offset: number) =>
    Object.fromEntries(
      columns
        .map((column, place) => [column.name, numbers[3 * place + offset]!] as const)
        .filter(([, count]) => count > 0),
    );
  return { rows: rows!, clamped: kind(0), rounded: kind(1), madeNull: kind(2) };
}
