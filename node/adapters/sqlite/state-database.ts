/**
 * A node's own state: one SQLite file, owned by one process, every transaction on disk when it returns (WAL, synchronous=FULL; the
 * write-ahead record of a transaction is framed and checksummed, and a torn one is dropped whole: https://www.sqlite.org/wal.html).
 *
 * When the disk is full nothing changes and work may go on; when reading, writing or syncing fails the state is not to be trusted any
 * more, `onFatal` is told and every later call fails. Not promised: to notice a flipped bit inside a text, or an older copy of the file
 * put in its place; the second is what the anchors on the chain are for.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { TrustedDataError } from "../../errors.ts";
import { assert } from "../../primitives/assert.ts";
import { applicationId, migrations } from "./schema.ts";
import { isFatal, translated } from "./sqlite-errors.ts";

export interface StateDatabaseOptions {
  /** Told before the error is thrown: the process must stop. */
  onFatal?: (error: TrustedDataError) => void;
}

/** Then the write-ahead log is copied into the file and written over from its start: some 10 MB, replayed in a blink. */
const transactionsPerCheckpoint = 256;
/** What a large transaction (closing a batch) makes it grow beyond is given back. */
const walBytesMax = 64 * 1024 * 1024;

/** In this order: the lock first, so that the log needs no shared memory and nobody else gets in. */
const settings = [
  "PRAGMA locking_mode = EXCLUSIVE",
  "PRAGMA journal_mode = WAL",
  "PRAGMA synchronous = FULL",
  "PRAGMA foreign_keys = ON",
  "PRAGMA trusted_schema = OFF",
  "PRAGMA cell_size_check = ON",
  // Our own checkpoint instead, as the automatic one hides failures of the disk.
  "PRAGMA wal_autocheckpoint = 0",
  `PRAGMA journal_size_limit = ${walBytesMax}`,
];

/**
 * Opens the state file, makes it (0600) and its folder (0700) where missing, and brings its tables up to date.
 * @throws TrustedDataError `state_in_use`, `state_newer`, `state_damaged`, `storage_full`, `storage_failed`.
 */
export function openStateDatabase(file: string, options: StateDatabaseOptions = {}): StateDatabase {
  prepareFile(file);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    for (const setting of settings) database.exec(setting);
    requireOurs(database);
    requireSound(database);
    migrate(database);
    return new StateDatabase(database, options);
  } catch (error) {
    database?.close();
    const cause = translated(error);
    if (!(cause instanceof TrustedDataError)) throw cause;
    throw new TrustedDataError(cause.code, cause.message, { ...cause.fields, file });
  }
}

export type Row = Record<string, SQLInputValue>;

export class StateDatabase {
  readonly #database: DatabaseSync;
  readonly #onFatal: (error: TrustedDataError) => void;
  readonly #statements = new Map<string, StatementSync>();
  #transactionsSinceCheckpoint = 0;
  #fatal: TrustedDataError | undefined;

  constructor(database: DatabaseSync, options: StateDatabaseOptions) {
    this.#database = database;
    this.#onFatal = options.onFatal ?? (() => {});
  }

