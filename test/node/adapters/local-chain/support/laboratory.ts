// Folders, clocks, contracts and clients for the tests of the local chain.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { JsonRpcProvider, Network, Wallet } from "ethers";
import type { LocalChain, LocalChainOptions } from "../../../../../node/adapters/local-chain/local-chain.ts";
import { startLocalChain } from "../../../../../node/adapters/local-chain/local-chain.ts";
import { systemClock } from "../../../../../node/adapters/system-clock.ts";
import type { Clock } from "../../../../../node/ledger/ports.ts";

/** A clock that moves when told to. Sleepers look again every few milliseconds of real time. */
export function manualClock(nowMs: number): Clock & { advance(ms: number): void } {
  return {
    nowMs: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
    sleep: async (delayMs, signal) => {
      const until = nowMs + delayMs;
      while (nowMs < until) await sleep(2, undefined, signal && { signal });
    },
  };
}

export const alice = new Wallet(`0x${"a1".repeat(32)}`);
export const bob = new Wallet(`0x${"b0".repeat(32)}`);
const ether = 10n ** 18n;
export const accounts = [
  { address: alice.address, balanceWei: 1_000n * ether },
  { address: bob.address, balanceWei: 5n * ether },
];

export function start(folder: string, options: Partial<LocalChainOptions> = {}): Promise<LocalChain> {
  return startLocalChain({ folder, accounts, clock: systemClock, ...options });
}

export function client(url: string): JsonRpcProvider {
  return new JsonRpcProvider(url, Network.from(31337), {
    staticNetwork: true,
    pollingInterval: 20,
    cacheTimeout: -1,
  });
}

/** Calls the endpoint without a library, to see what it really says. */
export async function rpc(url: string, method: string, params: unknown[] = []) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  return (await response.json()) as {
    result?: unknown;
    error?: { code: number; message: string; data?: string };
  };
}

export function temporaryFolder(): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "local-chain-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export function artifact(path: string): { abi: unknown[]; bytecode: string } {
  return JSON.parse(readFileSync(`artifacts/contracts/${path}.json`, "utf8"));
}
