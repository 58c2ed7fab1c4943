/**
 * A first manifest for a table. Bounds and domains are read off the rows, so it says things about them: before anyone else sees it the
 * custodian puts public knowledge in their place. The warnings name each such place.
 */
import {
  boundMagnitudeMax,
  type DatasetColumn,
  type DatasetManifest,
  datasetManifestSchema,
} from "../../data-sharing/manifests/dataset-manifest.ts";
import { openTextLengthMax } from "../../data-sharing/manifests/text-code.ts";
import { identifierOf } from "../duckdb/stored-columns.ts";
import { textOf } from "./convert-columns.ts";
import type { Session } from "./database-connections.ts";
import { unfit } from "./dataset-tables.ts";
import { quoted } from "./sql-text.ts";
import type { SourceColumn, TableFacts, TableName } from "./table-facts.ts";

export interface ManifestProposal {
  manifest: DatasetManifest;
  /** One sentence each: what was read off the data, what was left out and why. */
  warnings: string[];
}

/** More texts than this are hardly a domain. */
const domainProposedMax = 50;
const rowsPerPersonProposedMax = 10_000;
const scaleProposedMax = 6;

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
    if (typeof column === "string") warnings.push(`${source.name} is left out: ${column}.`);
    else {
      columns[name] = column;
      if (column.type === "boolean") continue;
      const what = column.type !== "text" ? "bounds" : column.domain === "open" ? null : "domain";
      if (what !== null)
        warnings.push(
          `The ${what} of ${name} ${what === "bounds" ? "were" : "was"} read off the data: put in what is publicly known.`,
        );
    }
  }
  if (Object.keys(columns).length === 0)
    throw unfit(`${label} has no column beside ${person} that can be declared: ${warnings.join(" ")}`);
  const rowsPerPerson = await rowsOfOnePerson(personColumn, from, session);
  warnings.push(
    `rowsPerPerson (${rowsPerPerson}) is the largest number of rows that a person has here: fewer give more exact answers.`,
    "The budget, the purposes and the class of the data are placeholders: decide them.",
  );
  return { manifest: manifestOf(table, personColumn.name, rowsPerPerson, columns), warnings };
}

function manifestOf(
  { table }: TableName,
  person: string,
  rowsPerPerson: number,
  columns: Record<string, DatasetColumn>,
): DatasetManifest {
  const name = identifierOf(identifierOf(table).replace(/_+/g, "_")).replace(/_+$/, "");
  return datasetManifestSchema.parse({
    name: name.replace(/_+/g, "-"),
    title: table,
    synthetic: false,
    dataClass: "unclassified",
    table: name,
    person,
    rowsPerPerson,
    columns,
    purposes: ["dpv:ResearchAndDevelopment"],
    budget: { totalMicroRho: "1000000", perQuerierMicroRho: "100000", reservedMicroRho: "100000" },
  });
}

async function rowsOfOnePerson(person: SourceColumn, from: string, session: Session): Promise<number> {
  if (person.isUnique) return 1;
  const sql = `SELECT max(n) FROM (SELECT count(*) AS n FROM ${from} WHERE t.${quoted(person.name)} IS NOT NULL GROUP BY t.${quoted(person.name)}) AS counts`;
  const [row] = await session.rows(sql);
  return Math.min(Math.max(1, Number(row![0] ?? 1)), rowsPerPersonProposedMax);
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
  const bounds: [number, number] = [roundedOut(least, -1, scale), roundedOut(most, 1, scale)];
  if (Math.max(...bounds.map(Math.abs)) * 10 ** scale > boundMagnitudeMax) return "its numbers are too large";
  const nullable = !source.isNotNull;
  return scale === 0 ? { type: "integer", bounds, nullable } : { type: "decimal", scale, bounds, nullable };
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

/** To two significant digits, away from the values: 1234 to 1300 upwards, to 1200 downwards. */
function roundedOut(value: number, side: 1 | -1, scale: number): number {
  if (value === 0) return 0;
  const exponent = Math.max(Math.floor(Math.log10(Math.abs(value))) - 1, -scale);
  const steps = Math.round(value / 10 ** exponent);
  const enough = side * steps * 10 ** exponent >= side * value;
  // Through text, so that the bound lies on the grid exactly.
  return Number(`${enough ? steps : steps + side}e${exponent}`);
}
