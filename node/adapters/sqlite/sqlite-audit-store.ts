/** The durable audit log of a node (port AuditStore) in its state file. Entries come in with the replies they stand for. */
import type { Outcome } from "../../data-sharing/ports.ts";
import { TrustedDataError } from "../../errors.ts";
import type { AuditEntry } from "../../ledger/audit-entry.ts";
import { type BudgetLine, decodeBudgetLines } from "../../ledger/budget-line.ts";
import type { AnchoredBatch, AuditStore, BatchTerms, StoredBatch, StoredEntry } from "../../ledger/ports.ts";
import { assert } from "../../primitives/assert.ts";
import { type Hex, zeroHash } from "../../primitives/hex.ts";
import { Books } from "./books.ts";
import { raiseConsentHorizon } from "./consent-horizon.ts";
import type { StateDatabase } from "./state-database.ts";

const selectEntries = `SELECT position, transcript, repository_signature, querier_signature, created_ms, promised_block, batch,
  batch_index FROM entries`;
const selectBatches =
  "SELECT sequence, previous_link, root, entry_count, budgets, block_number, link FROM batches";

export class SqliteAuditStore implements AuditStore {
  readonly #database: StateDatabase;
  readonly #books: Books;

  constructor(database: StateDatabase) {
    this.#database = database;
    this.#books = new Books(database);
  }

  openEntries(): StoredEntry[] {
    return this.#database
      .all<EntryRow>(`${selectEntries} WHERE batch IS NULL ORDER BY position`)
      .map(storedEntryOf);
  }

  openEntryCount(untilMs = Number.MAX_SAFE_INTEGER): number {
    const count = "SELECT count(*) AS count FROM entries WHERE batch IS NULL AND created_ms <= ?";
    return this.#database.get<{ count: number }>(count, untilMs)!.count;
  }

  entryOf(transcript: Hex): StoredEntry | undefined {
    const row = this.#database.get<EntryRow>(`${selectEntries} WHERE transcript = ?`, transcript);
    return row && storedEntryOf(row);
  }

  entriesOfBatch(sequence: number, offset = 0, limit = Number.MAX_SAFE_INTEGER - offset): AuditEntry[] {
    // Places run from 0 without gaps, so a page is found through the index, however far back it lies.
    const where = "WHERE batch = ? AND batch_index >= ? AND batch_index < ? ORDER BY batch_index";
    return this.#database
      .all<EntryRow>(`${selectEntries} ${where}`, sequence, offset, offset + limit)
      .map(entryOfRow);
  }

