/** What becomes of the values of live tables under a manifest, counted once when they are connected: for the custodian, who sees all rows anyway. */
import type { ImportReport } from "../../data-sharing/ports.ts";
import { conversionOf, textOf } from "./convert-columns.ts";
import type { Session } from "./database-connections.ts";
import {
  type DatasetSources,
  type DatasetTableSource,
  personSql,
  somebodySql,
  unfit,
} from "./dataset-tables.ts";
import { type RowsOptions, tableRows } from "./rows.ts";
import { quoted } from "./sql-text.ts";

/**
 * @param person What the manifest calls the person column.
 * @throws TrustedDataError `database_unfit` where a person is in several partitions
 */
export async function countValues(
  sources: DatasetSources,
  person: string,
  session: Session,
): Promise<ImportReport> {
  const unfit: Record<string, number> = {};
  const report: ImportReport = {
    rows: 0,
    people: await countPeople(sources, session),
    rowsLeftOut: 0,
    clamped: {},
    rounded: {},
    madeNull: {},
    unfit,
    ignoredColumns: [],
    delimiter: null,
  };
  for (const [at, table] of [...sources.tables.values()].entries()) {
    // Columns of further tables are told apart by their table.
    const label = (name: string) => (at === 0 ? name : `${table.name}.${name}`);
    const [rows, nobody, ...counts] = (await session.rows(countSql(table)))[0]!.map(Number);
    await requireApart(sources, table, session);
    const rowsLeftOut = await countLeftOut(sources, table, session);
    report.rows += rows!;
    report.rowsLeftOut += rowsLeftOut;
    if (sources.tables.size > 1)
      report.tables = { ...report.tables, [table.name]: { rows: rows!, rowsLeftOut } };
    report.ignoredColumns.push(...table.ignored.map(label));
    note(unfit, label(person), nobody!);
    for (const [place, { column }] of table.columns.entries()) {
      const [clamped, rounded, lost] = counts.slice(3 * place, 3 * place + 3);
      note(report.clamped, label(column.name), clamped!);
      note(report.rounded, label(column.name), rounded!);
      note(column.nullable ? report.madeNull : unfit, label(column.name), lost!);
    }
  }
  return report;
}

function note(counts: Record<string, number>, name: string, count: number): void {
  if (count > 0) counts[name] = count;
}

/** Rows, rows of nobody, and for each column: moved to a bound, rounded, without a value that fits. */
function countSql(table: DatasetTableSource): string {
  const when = (condition: string | null) =>
    condition === null ? "0" : `count(*) FILTER (WHERE ${condition})`;
  const somebody = somebodySql(table, "t").map((condition) => `coalesce(${condition}, false)`);
  const items = table.columns.flatMap(({ column, source }) => {
    const sql = `t.${quoted(source.name)}`;
    const { value, clamped, rounded } = conversionOf(column, source, sql);
    const taken = (condition: string | null) => condition && `${condition} AND ${value} IS NOT NULL`;
    const filled = source.kind === "text" ? `${textOf(source, sql)} <> ''` : `${sql} IS NOT NULL`;
    const lost = column.nullable ? `${filled} AND ${value} IS NULL` : `${value} IS NULL`;
    return [when(taken(clamped)), when(taken(rounded)), when(lost)];
  });
  const nobody = when(somebody.length === 0 ? null : `NOT (${somebody.join(" AND ")})`);
  return `SELECT ${["count(*)", nobody, ...items].join(", ")} FROM ${table.from} AS t`;
}

async function countPeople(sources: DatasetSources, session: Session): Promise<number> {
  const selects = [...sources.tables.values()].map((table) => {
    const where = somebodySql(table, "t");
    const person = personSql(table, sources.personType, "t");
    return `SELECT ${person} AS person_ FROM ${table.from} AS t${where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`}`;
  });
  const [row] = await session.rows(
    `SELECT count(DISTINCT person_) FROM (${selects.join(" UNION ALL ")}) AS people`,
  );
  return Number(row![0]);
}

/** Partitions that are asked one by one must share nobody; PostgreSQL does not see to that for those on other servers. */
async function requireApart(
  sources: DatasetSources,
  table: DatasetTableSource,
  session: Session,
): Promise<void> {
  if (table.partitions.length === 0) return;
  const people = table.partitions.map((from) => {
    const person = personSql(table, sources.personType, "t");
    return `SELECT DISTINCT ${person} AS person_ FROM ${from} AS t`;
  });
  const [row] = await session.rows(
    `SELECT count(*) FROM (SELECT person_ FROM (${people.join(" UNION ALL ")}) AS people GROUP BY person_ HAVING count(*) > 1) AS shared`,
  );
  if (row![0] !== "0")
    throw unfit(
      `${row![0]} people of ${table.name} have rows in several of its partitions, and would count for each of them`,
    );
}

async function countLeftOut(
  sources: DatasetSources,
  table: DatasetTableSource,
  session: Session,
): Promise<number> {
  const options: RowsOptions = {
    sources,
    bounded: new Set(),
    instead: new Map(),
    takesPart: null,
    secret: () => "''",
  };
  const [row] = await session.rows(
    `SELECT coalesce(sum(n - ${table.rowsPerPerson}), 0) FROM (SELECT count(*) AS n FROM (${tableRows(table, [], options)}) AS r GROUP BY person_) AS counts WHERE n > ${table.rowsPerPerson}`,
  );
  return Number(row![0]);
}
