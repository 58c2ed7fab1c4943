/**
 * A first manifest for a table. Bounds and domains are read off the rows, so it says things about them: before anyone else sees it the
 * custodian puts public knowledge in their place. The warnings name each such place.
 */
import type { DatasetColumn } from "../../data-sharing/manifests/dataset-manifest.ts";
import { openTextLengthMax } from "../../data-sharing/manifests/text-code.ts";
import { identifierOf } from "../duckdb/stored-columns.ts";
import {
  domainProposedMax,
  leftOutWarning,
  type ManifestProposal,
  numberColumn,
  proposalOf,
  readOffWarnings,
  scaleProposedMax,
} from "../proposal.ts";
import { textOf } from "./convert-columns.ts";
import type { Session } from "./database-connections.ts";
import { unfit } from "./dataset-tables.ts";
import { quoted } from "./sql-text.ts";
import type { SourceColumn, TableFacts, TableName } from "./table-facts.ts";

/** @throws TrustedDataError `database_unfit` */
export async function proposeFromTable(
  table: TableName,
  facts: TableFacts | undefined,
  person: string,
  session: Session,
): Promise<ManifestProposal> {
  const label = `${table.schema}.${table.table}`;
  if (facts === undefined) throw unfit(`there is no table ${label}`);
  const personColumn =
    facts.columns.find(({ name }) => name === person) ??
    facts.columns.find(({ name }) => identifierOf(name) === identifierOf(person));
  if (personColumn === undefined) throw unfit(`${label} has no column ${person} that the role may read`);
  const from = `${quoted(table.schema)}.${quoted(table.table)} AS t`;
  const columns: Record<string, DatasetColumn> = {};
  const warnings: string[] = [];
  for (const source of facts.columns) {
    const name = identifierOf(source.name);
    if (source === personColumn) continue;
    const column = Object.hasOwn(columns, name)
      ? "another column has the same name"
      : await proposeColumn(source, from, session);
    if (typeof column === "string") warnings.push(leftOutWarning(source.name, column));
    else {
      columns[name] = column;
      warnings.push(...readOffWarnings(name, column));
    }
  }
  if (Object.keys(columns).length === 0)
    throw unfit(`${label} has no column beside ${person} that can be declared: ${warnings.join(" ")}`);
  const parts = {
    title: table.table,
    name: table.table,
    person: personColumn.name,
    rowsOfOnePerson: await rowsOfOnePerson(personColumn, from, session),
    columns,
  };
  return proposalOf(parts, warnings);
}

async function rowsOfOnePerson(person: SourceColumn, from: string, session: Session): Promise<number> {
  if (person.isUnique) return 1;
  const sql = `SELECT max(n) FROM (SELECT count(*) AS n FROM ${from} WHERE t.${quoted(person.name)} IS NOT NULL GROUP BY t.${quoted(person.name)}) AS counts`;
  const [row] = await session.rows(sql);
  return Number(row![0] ?? 1);
}

/** The column, or why there can be none. */
async function proposeColumn(
  source: SourceColumn,
  from: string,
  session: Session,
): Promise<DatasetColumn | string> {
  const sql = `t.${quoted(source.name)}`;
  const nullable = !source.isNotNull;
  switch (source.kind) {
    case "boolean":
      return { type: "boolean", nullable };
    case "integer":
    case "numeric":
    case "float":
      return await proposeNumber(source, sql, from, session);
    case "date":
    case "timestamp": {
      const finite = `${sql} > '-infinity' AND ${sql} < 'infinity'`;
      const year = (aggregate: string) => `EXTRACT(year FROM ${aggregate}(${sql}))`;
      const [row] = await session.rows(`SELECT ${year("min")}, ${year("max")} FROM ${from} WHERE ${finite}`);
      if (row![0] === null) return "it is empty";
      const [first, last] = row!.map((text) =>
        String(Math.min(9999, Math.max(1, Number(text)))).padStart(4, "0"),
      );
      return { type: "date", bounds: [`${first}-01-01`, `${last}-12-31`], nullable };
    }
    case "text":
    case "enum":
      return await proposeText(source, sql, from, session);
    default:
      return `its type is ${source.typeName}`;
  }
}

async function proposeNumber(
  source: SourceColumn,
  sql: string,
  from: string,
  session: Session,
): Promise<DatasetColumn | string> {
  const number =
    source.kind === "float" ? `CAST(CAST(${sql} AS text) AS numeric)` : `CAST(${sql} AS numeric)`;
  const finite =
    source.kind === "integer" ? `${sql} IS NOT NULL` : `${sql} NOT IN ('NaN', 'Infinity', '-Infinity')`;
  const [row] = await session.rows(
    `SELECT min(n), max(n), max(scale(trim_scale(n))) FROM (SELECT CASE WHEN ${finite} THEN ${number} END AS n FROM ${from}) AS numbers`,
  );
  const [least, most, places] = row!.map((text) => (text === null ? null : Number(text)));
  if (least == null || most == null) return "it is empty";
  const scale = source.kind === "integer" ? 0 : Math.min(source.scale ?? places ?? 0, scaleProposedMax);
  return numberColumn(least, most, scale, !source.isNotNull);
}

async function proposeText(
  source: SourceColumn,
  sql: string,
  from: string,
  session: Session,
): Promise<DatasetColumn | string> {
  const text = textOf(source, sql);
  const [row] = await session.rows(`SELECT max(length(${text})) FROM ${from}`);
  const longest = row![0] === null ? 0 : Number(row![0]);
  if (longest === 0) return "it is empty";
  if (longest > openTextLengthMax) return `its texts are longer than ${openTextLengthMax} characters`;
  const found = await session.rows(
    `SELECT DISTINCT ${text} COLLATE "C" FROM ${from} WHERE ${text} <> '' ORDER BY 1 LIMIT ${domainProposedMax + 1}`,
  );
  const nullable = !source.isNotNull;
  return found.length > domainProposedMax
    ? { type: "text", domain: "open", nullable }
    : { type: "text", domain: found.map(([value]) => value!), nullable };
}
