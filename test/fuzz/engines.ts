/** DuckDB and PostgreSQL with the clinic's tables as anybody would make them there, to run statements in as they were written. */
import {
  type DuckDBConnection,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBTimestampValue,
} from "@duckdb/node-api";
import { tablesOf } from "../../node/data-sharing/manifests/dataset-manifest.ts";
import { daysToDate, formatDecimal } from "../../node/data-sharing/manifests/grid.ts";
import { type PlanColumn, planColumns } from "../../node/data-sharing/plan/columns.ts";
import type { ClinicTables } from "../node/data-sharing/plan/random/clinic.ts";
import { startPostgres } from "../support/postgresql-server.ts";
import { dataset, openTexts, publicTables } from "./world.ts";

/** Exact numbers as plain decimals without trailing zeros, dates as YYYY-MM-DD, floating point as it is. */
export type EngineValue = string | number | null;

export interface Engine {
  name: "DuckDB" | "PostgreSQL";
  load(worlds: readonly World[]): Promise<void>;
  /** Rejects where the engine does not take the statement. */
  rows(world: number, sql: string): Promise<EngineValue[][]>;
  close(): Promise<void>;
}

export interface World {
  tables: ClinicTables;
  /** Of whole numbers where their bounds do not ask for more. */
  integerType: "INTEGER" | "BIGINT";
}

const slowestMs = 10_000;

export async function startDuckDb(): Promise<Engine> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connections: DuckDBConnection[] = [];
  return {
    name: "DuckDB",
    async load(worlds) {
      for (const [at, world] of worlds.entries()) {
        const connection = await instance.connect();
        await connection.run(`CREATE SCHEMA world${at}; USE world${at}`);
        // DuckDB's own `/` is a division of floating point; this is its setting for who comes from PostgreSQL.
        await connection.run("SET integer_division = true");
        for (const statement of statements(world, "VARCHAR")) await connection.run(statement);
        connections.push(connection);
      }
    },
    async rows(world, sql) {
      const reader = await connections[world]!.runAndReadAll(sql);
      return reader.getRows().map((row) => row.map(duckValue));
    },
    async close() {
      for (const connection of connections) connection.closeSync();
      instance.closeSync();
    },
  };
}

function duckValue(value: unknown): EngineValue {
  if (value === null || typeof value === "number" || typeof value === "string") return value;
  if (typeof value === "bigint") return String(value);
  if (typeof value === "boolean") return String(value);
  if (value instanceof DuckDBDecimalValue) return plain(value.toString());
  if (value instanceof DuckDBDateValue) return daysToDate(BigInt(value.days));
  if (value instanceof DuckDBTimestampValue) return instant(value.toString());
  return `of a type that nobody expects: ${String(value)}`;
}

export async function startPostgreSql(): Promise<Engine> {
  const server = await startPostgres({ settings: [`statement_timeout = ${slowestMs}`, "timezone = 'UTC'"] });
  const client = await server.connect();
  let current = -1;
  return {
    name: "PostgreSQL",
    async load(worlds) {
      for (const [at, world] of worlds.entries()) {
        await client.query(`CREATE SCHEMA world${at}; SET search_path = world${at}`);
        for (const statement of statements(world, "text")) await client.query(statement);
      }
      await client.query("ANALYZE");
    },
    async rows(world, sql) {
      if (world !== current) await client.query(`SET search_path = world${world}`);
      current = world;
      const { rows, fields } = await client.query<(string | null)[]>({
        text: sql,
        rowMode: "array",
        types: { getTypeParser: () => (text: string) => text },
      } as never);
      return rows.map((row) => row.map((text, at) => postgresValue(text, fields[at]!.dataTypeID)));
    },
    async close() {
      await client.end();
      await server.stop();
    },
  };
}

function postgresValue(text: string | null, type: number): EngineValue {
  if (text === null) return null;
  switch (type) {
    case 16:
      return text === "t" ? "true" : "false";
    case 20:
    case 21:
    case 23:
    case 1700:
      return plain(text);
    case 701:
      return Number(text);
    case 1114:
    case 1184:
      return instant(text);
    case 25:
    case 1043:
    case 1082:
      return text;
    default:
      return `of the type ${type}, which nobody expects: ${text}`;
  }
}

/** Where a number has decimal places, without the zeros at their end. */
export function plain(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "").replace(/^-0$/, "0") : text;
}

/** The day of an instant at its beginning. */
function instant(text: string): string {
  return text.replace(/ 00:00:00(?:\+00)?$/, "");
}

function statements({ tables, integerType }: World, textType: string): string[] {
  const typeOf = ({ type, scale, range }: Pick<PlanColumn, "type" | "scale" | "range">) => {
    const isWide = range !== null && (range.high > 2n ** 31n - 1n || range.low < -(2n ** 31n));
    const types = {
      text: textType,
      boolean: "BOOLEAN",
      date: "DATE",
      integer: isWide ? "BIGINT" : integerType,
    };
    return type === "decimal" ? `DECIMAL(9, ${scale})` : types[type];
  };
  const table = (name: string, columns: [string, string][], rows: (string | null)[][]): string[] => {
    const values = rows.map(
      (row) =>
        `(${row.map((value) => (value === null ? "NULL" : `'${value.replaceAll("'", "''")}'`)).join(", ")})`,
    );
    const insert = values.length === 0 ? [] : [`INSERT INTO ${name} VALUES ${values.join(", ")}`];
    return [`CREATE TABLE ${name} (${columns.map((column) => column.join(" ")).join(", ")})`, ...insert];
  };
  const own = [...tablesOf(dataset)].flatMap(([name, declared]) => {
    const columns = [...planColumns(declared)];
    return table(
      name,
      [["person", textType], ...columns.map(([column, facts]): [string, string] => [column, typeOf(facts)])],
      tables[name]!.map((row) => [
        row.person,
        ...columns.map(([column, facts]) => storedText(row.columns[column] ?? null, facts)),
      ]),
    );
  });
  const open = Object.entries(publicTables).flatMap(([name, { columns, rows }]) =>
    table(
      name,
      columns.map((column) => [column.name, typeOf({ scale: 0, range: null, ...column })]),
      rows.map((row) => row.map(String)),
    ),
  );
  return [...own, ...open];
}

function storedText(value: bigint | null, { type, scale, domain, open }: PlanColumn): string | null {
  if (value === null) return null;
  if (type === "text") return open ? openTexts.get(value)! : domain[Number(value)]!;
  if (type === "boolean") return value === 1n ? "true" : "false";
  return type === "date" ? daysToDate(value) : formatDecimal(value, scale);
}
