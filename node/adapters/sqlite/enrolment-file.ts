/**
 * Who speaks for whom (port EnrolmentStore): a SQLite file of the node's own, apart from the daemon's state, as the custodian's commands write it
 * while the daemon reads. It holds keyed hashes of people and the addresses of their keys; readable by its owner alone.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { personHashBytes } from "../../data-sharing/consent/person-hash.ts";
import type { Enrolment, EnrolmentReport, EnrolmentStore } from "../../data-sharing/consent/ports.ts";
import type { Randomness } from "../../data-sharing/ports.ts";
import { TrustedDataError } from "../../errors.ts";
import { assert } from "../../primitives/assert.ts";
import { addressPattern, type Hex } from "../../primitives/hex.ts";
import { translated } from "./sqlite-errors.ts";

/** Of the state folder. */
export const enrolmentFileName = "enrolments.sqlite";

/** "ITDE": tells the file from any other. */
const applicationId = 0x49544445;
const formatVersion = 1;
/** A million enrolments are written in a few seconds. */
const lockWaitMs = 30_000;
const bindingBytes = 6;
/** The indexes of a million people; hashes come in no order. */
const cacheKibibytes = 128 * 1024;

const schema = `
  -- All that ever were, oldest first.
  CREATE TABLE enrolments (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset TEXT NOT NULL,
    number INTEGER NOT NULL,
    person BLOB NOT NULL,
    key TEXT NOT NULL,
    binding INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX enrolments_by_dataset ON enrolments (dataset, sequence);
  -- The newest of each person: a key speaks for one of them.
  CREATE TABLE people (
    dataset TEXT NOT NULL,
    person BLOB NOT NULL,
    enrolment INTEGER NOT NULL REFERENCES enrolments (sequence),
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (dataset, person)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX people_by_key ON people (dataset, key);
  CREATE UNIQUE INDEX people_by_number ON people (dataset, number);
`;

const columns = "sequence, number, person, key, binding";

/** Opens the file, made (0600) where it is missing. @throws TrustedDataError `state_damaged`, `storage_failed`, `storage_full`. */
export function openEnrolmentFile(file: string, randomness: Randomness): EnrolmentFile {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, "a", 0o600));
    chmodSync(file, 0o600);
    const database = new DatabaseSync(file, { timeout: lockWaitMs });
    try {
      for (const setting of [
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        `cache_size = -${cacheKibibytes}`,
      ])
        database.exec(`PRAGMA ${setting}`);
      prepare(database);
      return new EnrolmentFile(database, randomness);
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw withFile(translated(error), file);
  }
}

export class EnrolmentFile implements EnrolmentStore {
  readonly #database: DatabaseSync;
  readonly #randomness: Randomness;

  constructor(database: DatabaseSync, randomness: Randomness) {
    this.#database = database;
    this.#randomness = randomness;
  }

  enrolmentOf(dataset: string, key: Hex): Enrolment | undefined {
    const sql = `SELECT ${columns} FROM enrolments WHERE sequence =
      (SELECT enrolment FROM people WHERE dataset = ? AND key = ?)`;
    return this.#guarded(() => this.#database.prepare(sql).get(dataset, key) as Enrolment | undefined);
  }

