/**
 * Connections to custodians' databases: a bounded pool for each address, one connection for one question, each question in one read-only
 * transaction that sees one snapshot. What PostgreSQL says on failure may hold values, and stays with who calls.
 */
import { readFileSync } from "node:fs";
import { Client, type ClientBase, Pool, type PoolClient, type PoolConfig } from "pg";
import { assert } from "../../primitives/assert.ts";
import type { DatabaseAddress } from "./database-address.ts";
import { databasePassword } from "./password-file.ts";

export interface SnapshotLimits {
  timeMsMax: number;
  memoryBytesMax: number;
}

/** The time limit was reached, by PostgreSQL's own clock or by ours. */
export class TimeLimit extends Error {}

/** Opening one takes no longer on a network that works. */
const connectMsMax = 5_000;
const idleMsMax = 60_000;
/** Someone else who changes the table holds its lock for this long at most before we give up. */
const lockMsMax = 5_000;
/** PostgreSQL ends a statement at its limit; this much later it is told to, and then the connection is cut. */
const graceMs = 2_000;
/** What one operation of a statement (a sort, a hash table) may hold; a statement has several, and beyond it works on disk. */
const workMemoryShare = 4;
const workMemoryKiBMin = 1_024;
const workMemoryKiBMax = 262_144;
/** Disk that a statement may use for sorts and hash tables, as a multiple of the memory limit. */
const temporaryShare = 4;
const temporaryKiBMin = 1_048_576;

export class DatabaseConnections {
  readonly #pools = new Map<string, Pool>();
  readonly #connectionsMax: number;

  constructor(connectionsMax: number) {
    this.#connectionsMax = connectionsMax;
  }

  /** Runs `work` in one snapshot and nothing else in it; `session` runs statements within what is left of the time. */
  async inSnapshot<T>(
    address: DatabaseAddress,
    limits: SnapshotLimits,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    const deadlineMs = performance.now() + limits.timeMsMax;
    const client = await this.#pool(address).connect();
    const cutter = setTimeout(() => void this.#cut(address, client), limits.timeMsMax + graceMs);
    let isBroken = true;
    try {
      await client.query(openingOf(limits));
      const answer = await work(new Session(client, deadlineMs));
      await client.query("COMMIT");
      isBroken = false;
      return answer;
    } catch (error) {
      throw isTimeLimit(error) || performance.now() >= deadlineMs
        ? new TimeLimit("the time limit was reached")
        : error;
    } finally {
      clearTimeout(cutter);
      // After a failure the connection is not used again.
      client.release(isBroken);
    }
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.end()));
  }

  #pool(address: DatabaseAddress): Pool {
    const key = JSON.stringify(address);
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const pool = new Pool({
      ...clientConfig(address),
      max: this.#connectionsMax,
      idleTimeoutMillis: idleMsMax,
    });
    // An idle connection that breaks is replaced when it is needed; of one in use, its statement tells.
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
    this.#pools.set(key, pool);
    return pool;
  }

  /** A statement that goes on past its limit is cancelled from another connection; whether or not that works, ours is gone at once. */
  async #cut(address: DatabaseAddress, client: PoolClient): Promise<void> {
    const { processID, connection } = client as PoolClient & Innards;
    connection.stream.destroy();
    const other = new Client(clientConfig(address));
    other.on("error", () => {});
    try {
      await other.connect();
      await other.query("SELECT pg_catalog.pg_cancel_backend($1)", [processID]);
    } catch {
      // The server does not hear us.
    } finally {
      await other.end().catch(() => {});
    }
  }
}

/** What the driver has and its types do not tell. */
interface Innards {
  processID: number | null;
  connection: { stream: { destroy(): void } };
}

export class Session {
  readonly client: ClientBase;
  readonly #deadlineMs: number;

  constructor(client: ClientBase, deadlineMs: number) {
    this.client = client;
    this.#deadlineMs = deadlineMs;
  }

  /** Rows as lists of PostgreSQL's own texts. @throws TimeLimit */
  async rows(sql: string, values: readonly unknown[] = []): Promise<(string | null)[][]> {
    const leftMs = Math.floor(this.#deadlineMs - performance.now());
    if (leftMs < 1) throw new TimeLimit("the time limit was reached");
    await this.client.query(`SET LOCAL statement_timeout = ${leftMs}`);
    const answer = await this.client.query({
      text: sql,
      values: [...values],
      rowMode: "array",
      types: asText,
    });
    return answer.rows as (string | null)[][];
  }
}

/** Why a server did not take us, for the custodian whose database it is; it holds no password. */
export function whyRefused(error: Error): string {
  if (/client password must be/.test(error.message))
    return "it asks for a password, and none is in PGPASSWORD, in the file that PGPASSFILE names, or else in ~/.pgpass";
  return error.message.split("\n")[0]!;
}

/** Whole numbers of any size stay whole. */
const asText = { getTypeParser: () => (value: string | Buffer) => String(value) };

function clientConfig(address: DatabaseAddress): PoolConfig {
  const { host, port, user, database, tls, rootCertificateFile } = address;
  return {
    host,
    port,
    user,
    database,
    password: async () => (await databasePassword(address)) ?? "",
    application_name: "itd",
    keepAlive: true,
    connectionTimeoutMillis: connectMsMax,
    // Verified against `host`: `rejectUnauthorized` is written out, as an environment variable can turn Node's default around.
    ssl:
      tls === "none"
        ? false
        : {
            rejectUnauthorized: true,
            minVersion: "TLSv1.2",
            ...(rootCertificateFile === null ? {} : { ca: readFileSync(rootCertificateFile, "utf8") }),
          },
  };
}

/**
 * One round trip. Names are looked up in PostgreSQL's own schema alone, so that nobody's function or operator takes the place of a built-in
 * one; texts of values do not depend on the server's settings.
 */
function openingOf({ timeMsMax, memoryBytesMax }: SnapshotLimits): string {
  assert(timeMsMax >= 1 && memoryBytesMax > 0, "limits are positive");
  const time = Math.ceil(timeMsMax);
  const share = Math.floor(memoryBytesMax / 1024 / workMemoryShare);
  const workMemory = Math.min(workMemoryKiBMax, Math.max(workMemoryKiBMin, share));
  const temporary = Math.max(temporaryKiBMin, Math.floor(memoryBytesMax / 1024) * temporaryShare);
  const settings: [string, string][] = [
    ["statement_timeout", `${time}`],
    ["lock_timeout", `${Math.min(time, lockMsMax)}`],
    ["idle_in_transaction_session_timeout", `${time + graceMs}`],
    ["search_path", "pg_catalog, pg_temp"],
    ["work_mem", `'${workMemory}kB'`],
    ["standard_conforming_strings", "on"],
    ["extra_float_digits", "1"],
    ["datestyle", "'ISO, YMD'"],
    ["timezone", "'UTC'"],
    ["bytea_output", "hex"],
    ["row_security", "on"],
  ];
  return [
    "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    ...settings.map(([name, value]) => `SET LOCAL ${name} = ${value}`),
    // Only where the role was granted it; else the custodian sets it for the role (docs/postgresql.md).
    `SELECT CASE WHEN pg_catalog.has_parameter_privilege('temp_file_limit', 'SET') THEN pg_catalog.set_config('temp_file_limit', '${temporary}kB', true) END`,
  ].join("; ");
}

/** `query_canceled` and `lock_not_available`, and a transaction that stood idle for too long. */
function isTimeLimit(error: unknown): boolean {
  const { code } = error as { code?: string };
  return error instanceof TimeLimit || code === "57014" || code === "55P03" || code === "25P03";
}
