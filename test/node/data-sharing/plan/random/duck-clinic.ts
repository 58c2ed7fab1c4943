/** The clinic's tables in DuckDB, with the types that its manifest names, and what a question's rows are there. */
import { DuckDBInstance } from "@duckdb/node-api";
import { tablesOf } from "../../../../../node/data-sharing/manifests/dataset-manifest.ts";
import { daysToDate, formatDecimal } from "../../../../../node/data-sharing/manifests/grid.ts";
import { textCode } from "../../../../../node/data-sharing/manifests/text-code.ts";
import { type PlanColumn, planColumns } from "../../../../../node/data-sharing/plan/columns.ts";
import { type ClinicTables, clinic, diagnoses, publicTables } from "./clinic.ts";

/** A row of a question: its person, then keys and arguments; texts as they are, all else as the plan's integers. */
export type QuestionRow = { person: string; values: (bigint | string | null)[] };

const labels = new Map(diagnoses.map((text) => [textCode(text), text]));

export async function duckClinic(tables: ClinicTables) {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  const load = async (name: string, columns: [string, string][], rows: (string | null)[][]) => {
    await connection.run(`CREATE TABLE ${name} (${columns.map((column) => column.join(" ")).join(", ")})`);
    for (const row of rows) {
      const values = row.map((value, at) =>
        value === null ? "NULL" : `CAST('${value}' AS ${columns[at]![1]})`,
      );
      await connection.run(`INSERT INTO ${name} VALUES (${values.join(", ")})`);
    }
  };
  for (const [name, table] of tablesOf(clinic)) {
    const columns = [...planColumns(table)];
    await load(
      name,
      [["person", "VARCHAR"], ...columns.map(([column, facts]): [string, string] => [column, typeOf(facts)])],
      tables[name]!.map((row) => [
        row.person,
        ...columns.map(([column, facts]) => textOf(row.columns[column] ?? null, facts)),
      ]),
    );
  }
  for (const [name, table] of Object.entries(publicTables))
    await load(
      name,
      table.columns.map((column) => [column.name, typeOf({ scale: 0, ...column })]),
      table.rows.map((row) => row.map(String)),
    );
  return {
    async rowsOf(sql: string): Promise<QuestionRow[]> {
      const reader = await connection.runAndReadAll(sql);
      return reader.getRows().map(([person, ...values]) => ({
        person: String(person),
        values: values.map((value) =>
          value === null || typeof value === "string" ? value : BigInt(value as bigint | number),
        ),
      }));
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

function typeOf({ type, scale }: Pick<PlanColumn, "type" | "scale">): string {
  const types = { text: "VARCHAR", boolean: "BOOLEAN", date: "DATE", integer: "BIGINT" };
  return type === "decimal" ? `DECIMAL(9, ${scale})` : types[type];
}

function textOf(value: bigint | null, { type, scale, domain, open }: PlanColumn): string | null {
  if (value === null) return null;
  if (type === "text") return open ? labels.get(value)! : domain[Number(value)]!;
  if (type === "boolean") return value === 1n ? "true" : "false";
  return type === "date" ? daysToDate(value) : formatDecimal(value, scale);
}
