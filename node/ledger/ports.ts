/** What the ledger needs from the outside; `adapters/` implements it. */
import type { Hex } from "../primitives/hex.ts";
import type { TypedStruct } from "../primitives/typed-data.ts";
import type { AuditEntry } from "./audit-entry.ts";
import type { BudgetLine } from "./budget-line.ts";

export interface Clock {
  nowMs(): number;
  /** Resolves after `delayMs`, or rejects when `signal` aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** An account's key, wherever it is kept. */
export interface Signer {
  /** Lower case. */
  readonly address: Hex;
  sign(struct: TypedStruct): Promise<Hex>;
}

export interface Block {
  number: number;
  hash: Hex;
  timestampS: number;
}

/** What AuditAnchor is told about a batch. */
export interface BatchTerms {
  sequence: number;
  previousLink: Hex;
  root: Hex;
  entryCount: number;
  budgets: Hex;
}

/** A batch as it stands on the chain. */
export interface AnchoredBatch extends BatchTerms {
  party: Hex;
  blockNumber: number;
  link: Hex;
}

/** The chain as a log of anchors. Every call fails with `chain_unavailable` when no endpoint answers in time. */
export interface AnchorChain {
  /** The newest block deep enough to be final for this network. */
  head(): Promise<Block>;
  /** Undefined if there is no such block yet. */
  blockAt(number: number): Promise<Block | undefined>;
  /** The party's newest batch, undefined if it never anchored. */
  latestAnchor(party: Hex): Promise<AnchoredBatch | undefined>;
  anchorOf(party: Hex, sequence: number): Promise<AnchoredBatch | undefined>;
  /** Whether exactly this batch stands on the chain (AuditAnchor.verify). */
  verifyAnchor(batch: Omit<AnchoredBatch, "link">): Promise<boolean>;
}

/** The chain, for a party that anchors its own log. */
export interface AnchorWriter {
  /**
   * Sends the batch and waits until it is mined. Safe to call again: a batch that stands already is returned, never doubled.
   * @throws TrustedDataError `anchor_conflict` when another batch stands at this sequence: somebody else uses the key.
   */
  anchor(terms: BatchTerms): Promise<AnchoredBatch>;
}

export interface StoredEntry {
  position: number;
  entry: AuditEntry;
  createdMs: number;
  promisedBlock: number;
  /** The batch's sequence and the entry's place in it, once closed. */
  batch: { sequence: number; index: number } | undefined;
}

export interface StoredBatch extends BatchTerms {
  /** Undefined until mined. */
  anchored: { blockNumber: number; link: Hex } | undefined;
}

/** The durable audit log of one party. Every write is on disk when it returns. */
export interface AuditStore {
  /** Entries not in a batch yet, oldest first. */
  openEntries(): StoredEntry[];
  /** Of all, or of those alone that were created until then: an answer's entry is dated when its reply leaves. */
  openEntryCount(untilMs?: number): number;
  entryOf(transcript: Hex): StoredEntry | undefined;
  /** In the order of the batch's tree: all of them, or at most `limit` from place `offset` on. */
  entriesOfBatch(sequence: number, offset?: number, limit?: number): AuditEntry[];
  /** @throws TrustedDataError `entry_unknown`, `entry_closed`; the same signature again is no error. */
  countersign(transcript: Hex, querierSignature: Hex): void;
  /** Closes a batch over the entries at these positions and stores it with them, in one transaction. */
  closeBatch(terms: BatchTerms, positions: readonly number[]): void;
  markAnchored(sequence: number, anchored: { blockNumber: number; link: Hex }): void;
  batch(sequence: number): StoredBatch | undefined;
  latestBatch(): StoredBatch | undefined;
  /** Newest first. */
  batches(offset: number, limit: number): StoredBatch[];
  /**
   * For a state that may be a backup: takes a batch over from the chain (or confirms it), and counts as spent all that it reserved and
   * all that was allowed here, in one transaction.
   */
  adoptBatch(batch: AnchoredBatch, lines: readonly BudgetLine[]): void;
  /** For a state that may be a backup: counts as spent all that was allowed here. */
  countAllowed(): void;
  /**
   * For a state that may be a backup: counts what was charged and not answered once more, as it may be answered twice. Questions whose
   * token expired before `sinceMs` are not answered any more.
   */
  coverUnanswered(sinceMs: number): void;
  /** From now on nothing may be charged until another batch is anchored. */
  dropCeilings(): void;
}
