/** Reads a repository's whole log as anybody can, and holds it to the chain: each batch once, each root from its leaves, budgets growing. */
import { expect } from "chai";
import { interfaces } from "../../node/adapters/ethereum/contracts.ts";
import { decodeBudgetLines } from "../../node/ledger/budget-line.ts";
import { type Hex, toHex } from "../../node/primitives/hex.ts";
import { MerkleTree } from "../../node/primitives/merkle.ts";
import { call } from "./https-call.ts";
import type { Network } from "./network.ts";

export interface WholeLog {
  /** All leaves of all anchored batches. */
  leaves: Hex[];
  batches: number;
  /** Micro-rho that the newest batch on the chain says were spent of the dataset. */
  spent: bigint;
  /** And what may be spent until the next one. */
  reserved: bigint;
}

interface ShownBatch {
  sequence: number;
  root: Hex;
  entryCount: number;
  budgets: Hex;
  anchored: { blockNumber: number } | null;
}

export async function readWholeLog(
  network: Network,
  endpoint: string,
  repository: Hex,
  dataset: Hex,
  { mayLackEntries = false } = {},
): Promise<WholeLog> {
  const onChain = await anchoredEvents(network, repository);
  const anchored = (await shownBatches(endpoint)).filter((batch) => batch.anchored !== null);
  const leaves: Hex[] = [];
  let spentBefore = 0n;
  for (const [i, batch] of anchored.entries()) {
    expect(batch.sequence, "the log has no gap").to.equal(i + 1);
    expect(batch.root).to.equal(onChain[i]?.root);
    expect(batch.budgets).to.equal(onChain[i]?.budgets);
    const { json: whole } = await call(endpoint, `GET /v1/ledger/batches/${batch.sequence}`);
    // After a copy was put back: such a batch was taken over from the chain, which does not hold its entries.
    const isLost = mayLackEntries && whole.leaves.length === 0 && batch.entryCount > 0;
    if (!isLost) expect(whole.leaves.length).to.equal(batch.entryCount);
    const tree = new MerkleTree();
    for (const leaf of whole.leaves as Hex[]) tree.append(Buffer.from(leaf.slice(2), "hex"));
    if (!isLost) expect(toHex(tree.root()), `root of batch ${batch.sequence}`).to.equal(batch.root);
    leaves.push(...whole.leaves);
    const spent = lineOf(batch.budgets, dataset).spent;
    expect(spent >= spentBefore, "what is spent never falls").to.equal(true);
    spentBefore = spent;
  }
  const newest = onChain.at(-1)!;
  return { leaves, batches: anchored.length, ...lineOf(newest.budgets, dataset) };
}

/** Straight from the contract's events, oldest first; each sequence once, or it fails. */
export async function anchoredEvents(
  network: Network,
  repository: Hex,
): Promise<{ sequence: number; root: Hex; budgets: Hex }[]> {
  const topics = interfaces.auditAnchor.encodeFilterTopics("Anchored", [repository]);
  const address = network.deployment.contracts.auditAnchor;
  const { result } = await network.chain.ask("eth_getLogs", [
    { address, topics, fromBlock: "0x0", toBlock: "latest" },
  ]);
  const events = (result as { topics: string[]; data: string }[]).map((log) => {
    const { args } = interfaces.auditAnchor.parseLog(log)!;
    return { sequence: Number(args.sequence), root: String(args.root), budgets: String(args.budgets) };
  });
  expect(events.map(({ sequence }) => sequence)).to.deep.equal(events.map((_, i) => i + 1));
  return events;
}

function lineOf(budgets: Hex, dataset: Hex): { spent: bigint; reserved: bigint } {
  const line = decodeBudgetLines(budgets)?.find((one) => one.dataset === dataset);
  return { spent: line?.spent ?? 0n, reserved: line?.reserved ?? 0n };
}

/** Oldest first. */
async function shownBatches(endpoint: string): Promise<ShownBatch[]> {
  const found = new Map<number, ShownBatch>();
  for (let offset = 0; ; offset += 100) {
    const { json: page } = await call(endpoint, `GET /v1/ledger/batches?limit=100&offset=${offset}`);
    for (const batch of page.batches as ShownBatch[]) found.set(batch.sequence, batch);
    if (page.batches.length < 100) break;
  }
  return [...found.values()].sort((a, b) => a.sequence - b.sequence);
}
