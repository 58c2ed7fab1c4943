/**
 * Where a custodian's database is: `postgres://USER@HOST:PORT/DATABASE?table=SCHEMA.TABLE`. It never holds a password, as it is written
 * into records, shell histories and lists of processes.
 */
import { isIP } from "node:net";
import { isAbsolute } from "node:path";
import { z } from "zod";
import { identifierSchema } from "../../data-sharing/manifests/dataset-manifest.ts";
import { TrustedDataError } from "../../errors.ts";
import type { TableName } from "./table-facts.ts";

const databaseNameSchema = z
  .string()
  .min(1)
  .max(63)
  .refine((name) => !name.includes("\0"));

export const addressSchema = z.strictObject({
  user: databaseNameSchema,
  /** A name or an address; or the folder of a Unix socket on this machine. */
  host: z.string().min(1).max(255),
  port: z.int().min(1).max(65_535),
  database: databaseNameSchema,
  /** `verify-full`: TLS with a certificate for this host. Nothing less goes over a network. */
  tls: z.enum(["none", "verify-full"]),
  /** PEM file of who signs the server's certificate; by default those that Node trusts. */
  rootCertificateFile: z.string().nullable(),
});

/** By the names that the manifest has for them. */
export const tableNamesSchema = z.record(
  identifierSchema,
  z.strictObject({ schema: databaseNameSchema, table: databaseNameSchema }),
);

export type DatabaseAddress = z.infer<typeof addressSchema>;

export interface DatabaseSource {
  address: DatabaseAddress;
  /** What the dataset's first table is. */
  table: TableName;
  /** `table.NAME=...`: by the manifest's names of further tables. */
  furtherTables: Record<string, TableName>;
  /** `bounded=NAME,...`: tables of which the custodian says that no person has more rows than the manifest allows. */
  bounded: string[];
}

export function isDatabaseUrl(text: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(text);
}

/** @throws TrustedDataError `database_address_invalid`; it repeats nothing of the text but names of parts, as that may hold a password. */
export function parseDatabaseUrl(text: string): DatabaseSource {
  // URL knows how to read hosts of the web's schemes only.
  const url = URL.parse(text.replace(/^postgres(?:ql)?:/, "http:"));
  if (url === null || !isDatabaseUrl(text)) throw invalid(`write ${form}`);
  if (url.password !== "")
    throw invalid(
      "it holds a password, which would stay in shell histories: put it in the password file (~/.pgpass or PGPASSFILE, chmod 600) or in PGPASSWORD, and take it out here",
    );
  const options = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (options.has(name)) throw invalid(`${optionName(name)} is given twice`);
    options.set(name, value);
  }
  const take = (name: string): string | undefined => {
    const value = options.get(name);
    options.delete(name);
    return value;
  };
  const socket = take("host");
  const host = socket ?? decoded(url.hostname).replace(/^\[(.*)\]$/, "$1");
  const table = take("table");
  if (table === undefined) throw invalid(`it does not say which table: ${form}`);
  const tls = tlsOf(take("sslmode"), host);
  const rootCertificateFile = take("sslrootcert") ?? null;
  if (rootCertificateFile !== null && (tls === "none" || !isAbsolute(rootCertificateFile)))
    throw invalid("sslrootcert is an absolute path and goes with sslmode=verify-full");
  const bounded = take("bounded")?.split(",") ?? [];
  const furtherTables: Record<string, TableName> = {};
  for (const [name, value] of options) {
    const further = /^table\.([a-z][a-z0-9_]{0,62})$/.exec(name)?.[1];
    if (further === undefined)
      throw invalid(
        `${optionName(name)} is not known: there are table, table.NAME, bounded, host, sslmode, sslrootcert`,
      );
    furtherTables[further] = tableNameOf(value);
  }
  const address = addressSchema.safeParse({
    user: decoded(url.username),
    host,
    port: url.port === "" ? 5432 : Number(url.port),
    database: decoded(url.pathname.slice(1)),
    tls,
    rootCertificateFile,
  });
  if (!address.success)
    throw invalid(`${String(address.error.issues[0]!.path[0])} is missing or wrong: ${form}`);
  return { address: address.data, table: tableNameOf(table), furtherTables, bounded };
}

/** The same without anything but the place, for messages. */
export function describeAddress({ host, port, database }: DatabaseAddress): string {
  return `the database ${database} at ${host.includes(":") ? `[${host}]` : host}:${port}`;
}

export function isLoopback(host: string): boolean {
  if (host.startsWith("/") || host === "localhost" || host === "::1") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}

const form = "postgres://USER@HOST:PORT/DATABASE?table=SCHEMA.TABLE";

function tlsOf(mode: string | undefined, host: string): DatabaseAddress["tls"] {
  if (isLoopback(host)) {
    if (mode === undefined || mode === "disable") return "none";
  } else if (mode === undefined) return "verify-full";
  if (mode === "verify-full") return "verify-full";
  throw invalid(
    "sslmode is verify-full for a server on another machine, and can be left out: anything less would show rows to whoever is in between",
  );
}

/** `table`, `schema.table`, and either with double quotes as in SQL. */
function tableNameOf(text: string): TableName {
  const part = `(?:"((?:[^"]|"")+)"|([^".]+))`;
  const match = new RegExp(`^(?:${part}\\.)?${part}$`).exec(text);
  if (match === null)
    throw invalid("a table is written SCHEMA.TABLE, with double quotes where a name holds a point");
  const name = (quotedName: string | undefined, plain: string | undefined) =>
    quotedName?.replaceAll('""', '"') ?? plain;
  const found = { schema: name(match[1], match[2]) ?? "public", table: name(match[3], match[4])! };
  const checked = z.object({ schema: databaseNameSchema, table: databaseNameSchema }).safeParse(found);
  if (!checked.success || [found.schema, found.table].some((one) => Buffer.byteLength(one) > 63))
    throw invalid("a name of a table is longer than PostgreSQL's 63 bytes");
  return found;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`write ${form}`);
  }
}

/** Only what looks like one; anything else could be part of a password. */
function optionName(name: string): string {
  return /^[a-z_.]{1,40}$/.test(name) ? `the option ${name}` : "an option";
}

function invalid(reason: string): TrustedDataError {
  return new TrustedDataError(
    "database_address_invalid",
    `The address of the database is not usable: ${reason}.`,
    { reason },
  );
}
