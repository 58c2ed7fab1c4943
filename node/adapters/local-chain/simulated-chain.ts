/**
 * Hardhat's simulated chain (EDR), configured so that equal inputs give equal blocks, whatever folder, project
 * configuration or machine it runs in. All randomness in its headers comes from seeds fixed inside EDR; the tests hold that
 * reads between the blocks do not change them.
 *
 * It lives in memory, with the state of every block. A new version of Hardhat may give other hashes: replaying tells.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert } from "../../primitives/assert.ts";
import type { Hex } from "../../primitives/hex.ts";
import type { ChainSettings } from "./journal.ts";

/** Fixed, as a newer default would change the hashes of a chain that is replayed. */
export const hardfork = "osaka";

export interface Head {
  number: number;
  hash: Hex;
  /** Seconds. */
  timestamp: number;
}

/** One call at a time: the order of calls that overlap is not defined. */
export interface SimulatedChain {
  request(method: string, params: readonly unknown[]): Promise<unknown>;
  /** Sets a balance before the next block; part of the state that the hashes commit to. */
  setBalance(address: Hex, wei: bigint): Promise<void>;
  /** Sets the time of the next block, and of the pending one that estimates run in. */
  setNextTimestamp(timestampS: number): Promise<void>;
  /** Mines an empty block. */
  mine(): Promise<void>;
  /** Mines a block with this transaction, and gives its hash; when it is refused, nothing has changed. */
  send(transaction: Hex): Promise<unknown>;
  /** `number` undefined is the newest. */
  blockAt(number?: number): Promise<Head>;
  close(): Promise<void>;
}

export async function createSimulatedChain(settings: ChainSettings): Promise<SimulatedChain> {
  // The product reports to nobody, whatever its user has allowed Hardhat to send when developing.
  process.env.HARDHAT_DISABLE_TELEMETRY = "true";
  const { createHardhatRuntimeEnvironment } = await import("hardhat/hre");
  // Contracts known from artifacts would only change the texts of errors, so a folder that is not there is named.
  const nowhere = join(tmpdir(), "internet-of-trusted-data-without-artifacts");
  const hre = await createHardhatRuntimeEnvironment(
    {
      paths: { artifacts: nowhere, cache: nowhere },
      networks: {
        local: {
          type: "edr-simulated",
          chainType: "l1",
          chainId: settings.chainId,
          networkId: settings.chainId,
          hardfork: settings.hardfork,
          initialDate: new Date(settings.genesisTimestamp * 1000),
          // Else a burst of transactions, each in a block of its own, would run ahead of the clock.
          allowBlocksWithSameTimestamp: true,
          accounts: [],
          mining: { auto: true, interval: 0 },
          throwOnCallFailures: true,
          // As on public chains: a transaction that reverts is mined, and its receipt says so.
          throwOnTransactionFailures: false,
        },
      },
    },
    {},
    import.meta.dirname,
  );
  const connection = await hre.network.create({ network: "local", chainType: "l1" });
  const request = (method: string, params: readonly unknown[]) =>
    connection.provider.request({ method, params: [...params] });

  return {
    request,
    setBalance: async (address, wei) => {
      await request("hardhat_setBalance", [address, quantity(wei)]);
    },
    setNextTimestamp: async (timestampS) => {
      await request("evm_setNextBlockTimestamp", [quantity(timestampS)]);
    },
    mine: async () => {
      await request("evm_mine", []);
    },
    send: (transaction) => request("eth_sendRawTransaction", [transaction]),
    blockAt: async (number) => {
      const tag = number === undefined ? "latest" : quantity(number);
      return headOf(await request("eth_getBlockByNumber", [tag, false]));
    },
    close: () => connection.close(),
  };
}

function headOf(block: unknown): Head {
  assert(typeof block === "object" && block !== null, "the simulated chain has the block");
  const { number, hash, timestamp } = block as Record<string, unknown>;
  assert(typeof hash === "string", "a mined block has a hash");
  return { number: Number(number), hash, timestamp: Number(timestamp) };
}

function quantity(value: number | bigint): Hex {
  return `0x${value.toString(16)}`;
}
