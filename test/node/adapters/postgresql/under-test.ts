/** The PostgreSQL store and engine over tables of a real server, filled from the files of the port suites. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  PostgresDatasetStore,
  type PostgresStoreOptions,
} from "../../../../node/adapters/postgresql/postgres-dataset-store.ts";
import {
  PostgresEngine,
  type PostgresEngineOptions,
} from "../../../../node/adapters/postgresql/postgres-engine.ts";
import { SystemRandomness } from "../../../../node/adapters/system-randomness.ts";
import { type DatasetTable, tablesOf } from "../../../../node/data-sharing/manifests/dataset-manifest.ts";
import type { DataUnderTest } from "../../../ports/data-files.ts";
import { database, type PostgresServer } from "../../../support/postgresql-server.ts";

/** Who may read and nothing else. */
export const reader = "itd_reader";

export interface PostgresUnderTest extends DataUnderTest {
  postgres: PostgresDatasetStore;
  engine: PostgresEngine;
  folder: string;
  failures: string[];
  unavailable: string[];
  /** The address of a table of the server, as the reader. */
  url(table: string, more?: string): string;
}

export async function postgresUnderTest(
  server: PostgresServer,
  {
    engine = {},
    store = {},
  }: {
    engine?: Partial<PostgresEngineOptions>;
    store?: Partial<PostgresStoreOptions>;
  } = {},
): Promise<PostgresUnderTest> {
  const root = mkdtempSync(join(tmpdir(), "itd-postgresql-node-"));
  const [folder, inbox] = [join(root, "postgresql"), join(root, "inbox")];
  mkdirSync(inbox);
  const failures: string[] = [];
  const unavailable: string[] = [];
  await server.sql(
    `DO $$ BEGIN CREATE ROLE ${reader} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  );
  const postgres = new PostgresDatasetStore({ folder, randomness: new SystemRandomness(), ...store });
  const opened = new PostgresEngine({
    folder,
    onFailure: (detail) => void failures.push(detail),
    onUnavailable: (_, reason) => void unavailable.push(reason),
    ...engine,
  });
  const url = (table: string, more = "") =>
    `postgres://${reader}@127.0.0.1:${server.port}/${database}?table=${table}${more}`;
  const filled = new Map<string, string>();
  const files: PostgresUnderTest["store"] = {
    manifests: () => postgres.manifests(),
    countPeopleMissing: (dataset, people) => postgres.countPeopleMissing(dataset, people),
    importFile: async (file, manifest, onProgress, furtherFiles = {}) => {
      for (const [name, table] of tablesOf(manifest)) {
        const columns = columnsSql(table);
        const isNew = filled.get(name) !== columns;
        await fillTable(server, name, columns, isNew, name === manifest.table ? file : furtherFiles[name]!);
        filled.set(name, columns);
      }
      const more = Object.keys(furtherFiles).map((name) => `&table.${name}=public.${name}`);
      return await postgres.importFile(url(`public.${manifest.table}`, more.join("")), manifest, onProgress);
    },
  };
  return {
    store: files,
    postgres,
    engine: opened,
    folder,
    inbox,
    failures,
    unavailable,
    url,
    listing: () => readdirSync(root, { recursive: true, encoding: "utf8" }).sort(),
    dispose: async () => {
      await opened.close();
      rmSync(root, { recursive: true });
    },
  };
}

export const visitsColumns =
  "person text, region text, cost numeric, age integer, day date, acute boolean, large bigint";

const sqlTypes = { integer: "bigint", decimal: "numeric", text: "text", boolean: "boolean", date: "date" };

function columnsSql({ columns }: DatasetTable): string {
  return [
    "person text",
    ...Object.entries(columns).map(([name, { type }]) => `${name} ${sqlTypes[type]}`),
  ].join(", ");
}

/** In one transaction, so that a question sees the former rows or the new ones. */
async function fillTable(
  server: PostgresServer,
  table: string,
  columns: string,
  isNew: boolean,
  file: string,
): Promise<void> {
  const [header, ...lines] = readFileSync(file, "utf8").trimEnd().split("\n").map(fieldsOf);
  const values = lines.map((fields) =>
    Object.fromEntries(header!.map((name, at) => [name, fields[at] || null])),
  );
  const client = await server.connect();
  try {
    await client.query(
      isNew
        ? `BEGIN; DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (${columns}); GRANT SELECT ON ${table} TO ${reader}`
        : `BEGIN; DELETE FROM ${table}`,
    );
    const text = `INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1)`;
    await client.query(text, [JSON.stringify(values)]);
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}

function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!,
  );
}
