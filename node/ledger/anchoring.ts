/**
 * Keeps a party's audit log on the chain (data-sharing flow, step 6): closes a batch on a fixed schedule, empty ones too, so that the
 * rhythm shows no activity, and posts it by an outbox. One batch is on its way at a time; the contract's compare-and-swap makes posting
 * it again harmless, so each stands exactly once whatever crashes when.
 *
 * A state that is stopped in order anchors a last batch, which reserves nothing. One that was not (a crash), or that is behind the chain (a
 * restored backup), counts everything reserved for it as spent: it can never answer anew what it may have answered already. So a
 * crash costs up to one reservation of each dataset.
 */
import { TrustedDataError } from "../errors.ts";
import { assert } from "../primitives/assert.ts";
import { type Hex, toHex, zeroHash } from "../primitives/hex.ts";
import { MerkleTree } from "../primitives/merkle.ts";
import { entryLeaf } from "./audit-entry.ts";
import { type BudgetLine, decodeBudgetLines, encodeBudgetLines } from "./budget-line.ts";
import type {
  AnchorChain,
  AnchoredBatch,
  AnchorWriter,
  AuditStore,
  Clock,
  StoredBatch,
  StoredEntry,
} from "./ports.ts";

/** A batch this large is built in about a second; what is left goes into the next one. */
export const batchEntriesMax = 100_000;

/** A question that was charged and not answered gets its answer within this after its token expired, or never. */
export const unansweredMsMax = 86_400_000;

export interface AnchoringOptions {
  party: Hex;
  intervalMs: number;
  /** How long an entry waits for the querier's signature; then it is anchored as never signed. */
  countersignMsMax: number;
}

export interface AnchoringModules {
  clock: Clock;
  /** For the name of this life of the log: an empty budget line in its batches, so that no two processes ever close equal ones. */
  randomness: { bytes(count: number): Uint8Array };
  audit: AuditStore;
  chain: AnchorChain;
  writer: AnchorWriter;
  /** What each dataset has spent now, and may spend until the next batch. */
  budgets: () => BudgetLine[];
  /** `tree` is the batch's, where it was closed by this process. */
  onAnchored: (batch: StoredBatch, tree?: MerkleTree) => void;
  onProblem: (error: unknown) => void;
  /** Another daemon anchors with the same key, or the chain is not the one that this state knows: the process should stop. */
  onConflict: (error: TrustedDataError) => void;
}

export class Anchoring {
  readonly #options: AnchoringOptions;
  readonly #modules: AnchoringModules;
  readonly #life: Hex;
  #reconciled = false;
  /** What the batches before this process reserved is spent or given back: nothing can be charged before its first one stands. */
  #hasReserved = false;
  #finishing = false;
  #working: Promise<void> = Promise.resolve();

  constructor(options: AnchoringOptions, modules: AnchoringModules) {
    this.#options = options;
    this.#modules = modules;
    this.#life = toHex(modules.randomness.bytes(32));
  }

  /** Whether this state is known to be the newest one, and has its own reservation on the chain: only then may the party answer. */
  get isReady(): boolean {
    return this.#reconciled && this.#hasReserved && !this.#finishing;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, onProblem } = this.#modules;
    while (!signal.aborted) {
      await this.tick().catch(onProblem);
      const untilNextMs = this.#options.intervalMs - (clock.nowMs() % this.#options.intervalMs);
      await clock.sleep(untilNextMs, signal).catch(() => undefined);
    }
    await this.finish().catch(onProblem);
  }