  *enrolmentsSince(dataset: string, sequence: number): Generator<Enrolment> {
    const sql = `SELECT ${columns} FROM enrolments WHERE dataset = ? AND sequence > ? ORDER BY sequence`;
    const rows = this.#guarded(() => {
      const statement = this.#database.prepare(sql);
      // Half as long as with an object a row.
      statement.setReturnArrays(true);
      return statement.iterate(dataset, sequence);
    });
    for (;;) {
      const next = this.#guarded(() => rows.next());
      if (next.done === true) return;
      const [at, number, person, key, binding] = next.value as unknown as EnrolmentRow;
      yield { sequence: at, number, person, key, binding };
    }
  }

  enrolledCount(dataset: string): number {
    const sql = "SELECT count(*) AS count FROM people WHERE dataset = ?";
    return this.#guarded(() => (this.#database.prepare(sql).get(dataset) as { count: number }).count);
  }

  enrol(dataset: string, people: Iterable<{ person: Uint8Array; key: Hex }>): EnrolmentReport {
    return this.#guarded(() => {
      this.#database.exec("BEGIN IMMEDIATE");
      try {
        const report = this.#enrolAll(dataset, people);
        this.#database.exec("COMMIT");
        return report;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
        throw error;
      }
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #enrolAll(dataset: string, people: Iterable<{ person: Uint8Array; key: Hex }>): EnrolmentReport {
    const known = this.#database.prepare("SELECT number, key FROM people WHERE dataset = ? AND person = ?");
    const speaker = this.#database.prepare("SELECT 1 AS taken FROM people WHERE dataset = ? AND key = ?");
    const insert = this.#database.prepare(
      "INSERT INTO enrolments (dataset, number, person, key, binding) VALUES (?, ?, ?, ?, ?)",
    );
    const put = this.#database.prepare(
      `INSERT INTO people (dataset, person, enrolment, number, key) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (dataset, person) DO UPDATE SET enrolment = excluded.enrolment, key = excluded.key`,
    );
    const report = { enrolled: 0, rebound: 0, unchanged: 0 };
    let count = this.enrolledCount(dataset);
    const seen = new Set<string>();
    for (const { person, key } of people) {
      assert(person.length === personHashBytes && addressPattern.test(key), "a hash is bound to an address");
      const name = Buffer.from(person).toString("latin1");
      if (seen.has(name) || seen.has(key)) throw conflict(key, "comes twice, or its person does");
      seen.add(name).add(key);
      const now = known.get(dataset, person) as { number: number; key: Hex } | undefined;
      if (now?.key === key) {
        report.unchanged++;
        continue;
      }
      if (speaker.get(dataset, key) !== undefined)
        throw conflict(key, "speaks for somebody else in this dataset");
      const binding = Buffer.from(this.#randomness.bytes(bindingBytes)).readUIntBE(0, bindingBytes);
      const number = now?.number ?? count++;
      const { lastInsertRowid } = insert.run(dataset, number, person, key, binding);
      put.run(dataset, person, lastInsertRowid, number, key);
      report[now === undefined ? "enrolled" : "rebound"]++;
    }
    return report;
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw translated(error);
    }
  }
}

type EnrolmentRow = [sequence: number, number: number, person: Uint8Array, key: Hex, binding: number];

function conflict(key: Hex, why: string): TrustedDataError {
  return new TrustedDataError(
    "enrolment_conflict",
    `The key ${key} ${why}; nobody was enrolled. One key speaks for one person of a dataset.`,
    { key },
  );
}

function prepare(database: DatabaseSync): void {
  const value = (name: string) => (database.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name];
  const isOurs = () => value("application_id") === applicationId && value("user_version") === formatVersion;
  if (isOurs()) return;
  database.exec("BEGIN IMMEDIATE");
  const isNew = database.prepare("SELECT 1 AS one FROM sqlite_schema").get() === undefined;
  if (isNew)
    database.exec(
      `${schema}; PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${formatVersion}`,
    );
  database.exec("COMMIT");
  if (isOurs()) return;
  throw new TrustedDataError(
    "state_damaged",
    "The file of enrolments is none, or of a newer version; restore it from a backup.",
  );
}

function withFile(error: unknown, file: string): unknown {
  if (error instanceof TrustedDataError)
    return new TrustedDataError(error.code, error.message, { ...error.fields, file });
  const reason = (error as NodeJS.ErrnoException).code;
  if (reason === undefined || !/^E[A-Z]+$/.test(reason)) return error;
  const sentence = "The file of enrolments cannot be made; name a folder that this user may write.";
  return new TrustedDataError("storage_failed", sentence, { file, reason });
}
