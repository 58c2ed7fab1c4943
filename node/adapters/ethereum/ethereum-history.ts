/**
 * Statuses at a block. The contracts answer for every block below the newest (BlockHistory.sol), from their own checkpoints, so no
 * archive node is needed; for the newest block itself the present status is read in the state of that block.
 *
 * The block is taken at its number and time. That its hash still stands on the chain is for the reader of a receipt to check.
 */
import type { Block } from "../../ledger/ports.ts";
import type { ChainConnection } from "./chain-connection.ts";
import { type ContractName, contractErrorOf } from "./contracts.ts";

/** Reads `statusAt`, or `statusOf`, of the contract: a number of its enumeration. */
export async function statusNumberAt(
  chain: ChainConnection,
  contract: ContractName,
  subject: readonly string[],
  at: Block,
): Promise<number> {
  try {
    return Number(await chain.readOne(contract, "statusAt", [...subject, at.number, at.timestampS]));
  } catch (error) {
    if (contractErrorOf(error) !== "BlockNotYetMined") throw error;
    return Number(await chain.readOne(contract, "statusOf", subject, at.number));
  }
}
