/** A role for asking may read and nothing else: then no mistake of ours, and no view or function of the custodian's, changes their data. */
import { TrustedDataError } from "../../errors.ts";
import type { DatabaseAddress } from "./database-address.ts";
import { unfit } from "./dataset-tables.ts";
import { quoted } from "./sql-text.ts";
import type { ServerFacts, TableFacts, TableName } from "./table-facts.ts";

const versionMin = 150_000;

/** @throws TrustedDataError `database_unfit`, `database_role_unsafe` with the statements that make a role that is not. */
export function requireSafe(
  address: DatabaseAddress,
  server: ServerFacts,
  tables: readonly { name: TableName; facts: TableFacts | undefined }[],
): void {
  if (server.version < versionMin) throw unfit("the server is older than PostgreSQL 15");
  // Texts of another encoding may hold bytes that are no character, on which a query fails.
  if (server.encoding !== "UTF8") throw unfit(`its encoding is ${server.encoding}, not UTF8`);
  if (server.isSuperuser) throw unsafe("is a superuser", address, tables);
  const written = tables.find(({ facts }) => facts?.mayWrite);
  if (written !== undefined)
    throw unsafe(`may change ${written.name.schema}.${written.name.table}, or owns it`, address, tables);
}

function unsafe(
  what: string,
  { user }: DatabaseAddress,
  tables: readonly { name: TableName }[],
): TrustedDataError {
  const schemas = [...new Set(tables.map(({ name }) => name.schema))];
  const statements = [
    "CREATE ROLE itd_reader LOGIN PASSWORD '...';",
    "ALTER ROLE itd_reader SET default_transaction_read_only = on;",
    ...schemas.map((schema) => `GRANT USAGE ON SCHEMA ${quoted(schema)} TO itd_reader;`),
    ...tables.map(
      ({ name }) => `GRANT SELECT ON ${quoted(name.schema)}.${quoted(name.table)} TO itd_reader;`,
    ),
  ];
  return new TrustedDataError(
    "database_role_unsafe",
    `The role ${user} ${what}, and data is connected by a role that may only read. Run ${statements.join(" ")} and connect as itd_reader.`,
    { role: user },
  );
}
