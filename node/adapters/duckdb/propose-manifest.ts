/**
 * A first manifest for a custodian's file. It is made by looking at the rows, so it says things about them: before anyone else sees it the
 * custodian puts public knowledge in the place of bounds and domains. The warnings name each such place.
 */
import { basename, extname } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import type { DatasetColumn } from "../../data-sharing/manifests/dataset-manifest.ts";
import { openTextLengthMax } from "../../data-sharing/manifests/text-code.ts";
import { TrustedDataError } from "../../errors.ts";
import {
  domainProposedMax,
  leftOutWarning,
  type ManifestProposal,
  numberColumn,
  proposalOf,
  readOffWarnings,
  scaleProposedMax,
} from "../proposal.ts";
import { openDataSource } from "./data-source.ts";
import { identifierOf } from "./stored-columns.ts";

/** @throws TrustedDataError `data_file_*` */
export async function proposeManifest(file: string, person: string): Promise<ManifestProposal> {
  const instance = await DuckDBInstance.create(":memory:", { memory_limit: "1GiB", threads: "2" });
  const connection = await instance.connect();
  try {
    return await propose(connection, file, person);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function propose(
  connection: DuckDBConnection,
  file: string,
  person: string,
): Promise<ManifestProposal> {
  const personName = identifierOf(person);
  const source = await openDataSource(file, [personName], connection, Number.POSITIVE_INFINITY, () => {});
  const columns: Record<string, DatasetColumn> = {};
  const warnings: string[] = [];
  for (const [at, header] of source.names.entries()) {
    const name = identifierOf(header);
    if (name === personName) continue;
    const column = await proposeColumn(connection, file, source.from, `f${at}`);
    if (typeof column === "string") warnings.push(leftOutWarning(header, column));
    else {
      columns[name] = column;
      warnings.push(...readOffWarnings(name, column));
    }
  }
  if (Object.keys(columns).length === 0)
    throw new TrustedDataError(
      "data_file_invalid",
      `The file has no column beside ${person} that can be declared: ${warnings.join(" ")}`,
      { person },
    );
  const personField = `f${source.names.findIndex((name) => identifierOf(name) === personName)}`;
  const most = `SELECT max(n) FROM (SELECT count(*) AS n FROM ${source.from} GROUP BY ${personField})`;
  const [rowsMost] = await oneRow(connection, most, file);
  const [title, name] = [basename(file), basename(file, extname(file))];
  return proposalOf({ title, name, person, rowsOfOnePerson: Number(rowsMost), columns }, warnings);
}

/** The column, or why there can be none. */
async function proposeColumn(
  connection: DuckDBConnection,
  file: string,
  from: string,
  field: string,
): Promise<DatasetColumn | string> {
  const matches = (pattern: string) => `bool_and(regexp_full_match(${field}, '${pattern}'))`;
  const [nullable, filled, whole, decimal, places, date, boolean, low, high, first, last, distinct, longest] =
    await oneRow(
      connection,
      `SELECT count(*) > count(${field}), count(${field}),
       ${matches("[+-]?[0-9]{1,15}(\\.0*)?")},
       ${matches("[+-]?([0-9]{1,15}\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]{1,2})?")},
       max(length(regexp_extract(${field}, '\\.([0-9]*?)0*$', 1))),
       bool_and(regexp_full_match(${field}, '[0-9]{4}-[0-9]{2}-[0-9]{2}( 00:00:00)?') AND TRY_CAST(left(${field}, 10) AS DATE) IS NOT NULL) FILTER (${field} IS NOT NULL),
       ${matches("(?i)true|false|t|f")},
       min(TRY_CAST(${field} AS DOUBLE)), max(TRY_CAST(${field} AS DOUBLE)),
       min(left(${field}, 4)), max(left(${field}, 4)),
       approx_count_distinct(${field}), max(length(${field}))
     FROM ${from}`,
      file,
    );
  if (Number(filled) === 0) return "it is empty";
  const described = { nullable: nullable === true };
  if (boolean === true) return { type: "boolean", ...described };
  if (date === true) return { type: "date", bounds: [`${first}-01-01`, `${last}-12-31`], ...described };
  if (decimal === true) {
    const scale = whole === true ? 0 : Math.min(Number(places) || scaleProposedMax, scaleProposedMax);
    return numberColumn(Number(low), Number(high), scale, described.nullable);
  }
  if (Number(longest) > openTextLengthMax) return `its texts are longer than ${openTextLengthMax} characters`;
  if (Number(distinct) > 2 * domainProposedMax) return { type: "text", domain: "open", ...described };
  const texts = await connection.runAndReadAll(
    `SELECT DISTINCT ${field} FROM ${from} WHERE ${field} IS NOT NULL ORDER BY 1 LIMIT ${domainProposedMax + 1}`,
    [file],
  );
  const domain = texts.getRows().map(([text]) => String(text));
  return { type: "text", domain: domain.length > domainProposedMax ? "open" : domain, ...described };
}

async function oneRow(connection: DuckDBConnection, sql: string, file: string): Promise<unknown[]> {
  return (await connection.runAndReadAll(sql, [file])).getRows()[0]!;
}
