/** Brings a fresh simulated chain to where its journal ends, and checks that every block came out as recorded. */
import { TrustedDataError } from "../../errors.ts";
import { assert } from "../../primitives/assert.ts";
import type { BlockRecord, JournalRecord } from "./journal.ts";
import type { Head, SimulatedChain } from "./simulated-chain.ts";

/** A block's hash commits to all before it, so one look for so many is enough; a mismatch is then searched for. */
const blocksPerCheck = 256;

/**
 * Replays the records after the settings and returns the head.
 * @throws TrustedDataError `chain_replay_mismatch` with the first block that differs.
 */
export async function replay(
  chain: SimulatedChain,
  records: readonly JournalRecord[],
  onReplay?: (done: number, total: number) => void,
): Promise<Head> {
  let unchecked: BlockRecord[] = [];
  for (const [index, record] of records.entries()) {
    if ("fund" in record)
      for (const [address, wei] of Object.entries(record.fund)) await chain.setBalance(address, BigInt(wei));
    if ("block" in record) {
      unchecked.push(record);
      if (!(await mineAgain(chain, record))) break;
    }
    if (unchecked.length < blocksPerCheck && index < records.length - 1) continue;
    await check(chain, unchecked);
    unchecked = [];
    onReplay?.(index + 1, records.length);
  }
  await check(chain, unchecked);
  return chain.blockAt();
}

/** False when the chain refuses what it once accepted. */
async function mineAgain(chain: SimulatedChain, record: BlockRecord): Promise<boolean> {
  const [transaction, ...more] = record.transactions;
  assert(more.length === 0, "a recorded block has one transaction at most");
  try {
    await chain.setNextTimestamp(record.timestamp);
    if (transaction === undefined) await chain.mine();
    else await chain.send(transaction);
    return true;
  } catch {
    return false;
  }
}

async function check(chain: SimulatedChain, blocks: readonly BlockRecord[]): Promise<void> {
  const last = blocks.at(-1);
  if (last === undefined || (await agrees(chain, last))) return;
  for (const block of blocks) if (!(await agrees(chain, block))) throw mismatch(block);
  assert(false, "a block differs, as the last one does");
}

async function agrees(chain: SimulatedChain, record: BlockRecord): Promise<boolean> {
  if ((await chain.blockAt()).number < record.block) return false;
  return (await chain.blockAt(record.block)).hash === record.hash;
}

function mismatch(record: BlockRecord): TrustedDataError {
  return new TrustedDataError(
    "chain_replay_mismatch",
    `Block ${record.block} of the local chain does not come out as recorded, probably because Hardhat was updated: start with --fresh for a new chain.`,
    { block: String(record.block) },
  );
}
