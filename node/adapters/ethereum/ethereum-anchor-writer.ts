/** Anchors the batches of one party, each exactly once: it looks before it sends, and the contract compares before it swaps. */
import { TrustedDataError } from "../../errors.ts";
import type { AnchoredBatch, AnchorWriter, BatchTerms } from "../../ledger/ports.ts";
import { contractErrorOf } from "./contracts.ts";
import type { EthereumLedger } from "./ethereum-ledger.ts";
import type { EthereumSender } from "./ethereum-sender.ts";

const outrun = new Set(["AlreadyAnchored", "PreviousLinkMismatch"]);

export class EthereumAnchorWriter implements AnchorWriter {
  readonly #ledger: EthereumLedger;
  readonly #sender: EthereumSender;

  constructor({ ledger, sender }: { ledger: EthereumLedger; sender: EthereumSender }) {
    this.#ledger = ledger;
    this.#sender = sender;
  }

  async anchor(terms: BatchTerms): Promise<AnchoredBatch> {
    const standing = await this.#standing(terms);
    if (standing !== undefined) return standing;
    const { sequence, previousLink, root, entryCount, budgets } = terms;
    try {
      await this.#sender.send("auditAnchor", "anchor", [sequence, previousLink, root, entryCount, budgets]);
    } catch (error) {
      if (!outrun.has(contractErrorOf(error) ?? "")) throw error;
      // Perhaps an earlier attempt of ours came through after all, or the node that refused lags behind.
      return (await this.#standing(terms)) ?? (await this.#outrun(terms));
    }
    return (await this.#standing(terms)) ?? this.#missing(terms);
  }

  /** The batch once it is final: the next one builds on its link, which names its block. */
  async #standing(terms: BatchTerms): Promise<AnchoredBatch | undefined> {
    const batch = await this.#sender.untilFinal(async () => {
      const found = await this.#ledger.anchorOf(this.#sender.address, terms.sequence);
      return { found, blockNumber: found?.blockNumber };
    });
    if (batch === undefined) return undefined;
    const same =
      batch.previousLink === terms.previousLink &&
      batch.root === terms.root &&
      batch.entryCount === terms.entryCount &&
      batch.budgets === terms.budgets;
    return same ? batch : this.#conflict(terms, "another batch stands there");
  }

  async #outrun(terms: BatchTerms): Promise<never> {
    const before = await this.#ledger.anchorOf(this.#sender.address, terms.sequence - 1);
    if (before === undefined || before.link === terms.previousLink) this.#missing(terms);
    return this.#conflict(terms, "another batch stands before it");
  }

  #conflict({ sequence }: BatchTerms, reason: string): never {
    throw new TrustedDataError(
      "anchor_conflict",
      `Batch ${sequence} of ${this.#sender.address} cannot be anchored, ${reason}: the key is used elsewhere, or this state is not the newest.`,
      { party: this.#sender.address, sequence: String(sequence) },
    );
  }

  #missing({ sequence }: BatchTerms): never {
    throw new TrustedDataError(
      "chain_unavailable",
      `The chain's node does not show batch ${sequence} of ${this.#sender.address}, or the one before, yet; try again.`,
      { party: this.#sender.address, sequence: String(sequence) },
    );
  }
}
