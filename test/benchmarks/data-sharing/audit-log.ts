/** What the durable log costs: replies a second, closing a batch of 100,000 entries, and proving that one entry stands in it. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { insertEntry, SqliteAuditStore } from "../../../node/adapters/sqlite/sqlite-audit-store.ts";
import { SqliteQuestionStore } from "../../../node/adapters/sqlite/sqlite-question-store.ts";
import { openStateDatabase, type StateDatabase } from "../../../node/adapters/sqlite/state-database.ts";
import { systemClock } from "../../../node/adapters/system-clock.ts";
import { SystemRandomness } from "../../../node/adapters/system-randomness.ts";
import { entryLeaf } from "../../../node/ledger/audit-entry.ts";
import { toHex } from "../../../node/primitives/hex.ts";
import { MerkleTree } from "../../../node/primitives/merkle.ts";
import { anchor, hash, outcome, question, wages } from "../../ports/stores.ts";

const replyCount = 5_000;
const replyBytes = 4_096;
const entryCount = 100_000;
const proofCount = 1_000;

export async function benchAuditLog(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), "itd-benchmark-"));
  const database = openStateDatabase(join(folder, "state.db"));
  try {
    return { ...benchDisk(folder), ...benchReplies(database), ...benchBatch(database) };
  } finally {
    database.close();
    rmSync(folder, { recursive: true });
  }
}

/** The bound that no commit can beat: as many bytes as a reply logs, written over and synced. Other load on the disk shows here too. */
function benchDisk(folder: string): Record<string, number> {
  const syncs = 1_000;
  const bytes = new Uint8Array(6 * 4_096);
  const handle = openSync(join(folder, "raw"), "w");
  const writeAll = () => {
    for (let i = 0; i < syncs; i++) {
      writeSync(handle, bytes, 0, bytes.length, i * bytes.length);
      fdatasyncSync(handle);
    }
  };
  writeAll();
  const { seconds } = measured(writeAll);
  closeSync(handle);
  return { diskSyncsPerSecond: Math.round(syncs / seconds) };
}

/** One question after the other, each step a transaction on disk. */
function benchReplies(database: StateDatabase): Record<string, number> {
  const randomness = new SystemRandomness();
  const store = new SqliteQuestionStore({ database, randomness, clock: systemClock });
  anchor(new SqliteAuditStore(database), [{ dataset: wages, spent: 0n, reserved: 10n ** 12n }]);
  const limits = { totalMicroRho: 10n ** 12n, perQuerierMicroRho: 10n ** 12n };
  const names = Array.from({ length: replyCount }, (_, i) => `question ${i}`);
  const questions = names.map((name) => question(name));
  const outcomes = names.map((name) => outcome(`log ${name}`));
  const reply = "r".repeat(replyBytes);
  const perSecond = ({ seconds }: { seconds: number }) => Math.round(replyCount / seconds);
  const authorised = measured(() => {
    for (const asked of questions) store.saveAuthorised(asked);
  });
  const charged = measured(() => {
    for (const { id } of questions) store.charge(id, 10n, limits);
  });
  const answered = measured(() => {
    for (const [i, { id }] of questions.entries()) store.saveReply(id, "answered", reply, outcomes[i]!);
  });
  return {
    durableAppendsPerSecond: perSecond(answered),
    appendCpuMs: round(answered.cpuMs / replyCount),
    authorisationsPerSecond: perSecond(authorised),
    chargesPerSecond: perSecond(charged),
  };
}

/** From open entries on disk to a closed batch on disk, its tree built on the way. */
function benchBatch(database: StateDatabase): Record<string, number> {
  const store = new SqliteAuditStore(database);
  const signature = `0x${"61".repeat(64)}1b`;
  database.transaction(() => {
    for (let i = store.openEntries().length; i < entryCount; i++)
      insertEntry(database, outcome(`entry ${i}`));
    database.run("UPDATE entries SET querier_signature = ?", signature);
  });
  const tree = new MerkleTree();
  const closing = measured(() => {
    const open = store.openEntries();
    for (const { entry } of open) tree.append(entryLeaf(entry));
    const terms = { sequence: 2, previousLink: store.latestBatch()!.anchored!.link, budgets: "0x" };
    store.closeBatch(
      { ...terms, root: toHex(tree.root()), entryCount: open.length },
      open.map(({ position }) => position),
    );
  });
  const rebuilding = measured(() => {
    const rebuilt = new MerkleTree();
    for (const entry of store.entriesOfBatch(2)) rebuilt.append(entryLeaf(entry));
    rebuilt.inclusionProof(entryCount / 4);
  });
  const proving = measured(() => {
    for (let i = 0; i < proofCount; i++) tree.inclusionProof((i * 7_919) % entryCount);
  });
  const found = measured(() => {
    for (let i = 0; i < proofCount; i++) store.entryOf(hash(`entry ${entryCount - 1 - i}`));
  });
  return {
    closeBatchOf100000Seconds: round(closing.seconds),
    closeBatchOf100000CpuMs: round(closing.cpuMs),
    inclusionProofCpuMs: round(proving.cpuMs / proofCount),
    inclusionProofFromDiskCpuMs: round(rebuilding.cpuMs),
    entryLookUpCpuMs: round(found.cpuMs / proofCount),
  };
}

function measured(work: () => void): { seconds: number; cpuMs: number } {
  const cpu = process.cpuUsage();
  const from = performance.now();
  work();
  const seconds = (performance.now() - from) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuMs: (user + system) / 1_000 };
}

/** To four significant digits. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}