  /** Anchors what is left in a last batch that reserves nothing. From now on nothing can be charged. */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.#working = this.#working.catch(() => undefined).then(() => this.#turn());
    await this.#working;
  }

  /** One turn of the schedule: reconcile once, post what is closed, else close the next batch and post it. */
  async tick(): Promise<void> {
    this.#working = this.#working.catch(() => undefined).then(() => this.#turn());
    await this.#working;
  }

  async #turn(): Promise<void> {
    try {
      if (!this.#reconciled) await this.#reconcile();
      const waiting = this.#waiting();
      if (waiting !== undefined) await this.#post(waiting);
      const { batch, tree } = this.#close();
      await this.#post(batch, tree);
      this.#hasReserved = true;
    } catch (error) {
      if (error instanceof TrustedDataError && error.code === "anchor_conflict") {
        // Somebody else anchors with this key, or the chain is another: this state may answer no more.
        this.#reconciled = false;
        this.#modules.onConflict(error);
      }
      throw error;
    }
  }

  #waiting(): StoredBatch | undefined {
    const latest = this.#modules.audit.latestBatch();
    return latest?.anchored === undefined ? latest : undefined;
  }

  async #post(batch: StoredBatch, tree?: MerkleTree): Promise<void> {
    const { audit, writer, onAnchored } = this.#modules;
    const { blockNumber, link } = await writer.anchor(batch);
    audit.markAnchored(batch.sequence, { blockNumber, link });
    onAnchored({ ...batch, anchored: { blockNumber, link } }, tree);
  }

  #close(): { batch: StoredBatch; tree: MerkleTree } {
    const { audit, budgets } = this.#modules;
    const latest = audit.latestBatch();
    assert(latest === undefined || latest.anchored !== undefined, "one batch is on its way at a time");
    // Before the lines are made, so that none of them can be outrun.
    if (this.#finishing) audit.dropCeilings();
    const ripe = audit
      .openEntries()
      .filter((entry) => this.#finishing || this.#isRipe(entry))
      .slice(0, batchEntriesMax);
    const tree = new MerkleTree();
    for (const { entry } of ripe) tree.append(entryLeaf(entry));
    const lines = [...budgets(), { dataset: this.#life, spent: 0n, reserved: 0n }];
    const terms = {
      sequence: (latest?.sequence ?? 0) + 1,
      previousLink: latest?.anchored?.link ?? zeroHash,
      root: toHex(tree.root()),
      entryCount: ripe.length,
      budgets: encodeBudgetLines(this.#finishing ? lines.map((line) => ({ ...line, reserved: 0n })) : lines),
    };
    audit.closeBatch(
      terms,
      ripe.map(({ position }) => position),
    );
    return { batch: { ...terms, anchored: undefined }, tree };
  }

  #isRipe({ entry, createdMs }: StoredEntry): boolean {
    const waitedMs = this.#modules.clock.nowMs() - createdMs;
    return entry.querierSignature !== null || waitedMs >= this.#options.countersignMsMax;
  }

  /**
   * Compares this state with the chain. Only a state that was closed in order and is the newest one goes on as it is. Any other may be a
   * backup, even one of the last minute: what was reserved for it, here or on the chain, counts as spent.
   */
  async #reconcile(): Promise<void> {
    const { audit, chain, clock } = this.#modules;
    const [newest, head] = await Promise.all([chain.latestAnchor(this.#options.party), chain.head()]);
    const here = audit.latestBatch();
    const known = Math.max(newest?.blockNumber ?? 0, here?.anchored?.blockNumber ?? 0);
    if (head.number < known) {
      throw new TrustedDataError(
        "chain_unavailable",
        `The chain has not reached block ${known} for good, where this log stands; it is looked at again later.`,
      );
    }
    const lacks = here?.anchored !== undefined && (newest === undefined || newest.sequence < here.sequence);
    const differs =
      here?.anchored !== undefined &&
      newest?.sequence === here.sequence &&
      newest.link !== here.anchored.link;
    if (lacks || differs) throw this.#conflict(here!.sequence);
    if (newest !== undefined && !isClosedInOrder(here, newest)) {
      audit.countAllowed();
      await this.#adoptUpTo(newest, here);
    }
    if (newest !== undefined) audit.coverUnanswered(clock.nowMs() - unansweredMsMax);
    this.#reconciled = true;
  }

  /** From the newest batch here, itself included, to the newest one on the chain. */
  async #adoptUpTo(newest: AnchoredBatch, here: StoredBatch | undefined): Promise<void> {
    const { audit, chain } = this.#modules;
    for (let sequence = here?.sequence ?? 1; sequence <= newest.sequence; sequence++) {
      const batch =
        sequence === newest.sequence ? newest : await chain.anchorOf(this.#options.party, sequence);
      assert(batch !== undefined, "the sequences of a party have no gaps");
      const lines = decodeBudgetLines(batch.budgets);
      assert(lines !== undefined, "the contract takes whole lines only");
      if (here?.anchored !== undefined && sequence === here.sequence && batch.link !== here.anchored.link) {
        throw this.#conflict(sequence);
      }
      audit.adoptBatch(batch, lines);
    }
  }

  #conflict(sequence: number): TrustedDataError {
    return new TrustedDataError(
      "anchor_conflict",
      `The chain does not have batch ${sequence}, which this state says is anchored; connect to the right chain.`,
    );
  }
}

/**
 * Whether nothing can have been spent since this state was closed: its newest batch reserves nothing, and stands on the chain or is the
 * next one there (a later life of this state would have had to post it before it could spend).
 */
function isClosedInOrder(here: StoredBatch | undefined, newest: AnchoredBatch): boolean {
  if (here === undefined || decodeBudgetLines(here.budgets)?.some(({ reserved }) => reserved > 0n) !== false)
    return false;
  if (here.sequence === newest.sequence) return here.root === newest.root && here.budgets === newest.budgets;
  return (
    here.anchored === undefined && here.sequence === newest.sequence + 1 && here.previousLink === newest.link
  );
}
