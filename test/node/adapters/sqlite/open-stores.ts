/** Stores over a state file in a folder of their own, removed with them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteAuditStore } from "../../../../node/adapters/sqlite/sqlite-audit-store.ts";
import { SqliteDirectoryStore } from "../../../../node/adapters/sqlite/sqlite-directory-store.ts";
import { SqliteQuestionStore } from "../../../../node/adapters/sqlite/sqlite-question-store.ts";
import { openStateDatabase, type StateDatabase } from "../../../../node/adapters/sqlite/state-database.ts";
import { SystemRandomness } from "../../../../node/adapters/system-randomness.ts";
import type { DirectoryUnderTest } from "../../../ports/directory-store.ts";
import { type StoresUnderTest, startMs } from "../../../ports/stores.ts";

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "itd-state-"));
}

export class SqliteStores implements StoresUnderTest, DirectoryUnderTest {
  readonly folder = temporaryFolder();
  readonly file = join(this.folder, "state.db");
  readonly #randomness = new SystemRandomness();
  #nowMs = startMs;
  database!: StateDatabase;
  questions!: SqliteQuestionStore;
  audit!: SqliteAuditStore;
  directory!: SqliteDirectoryStore;

  constructor() {
    this.open();
  }

  open(): void {
    this.database = openStateDatabase(this.file);
    const clock = { nowMs: () => this.#nowMs, sleep: () => Promise.reject(new Error("nobody sleeps here")) };
    this.questions = new SqliteQuestionStore({
      database: this.database,
      randomness: this.#randomness,
      clock,
    });
    this.audit = new SqliteAuditStore(this.database);
    this.directory = new SqliteDirectoryStore(this.database);
  }

  setNowMs(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  reopen(): void {
    this.database.close();
    this.open();
  }

  dispose(): void {
    this.database.close();
    rmSync(this.folder, { recursive: true });
  }
}