  /**
   * All that `work` writes becomes durable together, or, if it throws, not at all.
   * @throws TrustedDataError `storage_full` when nothing was changed; `storage_failed`, `state_damaged` after `onFatal`.
   */
  transaction<T>(work: () => T): T {
    assert(!this.#database.isTransaction, "transactions are not nested");
    this.#guarded(() => this.#statement("BEGIN IMMEDIATE").run());
    try {
      const value = work();
      this.#guarded(() => this.#statement("COMMIT").run());
      this.#checkpointIfDue();
      return value;
    } catch (error) {
      if (this.#database.isTransaction) this.#guarded(() => this.#statement("ROLLBACK").run());
      throw error;
    }
  }

  /** Writes, inside a transaction; returns the number of changed rows. */
  run(sql: string, ...values: SQLInputValue[]): number {
    assert(this.#database.isTransaction, "writes are part of a transaction");
    return this.#guarded(() => Number(this.#statement(sql).run(...values).changes));
  }

  /** Like `run`; returns the new row's number. */
  insert(sql: string, ...values: SQLInputValue[]): number {
    assert(this.#database.isTransaction, "writes are part of a transaction");
    return this.#guarded(() => Number(this.#statement(sql).run(...values).lastInsertRowid));
  }

  /** The first row. Integers are numbers. */
  get<T extends Row>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#guarded(() => this.#statement(sql).get(...values) as T | undefined);
  }

  all<T extends Row>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#guarded(() => this.#statement(sql).all(...values) as T[]);
  }

  /** Row by row as lists of values, for very many of them; nothing else may be asked by the same `sql` until it is through. */
  *each<T extends SQLOutputValue[]>(sql: string, ...values: SQLInputValue[]): Generator<T> {
    const rows = this.#guarded(() => {
      const statement = this.#statement(sql);
      statement.setReturnArrays(true);
      return statement.iterate(...values);
    });
    for (;;) {
      const next = this.#guarded(() => rows.next());
      if (next.done === true) return;
      yield next.value as unknown as T;
    }
  }

  /** The one integer that `sql` selects as `value`. */
  bigint(sql: string, ...values: SQLInputValue[]): bigint | undefined {
    return this.#guarded(() => {
      const statement = this.#statement(sql);
      statement.setReadBigInts(true);
      return (statement.get(...values) as { value: bigint } | undefined)?.value;
    });
  }

  close(): void {
    if (!this.#database.isOpen) return;
    this.#database.close();
  }

  #statement(sql: string): StatementSync {
    const kept = this.#statements.get(sql);
    if (kept !== undefined) return kept;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #guarded<T>(work: () => T): T {
    if (this.#fatal !== undefined) throw this.#fatal;
    try {
      return work();
    } catch (error) {
      const cause = translated(error);
      if (isFatal(cause)) {
        this.#fatal = cause;
        this.#onFatal(cause);
      }
      throw cause;
    }
  }

  /** What is in the log is durable already; so a full disk is no failure here, it shows at the next transaction. */
  #checkpointIfDue(): void {
    if (++this.#transactionsSinceCheckpoint < transactionsPerCheckpoint) return;
    this.#transactionsSinceCheckpoint = 0;
    try {
      this.#guarded(() => this.#statement("PRAGMA wal_checkpoint(PASSIVE)").get());
    } catch (error) {
      if (!(error instanceof TrustedDataError && error.code === "storage_full")) throw error;
    }
  }
}

/** Never opens a file that is there: closing it again would drop this process's lock on it (POSIX). */
function prepareFile(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    try {
      closeSync(openSync(file, "wx", 0o600));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    chmodSync(file, 0o600);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw new TrustedDataError(
      "storage_failed",
      "The state file cannot be made; name a folder that this user may write.",
      { file, reason },
    );
  }
}

/** A new file is empty; any other carries our mark and a version that is known here. */
function requireOurs(database: DatabaseSync): void {
  const version = pragma(database, "user_version");
  const isNew = version === 0 && database.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;
  if (!isNew && pragma(database, "application_id") !== applicationId) {
    throw new TrustedDataError(
      "state_damaged",
      "The file is not the state of a daemon; name another state folder.",
    );
  }
  if (version > migrations.length) {
    throw new TrustedDataError(
      "state_newer",
      "The state file was written by a newer version of the daemon; run that version.",
      { version: String(version), versionKnown: String(migrations.length) },
    );
  }
}

function requireSound(database: DatabaseSync): void {
  const found = database.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
  if (found.quick_check === "ok") return;
  throw new TrustedDataError(
    "state_damaged",
    "The state file is damaged; restore it from a backup, then start again.",
  );
}

/** Also takes the lock for good when there is nothing to migrate. */
function migrate(database: DatabaseSync): void {
  database.exec("BEGIN EXCLUSIVE");
  for (const migration of migrations.slice(pragma(database, "user_version"))) database.exec(migration);
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`);
  database.exec("COMMIT");
}

function pragma(database: DatabaseSync, name: "user_version" | "application_id"): number {
  return (database.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name]!;
}
