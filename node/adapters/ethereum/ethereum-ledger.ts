/** The chain as a log of anchors (contract AuditAnchor). Batches are read from its events, and each is held to the link that the contract keeps. */
import { AbiCoder, keccak256, type Log, type LogDescription } from "ethers";
import { TrustedDataError } from "../../errors.ts";
import type { AnchorChain, AnchoredBatch, Block } from "../../ledger/ports.ts";
import { type Hex, zeroHash } from "../../primitives/hex.ts";
import { type ChainConnection, quantity } from "./chain-connection.ts";
import { interfaces, rejection } from "./contracts.ts";

/** Where a node refuses to search the whole chain at once: blocks per search, accepted by all large providers. */
const windowBlocks = 5_000;

export class EthereumLedger implements AnchorChain {
  readonly #chain: ChainConnection;

  constructor(chain: ChainConnection) {
    this.#chain = chain;
  }

  head(): Promise<Block> {
    return this.#chain.finalBlock();
  }

  blockAt(number: number): Promise<Block | undefined> {
    return this.#chain.blockAt(number);
  }

  async latestAnchor(party: Hex): Promise<AnchoredBatch | undefined> {
    const sequence = Number(await this.#chain.readOne("auditAnchor", "latestSequence", [party]));
    return sequence === 0 ? undefined : await this.anchorOf(party, sequence);
  }

  async anchorOf(party: Hex, sequence: number): Promise<AnchoredBatch | undefined> {
    const link = String(await this.#chain.readOne("auditAnchor", "linkOf", [party, sequence]));
    if (link === zeroHash) return undefined;
    for await (const log of this.#anchoredLogs(party, sequence)) {
      const batch = batchFrom(log);
      if (batch !== undefined && batch.link === link && linkOfBatch(batch) === link) return batch;
    }
    throw new TrustedDataError(
      "chain_unavailable",
      `The chain holds batch ${sequence} of ${party}, but its node does not give the event: use a node that keeps all events.`,
      { party, sequence: String(sequence) },
    );
  }

  async verifyAnchor(batch: Omit<AnchoredBatch, "link">): Promise<boolean> {
    const { party, sequence, previousLink, root, entryCount, budgets, blockNumber } = batch;
    const args = [party, sequence, previousLink, root, entryCount, budgets, blockNumber];
    return (await this.#chain.readOne("auditAnchor", "verify", args)) === true;
  }

  /** Newest first. One search where the node allows it, else one window of blocks after the other. */
  async *#anchoredLogs(party: Hex, sequence: number): AsyncGenerator<Log> {
    const topics = interfaces.auditAnchor.encodeFilterTopics("Anchored", [party, sequence]);
    const search = async (fromBlock: number, toBlock: number | "latest") => {
      const to = toBlock === "latest" ? toBlock : quantity(toBlock);
      const address = this.#chain.deployment.contracts.auditAnchor;
      return await this.#chain.ask("eth_getLogs", [
        { address, topics, fromBlock: quantity(fromBlock), toBlock: to },
      ]);
    };
    const all = await search(0, "latest");
    if (all.error === undefined) {
      yield* (all.result as Log[]).toReversed();
      return;
    }
    const newest = (await this.#chain.newestBlock()).number;
    for (let end = newest; end >= 0; end -= windowBlocks) {
      const part = await search(Math.max(0, end - windowBlocks + 1), end);
      if (part.error !== undefined) throw rejection("auditAnchor", part.error);
      yield* (part.result as Log[]).toReversed();
    }
  }
}

/** What AuditAnchor.sol keeps for a batch: it commits to the batch, its block, and all batches before. */
export function linkOfBatch(batch: Omit<AnchoredBatch, "link">): Hex {
  const { party, sequence, previousLink, root, entryCount, budgets, blockNumber } = batch;
  return keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["address", "uint64", "bytes32", "bytes32", "uint64", "bytes32", "uint64"],
      [party, sequence, previousLink, root, entryCount, keccak256(budgets), blockNumber],
    ),
  );
}

function batchFrom(log: Log): AnchoredBatch | undefined {
  const event = eventOf(log);
  if (event === undefined) return undefined;
  const { party, sequence, root, previousLink, entryCount, budgets, link } = event.args;
  return {
    party: String(party).toLowerCase(),
    sequence: Number(sequence),
    previousLink: String(previousLink),
    root: String(root),
    entryCount: Number(entryCount),
    budgets: String(budgets),
    blockNumber: Number(log.blockNumber),
    link: String(link),
  };
}

/** Undefined if the node's answer is no such event. */
function eventOf(log: Log): LogDescription | undefined {
  try {
    return interfaces.auditAnchor.parseLog(log) ?? undefined;
  } catch {
    return undefined;
  }
}
