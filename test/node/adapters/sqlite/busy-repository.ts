/**
 * A process that asks, charges, answers, signs and anchors without end until it is killed or a write fails. Whatever it has
 * acknowledged it prints, one line each: the question's name. Run by `crash.test.ts` with the state file and a prefix for names.
 */
import { writeSync } from "node:fs";
import { SqliteAuditStore } from "../../../../node/adapters/sqlite/sqlite-audit-store.ts";
import { SqliteQuestionStore } from "../../../../node/adapters/sqlite/sqlite-question-store.ts";
import { openStateDatabase } from "../../../../node/adapters/sqlite/state-database.ts";
import { systemClock } from "../../../../node/adapters/system-clock.ts";
import { SystemRandomness } from "../../../../node/adapters/system-randomness.ts";
import { TrustedDataError } from "../../../../node/errors.ts";
import { zeroHash } from "../../../../node/primitives/hex.ts";
import { anchor, hash, outcome, question, wages } from "../../../ports/stores.ts";

const [file, prefix] = process.argv.slice(2);
const limits = { totalMicroRho: 10n ** 12n, perQuerierMicroRho: 10n ** 12n };
const signature = `0x${"61".repeat(64)}1b`;

const database = openStateDatabase(file!, { onFatal: ({ code }) => say(`fatal ${code}`) });
const questions = new SqliteQuestionStore({
  database,
  randomness: new SystemRandomness(),
  clock: systemClock,
});
const audit = new SqliteAuditStore(database);

try {
  if (audit.latestBatch() === undefined) anchor(audit, [{ dataset: wages, spent: 0n, reserved: 10n ** 12n }]);
  for (let i = 0; ; i++) answer(`${prefix} ${i}`, i % 20 === 19);
} catch (error) {
  if (!(error instanceof TrustedDataError)) throw error;
  say(`failed ${error.code}`);
  try {
    questions.useProof("p", 1);
  } catch (later) {
    say(`later ${(later as TrustedDataError).code}`);
  }
}

function answer(name: string, closes: boolean): void {
  questions.saveAuthorised(question(name));
  questions.charge(hash(name), 3n, limits);
  questions.saveReply(hash(name), "answered", `reply ${name} ${"x".repeat(4_000)}`, outcome(`log ${name}`));
  say(`acknowledged ${name}`);
  audit.countersign(hash(`log ${name}`), signature);
  if (closes) closeBatch();
}

function closeBatch(): void {
  const latest = audit.latestBatch()!;
  const link = latest.anchored?.link ?? hash(`link ${latest.sequence}`);
  if (latest.anchored === undefined) audit.markAnchored(latest.sequence, { blockNumber: 1, link });
  const open = audit.openEntries();
  const terms = {
    sequence: latest.sequence + 1,
    previousLink: link,
    root: zeroHash,
    budgets: latest.budgets,
  };
  audit.closeBatch(
    { ...terms, entryCount: open.length },
    open.map(({ position }) => position),
  );
  audit.markAnchored(terms.sequence, { blockNumber: 1, link: hash(`link ${terms.sequence}`) });
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}
