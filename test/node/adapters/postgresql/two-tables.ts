/** The tables of any-plan.ts on a server. */
import { daysToDate, formatDecimal } from "../../../../node/data-sharing/manifests/grid.ts";
import type { PersonRow } from "../../../../node/data-sharing/plan/evaluate.ts";
import { cellsOf, type Plan } from "../../../../node/data-sharing/plan/plan.ts";
import type { ExactAnswer } from "../../../../node/data-sharing/ports.ts";
import { regions } from "../../../ports/data-files.ts";
import type { PostgresServer } from "../../../support/postgresql-server.ts";
import { sexes, type TwoTables, textsByCode } from "./any-plan.ts";
import { reader } from "./under-test.ts";

const visitColumns =
  "person text NOT NULL, region text, cost numeric(9, 2), age integer NOT NULL, day date, acute boolean, large bigint NOT NULL";
const patientColumns = "person text, sex text, born date, word text";

export async function createTwoTables(server: PostgresServer): Promise<void> {
  await server.sql(
    `CREATE TABLE visits (${visitColumns}); CREATE TABLE patients (${patientColumns}); GRANT SELECT ON visits, patients TO ${reader}`,
  );
}

export async function insertRows(server: PostgresServer, { visits, patients }: TwoTables): Promise<void> {
  await insert(server, "visits", visits, visitValues);
  await insert(server, "patients", patients, patientValues);
}

export async function deletePerson(server: PostgresServer, person: string): Promise<void> {
  await server.sql("DELETE FROM visits WHERE person = $1", [person]);
  await server.sql("DELETE FROM patients WHERE person = $1", [person]);
}

/** Numbers by group and vector, whatever order the groups come in. */
export function byGroup({ keys, vectors }: Plan, answer: ExactAnswer): Record<string, bigint[]>[] {
  return answer.vectors.map((numbers, at) => {
    const cells = cellsOf(vectors[at]!);
    const groups =
      answer.groups ?? Array.from({ length: numbers.length / cells }, (_, group) => [`${group}`]);
    return Object.fromEntries(
      groups.map((labels, group) => [
        `${keys.length} ${JSON.stringify(labels)}`,
        numbers.slice(group * cells, (group + 1) * cells),
      ]),
    );
  });
}

async function insert(
  server: PostgresServer,
  table: string,
  rows: readonly PersonRow[],
  valuesOf: (columns: PersonRow["columns"]) => object,
): Promise<void> {
  const values = rows.map(({ person, columns }) => ({ person, ...valuesOf(columns) }));
  await server.sql(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1)`, [
    JSON.stringify(values),
  ]);
}

function visitValues({ region, cost, age, day, acute, large }: PersonRow["columns"]): object {
  return {
    region: form(region, (value) => regions[Number(value)]!),
    cost: form(cost, (value) => formatDecimal(value, 2)),
    age: form(age, String),
    day: form(day, daysToDate),
    acute: form(acute, (value) => String(value === 1n)),
    large: form(large, String),
  };
}

function patientValues({ sex, born, word }: PersonRow["columns"]): object {
  return {
    sex: form(sex, (value) => sexes[Number(value)]!),
    born: form(born, daysToDate),
    word: form(word, (value) => textsByCode.get(value)!),
  };
}

function form(value: bigint | null | undefined, text: (value: bigint) => string): string | null {
  return value === null || value === undefined ? null : text(value);
}
