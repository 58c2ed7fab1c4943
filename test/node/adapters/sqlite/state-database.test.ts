/** One file, one process, sound or refused: how the state file is opened, and what happens when the disk is full. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { SqliteQuestionStore } from "../../../../node/adapters/sqlite/sqlite-question-store.ts";
import { openStateDatabase, type StateDatabase } from "../../../../node/adapters/sqlite/state-database.ts";
import { systemClock } from "../../../../node/adapters/system-clock.ts";
import { SystemRandomness } from "../../../../node/adapters/system-randomness.ts";
import { TrustedDataError } from "../../../../node/errors.ts";
import { anchor, expectCode, hash, outcome, question, wages } from "../../../ports/stores.ts";
import { SqliteStores, temporaryFolder } from "./open-stores.ts";
import { expectWhole } from "./whole.ts";

const limits = { totalMicroRho: 10n ** 6n, perQuerierMicroRho: 10n ** 6n };

describe("the state file", () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder, "node", "state.db");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function fill(): void {
    const database = openStateDatabase(file);
    const store = storeOver(database);
    for (let i = 0; i < 50; i++)
      store.saveRefused(hash(`q${i}`), question(`q${i}`).signed, "no", outcome(`${i}`));
    database.close();
  }

  it("is made with its folder, for its user only", () => {
    const database = openStateDatabase(file);
    database.transaction(() => database.run("DELETE FROM proofs"));
    expect(statSync(join(folder, "node")).mode & 0o777).to.equal(0o700);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(statSync(`${file}-wal`).mode & 0o777).to.equal(0o600);
    database.close();
    chmodSync(file, 0o644);
    openStateDatabase(file).close();
    expect(statSync(file).mode & 0o777).to.equal(0o600);
  });

  it("has one owner at a time: another handle is refused, and the first one works on", () => {
    const database = openStateDatabase(file);
    expectCode(() => openStateDatabase(file), "state_in_use");
    database.transaction(() => database.run("DELETE FROM proofs"));
    database.close();
    openStateDatabase(file).close();
  });

  it("has one owner at a time: another process is refused, even after another handle here was", async () => {
    const database = openStateDatabase(file);
    expectCode(() => openStateDatabase(file), "state_in_use");
    const program = join(import.meta.dirname, "busy-repository.ts");
    const child = spawn(process.execPath, [program, file, "second"], { stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    await once(child, "close");
    expect(child.exitCode).to.equal(1);
    expect(printed).to.include("Another daemon runs on this state folder");
    database.close();
  });

  it("of a newer version is refused and left as it is", () => {
    fill();
    const raw = new DatabaseSync(file);
    raw.exec("PRAGMA user_version = 9999");
    raw.close();
    const before = readFileSync(file);
    expectCode(() => openStateDatabase(file), "state_newer");
    expect(readFileSync(file).equals(before)).to.equal(true);
  });

  it("is refused when it is another program's database, a text, or damaged", () => {
    mkdirSync(join(folder, "node"));
    const raw = new DatabaseSync(file);
    raw.exec("CREATE TABLE theirs (a)");
    raw.close();
    expectCode(() => openStateDatabase(file), "state_damaged");
    writeFileSync(
      file,
      "this is no database, but a text that is longer than a header of 100 bytes ".repeat(9),
    );
    expectCode(() => openStateDatabase(file), "state_damaged");
    rmSync(file);
    fill();
    truncateSync(file, statSync(file).size - 4096);
    expectCode(() => openStateDatabase(file), "state_damaged");
  });

  it("is refused when pages in its middle are overwritten", () => {
    fill();
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 4096 * 3, 4096 * 5);
    writeFileSync(file, bytes);
    expectCode(() => openStateDatabase(file), "state_damaged");
  });

  it("is refused when somebody gave budget back by editing a sum", () => {
    const stores = new SqliteStores();
    anchor(stores.audit, [{ dataset: wages, spent: 0n, reserved: 100n }]);
    stores.questions.saveAuthorised(question("q"));
    stores.questions.charge(hash("q"), 50n, limits);
    stores.database.transaction(() => stores.database.run("UPDATE dataset_sums SET micro_rho = 1"));
    expectCode(() => storeOver(stores.database), "state_damaged");
    stores.dispose();
  });

  it("cannot be made where a file stands in the way of its folder", () => {
    writeFileSync(join(folder, "node"), "");
    expectCode(() => openStateDatabase(file), "storage_failed");
  });

  it("keeps all or nothing of a transaction, and takes no write outside of one, nor one within another", () => {
    const database = openStateDatabase(file);
    const insert = "INSERT INTO proofs (id, expires_ms) VALUES (?, 1)";
    const failing = () =>
      database.transaction(() => {
        database.run(insert, "a");
        throw new TrustedDataError("storage_full", "stop here");
      });
    expectCode(failing, "storage_full");
    expect(database.get("SELECT id FROM proofs")).to.equal(undefined);
    expect(() => database.run(insert, "a")).to.throw("part of a transaction");
    expect(() => database.transaction(() => database.transaction(() => {}))).to.throw("not nested");
    database.transaction(() => database.run(insert, "a"));
    expect(database.get("SELECT id FROM proofs")).to.include({ id: "a" });
    database.close();
  });
});

describe("a full disk", () => {
  it("is one clear error that changes nothing, and work goes on when there is space again", () => {
    const stores = new SqliteStores();
    anchor(stores.audit, [{ dataset: wages, spent: 0n, reserved: 1_000_000n }]);
    const pages = stores.database.bigint("SELECT page_count AS value FROM pragma_page_count")!;
    stores.database.get(`PRAGMA max_page_count = ${pages + 20n}`);
    const answered: string[] = [];
    let failed: TrustedDataError | undefined;
    for (let i = 0; failed === undefined; i++) {
      try {
        answer(stores, `q${i}`);
        answered.push(`q${i}`);
      } catch (error) {
        failed = error as TrustedDataError;
      }
    }
    expect(failed.code).to.equal("storage_full");
    expect(answered.length).to.be.greaterThan(2);
    expectWhole(stores.database);
    stores.database.get("PRAGMA max_page_count = 1000000");
    answer(stores, "later");
    stores.reopen();
    expectWhole(stores.database);
    for (const name of [...answered, "later"]) {
      expect(stores.questions.question(hash(name))?.state).to.equal("answered");
    }
    stores.dispose();
  });

  it("keeps a batch of many entries from being closed in part", () => {
    const stores = new SqliteStores();
    for (let i = 0; i < 400; i++) {
      stores.questions.saveRefused(hash(`q${i}`), question("q").signed, "no", outcome(`${i}`));
    }
    const pages = stores.database.bigint("SELECT page_count AS value FROM pragma_page_count")!;
    stores.database.get(`PRAGMA max_page_count = ${pages}`);
    const open = stores.audit.openEntries().map(({ position }) => position);
    const terms = { sequence: 1, previousLink: `0x${"00".repeat(32)}`, root: hash("root"), budgets: "0x" };
    const closing = () => stores.audit.closeBatch({ ...terms, entryCount: open.length }, open);
    expectCode(closing, "storage_full");
    expect(stores.audit.latestBatch()).to.equal(undefined);
    expect(stores.audit.openEntries()).to.have.length(400);
    stores.database.get("PRAGMA max_page_count = 1000000");
    closing();
    expect(stores.audit.entriesOfBatch(1)).to.have.length(400);
    stores.dispose();
  });
});

function storeOver(database: StateDatabase): SqliteQuestionStore {
  return new SqliteQuestionStore({ database, randomness: new SystemRandomness(), clock: systemClock });
}

function answer({ questions }: SqliteStores, name: string): void {
  questions.saveAuthorised(question(name));
  questions.charge(hash(name), 3n, limits);
  questions.saveReply(hash(name), "answered", "x".repeat(4_000), outcome(`log ${name}`));
}
