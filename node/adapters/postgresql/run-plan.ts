/**
 * Runs one plan in one snapshot and adds up its answer. A table that is spread over servers by the person is asked server by server, as
 * PostgreSQL sends an aggregate to another server only where all of a group is there; their answers add up, as no person is in two.
 */
import type { Plan, Rows } from "../../data-sharing/plan/plan.ts";
import type { ExactAnswer } from "../../data-sharing/ports.ts";
import { assert } from "../../primitives/assert.ts";
import { AnswerBuilder } from "./answer-rows.ts";
import { compilePlan, type Statement } from "./compile-plan.ts";
import type { Session } from "./database-connections.ts";
import type { DatabaseRecord } from "./database-records.ts";
import type { DatasetSources } from "./dataset-tables.ts";
import type { TakesPart } from "./person-places.ts";
import { type RowsOptions, tableRows } from "./rows.ts";
import { textLiteral } from "./sql-text.ts";

export interface RunModules {
  record: Pick<DatabaseRecord, "bounded" | "secret">;
  sources: DatasetSources;
  session: Session;
  filter: TakesPart | undefined;
}

export async function runPlan(
  plan: Plan,
  { record, sources, session, filter }: RunModules,
): Promise<ExactAnswer> {
  const values = filter?.values ?? [];
  const base = optionsFor(plan, sources, record.secret, filter);
  const bounded = new Set<string>();
  for (const name of record.bounded) {
    const sql = exceedingSql(name, plan, base);
    if (sql !== null && (await session.rows(sql, values))[0]?.[0] === "0") bounded.add(name);
  }
  const builder = new AnswerBuilder(plan);
  for (const statement of statementsOf(
    plan,
    base.map((options) => ({ ...options, bounded })),
  ))
    builder.add(statement, await session.rows(statement.sql, values));
  return builder.answer();
}

/** For each place that is asked: one, or one for each partition. */
export function optionsFor(
  plan: Plan,
  sources: DatasetSources,
  secret: string,
  filter: TakesPart | undefined,
): RowsOptions[] {
  const common = {
    sources,
    bounded: new Set<string>(),
    takesPart: filter?.condition ?? null,
    secret: () => textLiteral(secret),
  };
  const named = [...rowsPerPersonByTable(plan.rows).keys()];
  const partitions = named.length === 1 ? (sources.tables.get(named[0]!)?.partitions ?? []) : [];
  if (partitions.length === 0) return [{ ...common, instead: new Map() }];
  return partitions.map((from) => ({ ...common, instead: new Map([[named[0]!, from]]) }));
}

/** The statements of all places, each one the union of theirs. */
export function statementsOf(plan: Plan, places: readonly RowsOptions[]): Statement[] {
  const byPlace = places.map((options) => compilePlan(plan, options));
  return byPlace[0]!.map((statement, at) => ({
    ...statement,
    sql: byPlace.length === 1 ? statement.sql : byPlace.map((own) => `(${own[at]!.sql})`).join(" UNION ALL "),
  }));
}

/**
 * Counts the persons with more rows than the plan takes of a table that the custodian says has none of them: then its rows are counted off
 * after all. Null for a table that the plan does not read, or of which a constraint says so.
 */
export function exceedingSql(name: string, plan: Plan, places: readonly RowsOptions[]): string | null {
  const table = places[0]!.sources.tables.get(name);
  assert(table !== undefined, "bounded tables are tables of the dataset");
  const rowsPerPerson = rowsPerPersonByTable(plan.rows).get(name);
  if (rowsPerPerson === undefined || table.isUnique) return null;
  const counts = places.map(
    (options) =>
      `SELECT count(*) AS n FROM (SELECT person_ FROM (${tableRows(table, [], options)}) AS r GROUP BY 1 HAVING count(*) > ${rowsPerPerson}) AS exceeding`,
  );
  return `SELECT sum(n) FROM (${counts.join(" UNION ALL ")}) AS counts`;
}

/** The tables that are read, with the least number of rows of a person that is taken. */
function rowsPerPersonByTable({ sources }: Rows, found = new Map<string, number>()): Map<string, number> {
  for (const source of sources) {
    if (source.kind === "people") rowsPerPersonByTable(source.rows, found);
    else
      found.set(
        source.table,
        Math.min(source.rowsPerPerson, found.get(source.table) ?? source.rowsPerPerson),
      );
  }
  return found;
}
