/**
 * Keeps a party's audit log on the chain (data-sharing flow, step 6): closes a batch on a fixed schedule, empty ones too, so that the
 * rhythm shows no activity, and posts it by an outbox. One batch is on its way at a time; the contract's compare-and-swap makes posting
 * it again harmless, so each stands exactly once whatever crashes when.
 *
 * A state restored from a backup is noticed by the chain being ahead; then everything that the newest batch reserved counts as spent.
 */
import { TrustedDataError } from "../errors.ts";
import { assert } from "../primitives/assert.ts";
import { type Hex, toHex, zeroHash } from "../primitives/hex.ts";
import { MerkleTree } from "../primitives/merkle.ts";
import { entryLeaf } from "./audit-entry.ts";
import { type BudgetLine, decodeBudgetLines, encodeBudgetLines } from "./budget-line.ts";
import type { AnchorChain, AnchorWriter, AuditStore, Clock, StoredBatch, StoredEntry } from "./ports.ts";

/** A batch this large is built in about a second; what is left goes into the next one. */
export const batchEntriesMax = 100_000;

export interface AnchoringOptions {
  party: Hex;
  intervalMs: number;
  /** How long an entry waits for the querier's signature; then it is anchored as never signed. */
  countersignMsMax: number;
}

export interface AnchoringModules {
  clock: Clock;
  audit: AuditStore;
  chain: AnchorChain;
  writer: AnchorWriter;
  /** What each dataset has spent now, and may spend until the next batch. */
  budgets: () => BudgetLine[];
  onAnchored: (batch: StoredBatch) => void;
  onProblem: (error: unknown) => void;
}

export class Anchoring {
  readonly #options: AnchoringOptions;
  readonly #modules: AnchoringModules;
  #reconciled = false;
  #working: Promise<void> = Promise.resolve();

  constructor(options: AnchoringOptions, modules: AnchoringModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Whether this state is known to be the newest one: only then may the party answer. */
  get isReady(): boolean {
    return this.#reconciled && this.#modules.audit.latestBatch() !== undefined;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, onProblem } = this.#modules;
    while (!signal.aborted) {
      await this.tick().catch(onProblem);
      const untilNextMs = this.#options.intervalMs - (clock.nowMs() % this.#options.intervalMs);
      await clock.sleep(untilNextMs, signal).catch(() => undefined);
    }
  }

  /** One turn of the schedule: reconcile once, post what is closed, else close the next batch and post it. */
  async tick(): Promise<void> {
    this.#working = this.#working.catch(() => undefined).then(() => this.#turn());
    await this.#working;
  }

  async #turn(): Promise<void> {
    if (!this.#reconciled) await this.#reconcile();
    const waiting = this.#waiting();
    if (waiting !== undefined) await this.#post(waiting);
    await this.#post(this.#close());
  }

  #waiting(): StoredBatch | undefined {
    const latest = this.#modules.audit.latestBatch();
    return latest?.anchored === undefined ? latest : undefined;
  }

  async #post(batch: StoredBatch): Promise<void> {
    const { audit, writer, onAnchored } = this.#modules;
    const { blockNumber, link } = await writer.anchor(batch);
    audit.markAnchored(batch.sequence, { blockNumber, link });
    onAnchored({ ...batch, anchored: { blockNumber, link } });
  }

  #close(): StoredBatch {
    const { audit, budgets } = this.#modules;
    const latest = audit.latestBatch();
    assert(latest === undefined || latest.anchored !== undefined, "one batch is on its way at a time");
    const ripe = audit
      .openEntries()
      .filter((entry) => this.#isRipe(entry))
      .slice(0, batchEntriesMax);
    const tree = new MerkleTree();
    for (const { entry } of ripe) tree.append(entryLeaf(entry));
    const terms = {
      sequence: (latest?.sequence ?? 0) + 1,
      previousLink: latest?.anchored?.link ?? zeroHash,
      root: toHex(tree.root()),
      entryCount: ripe.length,
      budgets: encodeBudgetLines(budgets()),
    };
    audit.closeBatch(
      terms,
      ripe.map(({ position }) => position),
    );
    return { ...terms, anchored: undefined };
  }

  #isRipe({ entry, createdMs }: StoredEntry): boolean {
    const waitedMs = this.#modules.clock.nowMs() - createdMs;
    return entry.querierSignature !== null || waitedMs >= this.#options.countersignMsMax;
  }

  async #reconcile(): Promise<void> {
    const { audit, chain } = this.#modules;
    const onChain = await chain.latestAnchor(this.#options.party);
    const here = audit.latestBatch();
    if (here?.anchored !== undefined && (onChain === undefined || onChain.sequence < here.sequence)) {
      throw new TrustedDataError(
        "anchor_conflict",
        `The chain does not have batch ${here.sequence}, which this state says is anchored; connect to the right chain.`,
      );
    }
    const isAhead =
      onChain !== undefined &&
      onChain.sequence > (here?.anchored ? here.sequence : (here?.sequence ?? 1) - 1);
    if (isAhead && !(await this.#isOwnWaiting(here, onChain.sequence))) {
      const lines = decodeBudgetLines(onChain.budgets);
      assert(lines !== undefined, "the contract takes whole lines only");
      audit.adoptBatch(onChain, lines);
    }
    this.#reconciled = true;
  }

  /** The newest batch on the chain is the one that waits here: only its confirmation was lost. */
  async #isOwnWaiting(here: StoredBatch | undefined, sequence: number): Promise<boolean> {
    if (here === undefined || here.anchored !== undefined || here.sequence !== sequence) return false;
    const onChain = await this.#modules.chain.anchorOf(this.#options.party, sequence);
    return onChain !== undefined && onChain.root === here.root && onChain.budgets === here.budgets;
  }
}
