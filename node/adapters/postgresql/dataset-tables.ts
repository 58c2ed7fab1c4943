/** The declared tables of a dataset joined with what PostgreSQL has: for each column where it is read, for the person how to compare. */
import { type DatasetManifest, tablesOf } from "../../data-sharing/manifests/dataset-manifest.ts";
import { TrustedDataError } from "../../errors.ts";
import { identifierOf } from "../duckdb/stored-columns.ts";
import { misfitOf, textOf } from "./convert-columns.ts";
import { quoted } from "./sql-text.ts";
import { type TableColumn, tableColumns } from "./table-columns.ts";
import type { SourceColumn, TableFacts, TableName } from "./table-facts.ts";

/** How persons of all tables of the dataset are compared, so that one has the same value in each. Integers of two sizes compare as they are. */
export type PersonType = "integer" | "uuid" | "text";

export interface DatasetTableSource {
  /** What the manifest calls it. */
  name: string;
  /** For FROM: schema and name in quotes; of a plain table no rows of others that come to inherit from it. */
  from: string;
  isPlain: boolean;
  rowsPerPerson: number;
  columns: { column: TableColumn; source: SourceColumn }[];
  person: SourceColumn;
  /** A constraint keeps each person to one row. */
  isUnique: boolean;
  /** For FROM, where the table is spread over servers with all rows of a person in one place: what to read in its place. */
  partitions: string[];
  /** Columns that the manifest does not declare. */
  ignored: string[];
}

export interface DatasetSources {
  personType: PersonType;
  tables: ReadonlyMap<string, DatasetTableSource>;
}

/**
 * @param facts In the order of `tablesOf(manifest)`.
 * @throws TrustedDataError `database_unfit`
 */
export function datasetSources(
  manifest: DatasetManifest,
  names: Readonly<Record<string, TableName>>,
  facts: readonly (TableFacts | undefined)[],
): DatasetSources {
  const tables = [...tablesOf(manifest)].map(([name, table], at) => {
    const where = names[name];
    const found = facts[at];
    if (where === undefined || found === undefined)
      throw unfit(`there is no table ${where === undefined ? name : `${where.schema}.${where.table}`}`);
    const label = `${where.schema}.${where.table}`;
    const person = sourceOf(found, manifest.person, label);
    requirePerson(person, label);
    const columns = tableColumns(table).map((column) => {
      const source = sourceOf(found, column.name, label);
      const misfit = misfitOf(column, source) ?? collationMisfit(source);
      if (misfit !== undefined) throw unfit(`in ${label}, ${misfit}`);
      return { column, source };
    });
    const taken = new Set([person, ...columns.map(({ source }) => source)]);
    return {
      name,
      from: found.isPlain ? `ONLY ${fromOf(where)}` : fromOf(where),
      isPlain: found.isPlain,
      rowsPerPerson: table.rowsPerPerson,
      columns,
      person,
      isUnique: person.isUnique,
      partitions: found.partitions?.column === person.name ? found.partitions.tables.map(fromOf) : [],
      ignored: found.columns.filter((column) => !taken.has(column)).map(({ name }) => name),
    };
  });
  const personKinds = new Set(tables.map(({ person }) => person.kind));
  const personType = personKinds.size > 1 ? "text" : personTypeOf(tables[0]!.person);
  return { personType, tables: new Map(tables.map((table) => [table.name, table])) };
}

/**
 * The person of a row. Integers, UUIDs and texts stand for themselves, so that an index, a constraint or a partition over the column serves;
 * of a number with a point, the zeros at its end do not make another person.
 */
export function personSql({ person }: DatasetTableSource, type: PersonType, alias: string): string {
  const sql = `${alias}.${quoted(person.name)}`;
  if (type !== "text") return sql;
  if (person.kind === "text") return textOf(person, sql);
  return person.kind === "numeric" ? `CAST(trim_scale(${sql}) AS text)` : `CAST(${sql} AS text)`;
}

/** Rows of nobody take no part; an empty text is nobody, as in a file. */
export function somebodySql({ person }: DatasetTableSource, alias: string): string[] {
  const sql = `${alias}.${quoted(person.name)}`;
  const filled = person.kind === "text" ? [`${sql} <> ''`] : [];
  return person.isNotNull || filled.length > 0 ? filled : [`${sql} IS NOT NULL`];
}

/** All people of all tables, each once, as text, with more columns over `person_`; of those rows `t` alone that meet the conditions. */
export function peopleSql(
  { tables, personType }: DatasetSources,
  columns: readonly string[] = [],
  conditions: readonly string[] = [],
): string {
  const selects = [...tables.values()].map((table) => {
    const all = [...somebodySql(table, "t"), ...conditions];
    const where = all.length === 0 ? "" : ` WHERE ${all.join(" AND ")}`;
    return `SELECT ${personSql(table, personType, "t")} AS person_ FROM ${table.from} AS t${where}`;
  });
  const list = ["CAST(person_ AS text)", ...columns].join(", ");
  return `SELECT ${list} FROM (${selects.join(" UNION ALL ")}) AS people GROUP BY person_`;
}

function personTypeOf({ kind }: SourceColumn): PersonType {
  return kind === "integer" || kind === "uuid" ? kind : "text";
}

function fromOf({ schema, table }: TableName): string {
  return `${quoted(schema)}.${quoted(table)}`;
}

const personKinds: readonly SourceColumn["kind"][] = ["integer", "numeric", "uuid", "text"];

function requirePerson(person: SourceColumn, table: string): void {
  if (!personKinds.includes(person.kind))
    throw unfit(
      `in ${table}, the person column ${person.name} is of the type ${person.typeName}; make a view in which it is text`,
    );
  const misfit = collationMisfit(person);
  if (misfit !== undefined) throw unfit(`in ${table}, ${misfit}`);
}

/** Two texts that only such a collation calls equal would be two people, or two values. */
function collationMisfit({ name, isDeterministic }: SourceColumn): string | undefined {
  return isDeterministic
    ? undefined
    : `${name} has a collation that is not deterministic; make a view in which it has another`;
}

/** By its exact name, or as the headers of files are read (letter case and punctuation do not count). */
function sourceOf({ columns }: TableFacts, name: string, table: string): SourceColumn {
  const exact = columns.find((column) => column.name === name);
  if (exact !== undefined) return exact;
  const alike = columns.filter((column) => identifierOf(column.name) === identifierOf(name));
  if (alike.length > 1) throw unfit(`${table} has several columns that are called ${name}`);
  return alike[0] ?? missing(columns, name, table);
}

function missing(columns: readonly SourceColumn[], name: string, table: string): never {
  const known = columns.slice(0, 30).map((column) => column.name);
  throw unfit(
    `${table} has no column ${name} that the role may read; it may read ${known.join(", ") || "none"}`,
  );
}

export function unfit(reason: string): TrustedDataError {
  return new TrustedDataError("database_unfit", `The database does not fit the manifest: ${reason}.`, {
    reason,
  });
}
