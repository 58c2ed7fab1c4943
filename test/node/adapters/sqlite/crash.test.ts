/** Processes that are killed, log files that are torn, disks that fail: what was acknowledged stays, what was not is whole or absent. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { SqliteAuditStore } from "../../../../node/adapters/sqlite/sqlite-audit-store.ts";
import { SqliteQuestionStore } from "../../../../node/adapters/sqlite/sqlite-question-store.ts";
import { openStateDatabase } from "../../../../node/adapters/sqlite/state-database.ts";
import { systemClock } from "../../../../node/adapters/system-clock.ts";
import { SystemRandomness } from "../../../../node/adapters/system-randomness.ts";
import { hash, wages } from "../../../ports/stores.ts";
import { temporaryFolder } from "./open-stores.ts";
import { expectWhole } from "./whole.ts";

const program = join(import.meta.dirname, "busy-repository.ts");

describe("the state file of a process that dies", () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder, "state.db");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Lets the program run until `lifeMs` after its first answer, kills it, and returns the lines it printed in full. */
  async function runAndKill(prefix: string, lifeMs: number): Promise<string[]> {
    const child = spawn(process.execPath, [program, file, prefix], { stdio: ["ignore", "pipe", "inherit"] });
    const closed = once(child, "close");
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (printed === "") setTimeout(() => child.kill("SIGKILL"), lifeMs);
      printed += text;
    });
    await closed;
    expect(child.signalCode).to.equal("SIGKILL");
    return printed.split("\n").slice(0, -1);
  }

  it("holds every acknowledged answer once, and nothing half, whenever it was killed", async function () {
    this.timeout(120_000);
    const acknowledged: string[] = [];
    for (let round = 0; round < 8; round++) {
      acknowledged.push(...(await runAndKill(`round ${round}`, Math.random() * 150)));
      expectAcknowledged(file, acknowledged);
    }
    expect(acknowledged.length).to.be.greaterThan(8);
  });

  it("is whole wherever its write-ahead log was torn", async function () {
    this.timeout(120_000);
    await runAndKill("torn", 100);
    const [copy, log] = [join(folder, "copy.db"), join(folder, "copy.db-wal")];
    const { size } = statSync(`${file}-wal`);
    expect(size).to.be.greaterThan(0);
    for (let cut = 0; cut < 30; cut++) {
      copyFileSync(file, copy);
      copyFileSync(`${file}-wal`, log);
      const at = Math.floor(Math.random() * size);
      if (cut % 2 === 0) truncateSync(log, at);
      else flipByte(log, at);
      const database = openStateDatabase(copy);
      try {
        expectWhole(database);
      } finally {
        database.close();
      }
    }
  });

  it("loses nothing acknowledged when writing fails, and the process is told to stop and stays stopped", async function () {
    this.timeout(60_000);
    const limited = `ulimit -f 2048 && exec "$0" "$@"`;
    const child = spawn("/bin/sh", ["-c", limited, process.execPath, program, file, "limited"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    await once(child, "close");
    const lines = printed.trimEnd().split("\n");
    expect(lines.slice(-3)).to.deep.equal([
      "fatal storage_failed",
      "failed storage_failed",
      "later storage_failed",
    ]);
    expect(lines.length).to.be.greaterThan(10);
    expectAcknowledged(file, lines.slice(0, -3));
  });
});

function expectAcknowledged(file: string, lines: readonly string[]): void {
  const database = openStateDatabase(file);
  try {
    expectWhole(database);
    const questions = new SqliteQuestionStore({
      database,
      randomness: new SystemRandomness(),
      clock: systemClock,
    });
    const audit = new SqliteAuditStore(database);
    for (const name of lines.map((line) => line.replace(/^acknowledged /, ""))) {
      const kept = questions.question(hash(name));
      expect(kept?.state).to.equal("answered");
      expect(kept?.reply?.startsWith(`reply ${name} `)).to.equal(true);
      expect(audit.entryOf(hash(`log ${name}`))?.entry.transcript).to.equal(hash(`log ${name}`));
    }
    expect(questions.spent(wages) >= 3n * BigInt(lines.length)).to.equal(true);
  } finally {
    database.close();
  }
}

function flipByte(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 0x55;
  writeFileSync(file, bytes);
}
