/**
 * From staged tables (staged-table.ts) to the data file: people numbered over all tables in the order of their keyed hash, the rows of a
 * person ranked by a keyed hash of their place in the file, so many as are declared kept.
 */
import { createHash } from "node:crypto";
import type { DuckDBConnection } from "@duckdb/node-api";
import {
  type DatasetManifest,
  needsConsent,
  tablesOf,
} from "../../data-sharing/manifests/dataset-manifest.ts";
import { TrustedDataError } from "../../errors.ts";
import { hashColumns, hashWordSql } from "./person-hash-sql.ts";
import { type StoredColumn, shapeHash, sqlName, storedColumns, tableName } from "./stored-columns.ts";

export interface Stored {
  /** With a row in any table. */
  people: number;
  /** By table, the rows that were kept. */
  kept: number[];
}

interface Table {
  /** Its place in the manifest. */
  at: number;
  name: string;
  rowsPerPerson: number;
  columns: readonly StoredColumn[];
}

/**
 * @param secret Of this import, in hexadecimal.
 * @throws TrustedDataError `data_file_invalid` where two texts have one code.
 */
export async function storeTables(
  connection: DuckDBConnection,
  manifest: DatasetManifest,
  secret: string,
  target: string,
): Promise<Stored> {
  const tables = [...tablesOf(manifest)].map(([name, { rowsPerPerson, columns }], at) => ({
    ...{ at, name: tableName(name), rowsPerPerson },
    columns: storedColumns({ columns }),
  }));
  await collectTexts(connection, tables);
  for (const table of tables) await sort(connection, table, secret);
  const isKnown = needsConsent(manifest);
  await connection.run(numberingSql(tables, isKnown));
  await connection.run(`ATTACH '${target.replaceAll("'", "''")}' AS data`);
  for (const table of tables) await connection.run(rowsSql(table));
  await connection.run(textsSql(tables));
  if (isKnown) {
    const words = hashColumns.map((name, at) => `${hashWordSql("h", at)} AS ${name}`);
    await connection.run(
      `CREATE TABLE data.people_ AS SELECT person_, ${words.join(", ")} FROM people ORDER BY person_`,
    );
  }
  const counts = tables.map(({ name }) => `(SELECT count(*) FROM data.${name})`);
  const found = await connection.runAndReadAll(`SELECT (SELECT count(*) FROM people), ${counts.join(", ")}`);
  const [people, ...kept] = found.getRows()[0]!.map(Number);
  await connection.run(
    `CREATE TABLE data.built_ AS SELECT '${shapeHash(manifest)}' AS shape, CAST(${seedOf(secret)} AS BIGINT) AS seed,
     CAST(${people} AS BIGINT) AS people, CAST(${Math.max(...kept)} AS BIGINT) AS row_count`,
  );
  await connection.run("CHECKPOINT data");
  await connection.run("DETACH data");
  return { people: people!, kept };
}

/** All open texts with their codes. */
async function collectTexts(connection: DuckDBConnection, tables: readonly Table[]): Promise<void> {
  const parts = openPlaces(tables).map(
    ({ at, place }) => `SELECT v${place}, t${place} FROM staged${at} WHERE v${place} IS NOT NULL`,
  );
  await connection.run("CREATE TABLE texts (code BIGINT, value VARCHAR)");
  if (parts.length === 0) return;
  await connection.run(`INSERT INTO texts SELECT DISTINCT * FROM (${parts.join(" UNION ALL ")})`);
  const found = await connection.runAndReadAll(
    "SELECT min(value), max(value) FROM texts GROUP BY code HAVING count(*) > 1 LIMIT 1",
  );
  const [shared] = found.getRows() as [string, string][];
  if (shared !== undefined)
    throw new TrustedDataError(
      "data_file_invalid",
      `The texts "${shared[0]}" and "${shared[1]}" have the same code, so that they could not be told apart: change one.`,
      { texts: shared.join(", ") },
    );
}

/**
 * One sort, which DuckDB does on disk where memory is short; a window function over as many rows it does not. A row's place in the sorted
 * table, less that of its person's first row, is its rank.
 */
async function sort(connection: DuckDBConnection, { at, columns }: Table, secret: string): Promise<void> {
  const texts = columns.flatMap(({ open }, place) => (open ? [`t${place}`] : []));
  const kept = texts.length === 0 ? "*" : `* EXCLUDE (${texts.join(", ")})`;
  const statements = [
    `CREATE TABLE sorted${at} AS SELECT ${kept} FROM staged${at} ORDER BY p, md5_number(concat('${secret}', rowid))`,
    `DROP TABLE staged${at}`,
    `CREATE TABLE starts${at} AS SELECT p, min(rowid) AS start FROM sorted${at} GROUP BY p`,
  ];
  for (const sql of statements) await connection.run(sql);
}

/** The people of all tables. */
function numberingSql(tables: readonly Table[], isKnown: boolean): string {
  const known = isKnown ? ", h" : "";
  const people = tables.map(({ at }) => `SELECT p${known} FROM sorted${at}`);
  const hash = isKnown ? ", any_value(h) AS h" : "";
  return `CREATE TABLE people AS SELECT row_number() OVER () AS person_, * FROM
    (SELECT p${hash} FROM (${people.join(" UNION ALL ")}) GROUP BY p ORDER BY p)`;
}

/** In the order of people and ranks, on which walks through people (person-walk.ts) rest. */
function rowsSql({ at, name, rowsPerPerson, columns }: Table): string {
  const values = columns.map(({ name: column, low, high, sqlType }, place) => {
    // Not with LEAST and GREATEST: they skip NULL.
    const held = `CASE WHEN v${place} < ${low} THEN ${low} WHEN v${place} > ${high} THEN ${high} ELSE v${place} END`;
    return `CAST(${held} AS ${sqlType}) AS ${sqlName(column)}`;
  });
  return `CREATE TABLE data.${name} AS
    SELECT person_, CAST(sorted.rowid - start + 1 AS INTEGER) AS rank_, ${values.join(", ")}
    FROM sorted${at} AS sorted JOIN starts${at} USING (p) JOIN people USING (p)
    WHERE sorted.rowid - start < ${rowsPerPerson} ORDER BY person_, rank_`;
}

/** The texts of the rows that were kept. */
function textsSql(tables: readonly Table[]): string {
  const codes = openPlaces(tables).map(({ name, column }) => `SELECT ${sqlName(column)} FROM data.${name}`);
  const kept = codes.length === 0 ? "SELECT 0 WHERE false" : codes.join(" UNION ALL ");
  return `CREATE TABLE data.texts_ AS SELECT code, value FROM texts WHERE code IN (${kept}) ORDER BY code`;
}

function openPlaces(tables: readonly Table[]): { at: number; name: string; place: number; column: string }[] {
  return tables.flatMap(({ at, name, columns }) =>
    columns.flatMap((column, place) => (column.open ? [{ at, name, place, column: column.name }] : [])),
  );
}

/** Says nothing about the secret itself, which the file must not hold. */
function seedOf(secret: string): bigint {
  return createHash("sha256").update(`groups ${secret}`).digest().readBigInt64LE();
}