  /** Until its batch is closed, an entry takes another signature of the querier in place of the first. */
  countersign(transcript: Hex, querierSignature: Hex): void {
    this.#database.transaction(() => {
      const stored = this.entryOf(transcript);
      if (stored === undefined) {
        throw new TrustedDataError("entry_unknown", "No log entry has this transcript.", { transcript });
      }
      if (stored.entry.querierSignature === querierSignature) return;
      if (stored.batch !== undefined) {
        throw new TrustedDataError(
          "entry_closed",
          "The log entry stands in a closed batch and takes no signature any more.",
          { transcript, batch: String(stored.batch.sequence) },
        );
      }
      const update = "UPDATE entries SET querier_signature = ? WHERE position = ?";
      this.#database.run(update, querierSignature, stored.position);
    });
  }

  closeBatch(terms: BatchTerms, positions: readonly number[]): void {
    assert(terms.entryCount === positions.length, "a batch counts its entries");
    assert(decodeBudgetLines(terms.budgets) !== undefined, "a batch carries whole budget lines");
    this.#database.transaction(() => {
      this.#requireNext(terms);
      this.#insertBatch(terms);
      const update = "UPDATE entries SET batch = ?, batch_index = ? WHERE position = ? AND batch IS NULL";
      for (const [index, position] of positions.entries()) {
        const changed = this.#database.run(update, terms.sequence, index, position);
        assert(changed === 1, "a batch is closed over open entries, each once");
      }
    });
  }

  /** Until the next batch is closed on top, it may be marked again: a reorganisation mined it in another block. */
  markAnchored(sequence: number, anchored: { blockNumber: number; link: Hex }): void {
    this.#database.transaction(() => {
      const latest = this.latestBatch();
      assert(latest?.sequence === sequence, "the newest batch is the one that is anchored");
      this.#mark(sequence, anchored);
      this.#books.replaceCeilings(decodeBudgetLines(latest.budgets)!);
    });
  }

  batch(sequence: number): StoredBatch | undefined {
    const row = this.#database.get<BatchRow>(`${selectBatches} WHERE sequence = ?`, sequence);
    return row && storedBatchOf(row);
  }

  latestBatch(): StoredBatch | undefined {
    return this.batches(0, 1)[0];
  }

  batches(offset: number, limit: number): StoredBatch[] {
    return this.#database
      .all<BatchRow>(`${selectBatches} ORDER BY sequence DESC LIMIT ? OFFSET ?`, limit, offset)
      .map(storedBatchOf);
  }

  /**
   * Batches are adopted in the order of the chain. A batch that was closed here but lost its place on the chain gives way, and its
   * entries are open again. Adopting the newest batch that is known here already only counts its reservation as spent. The entries of one
   * that is not known here are lost, and withdrawals of consent may be among them.
   */
  adoptBatch(batch: AnchoredBatch, lines: readonly BudgetLine[]): void {
    this.#database.transaction(() => {
      const latest = this.latestBatch();
      if (latest?.sequence === batch.sequence && sameTerms(latest, batch)) {
        assert(
          latest.anchored === undefined || latest.anchored.link === batch.link,
          "one batch has one place on the chain",
        );
      } else {
        if (latest !== undefined && latest.anchored === undefined) this.#reopen(latest.sequence);
        this.#requireNext(batch);
        this.#insertBatch(batch);
        if (batch.entryCount > 0) raiseConsentHorizon(this.#database);
      }
      this.#mark(batch.sequence, batch);
      this.#books.raiseToCeilings();
      for (const { dataset, spent, reserved } of lines) this.#books.raiseTo(dataset, spent + reserved);
      this.#books.replaceCeilings(lines);
    });
  }

  countAllowed(): void {
    this.#database.transaction(() => this.#books.raiseToCeilings());
  }

  coverUnanswered(sinceMs: number): void {
    this.#database.transaction(() => this.#books.coverUnanswered(sinceMs));
  }

  dropCeilings(): void {
    this.#database.transaction(() => this.#books.replaceCeilings([]));
  }

  #requireNext({ sequence, previousLink }: BatchTerms): void {
    const latest = this.latestBatch();
    assert(sequence === (latest?.sequence ?? 0) + 1, "batches follow each other");
    assert(latest === undefined || latest.anchored !== undefined, "the batch before is anchored");
    assert(previousLink === (latest?.anchored?.link ?? zeroHash), "a batch names the link before it");
  }

  #insertBatch({ sequence, previousLink, root, entryCount, budgets }: BatchTerms): void {
    const insert =
      "INSERT INTO batches (sequence, previous_link, root, entry_count, budgets) VALUES (?, ?, ?, ?, ?)";
    this.#database.run(insert, sequence, previousLink, root, entryCount, budgets);
  }

  #mark(sequence: number, { blockNumber, link }: { blockNumber: number; link: Hex }): void {
    const update = "UPDATE batches SET block_number = ?, link = ? WHERE sequence = ?";
    this.#database.run(update, blockNumber, link, sequence);
  }

  #reopen(sequence: number): void {
    this.#database.run("UPDATE entries SET batch = NULL, batch_index = NULL WHERE batch = ?", sequence);
    this.#database.run("DELETE FROM batches WHERE sequence = ?", sequence);
  }
}

/** Adds an entry that the querier has not signed yet, inside the transaction of the reply it stands for; returns its position. */
export function insertEntry(database: StateDatabase, outcome: Outcome): number {
  const { transcript, repositorySignature, createdMs, promisedBlock } = outcome;
  const insert =
    "INSERT INTO entries (transcript, repository_signature, created_ms, promised_block) VALUES (?, ?, ?, ?)";
  return database.insert(insert, transcript, repositorySignature, createdMs, promisedBlock);
}

type EntryRow = {
  position: number;
  transcript: string;
  repository_signature: string;
  querier_signature: string | null;
  created_ms: number;
  promised_block: number;
  batch: number | null;
  batch_index: number | null;
};

type BatchRow = {
  sequence: number;
  previous_link: string;
  root: string;
  entry_count: number;
  budgets: string;
  block_number: number | null;
  link: string | null;
};

function entryOfRow(row: EntryRow): AuditEntry {
  return {
    transcript: row.transcript,
    repositorySignature: row.repository_signature,
    querierSignature: row.querier_signature,
  };
}

function storedEntryOf(row: EntryRow): StoredEntry {
  const { position, batch, batch_index } = row;
  return {
    position,
    entry: entryOfRow(row),
    createdMs: row.created_ms,
    promisedBlock: row.promised_block,
    batch: batch === null || batch_index === null ? undefined : { sequence: batch, index: batch_index },
  };
}

function storedBatchOf(row: BatchRow): StoredBatch {
  const { sequence, root, budgets, block_number, link } = row;
  return {
    ...{ sequence, previousLink: row.previous_link, root, entryCount: row.entry_count, budgets },
    anchored: block_number === null || link === null ? undefined : { blockNumber: block_number, link },
  };
}

function sameTerms(a: BatchTerms, b: BatchTerms): boolean {
  const text = ({ sequence, previousLink, root, entryCount, budgets }: BatchTerms) =>
    JSON.stringify([sequence, previousLink, root, entryCount, budgets]);
  return text(a) === text(b);
}
