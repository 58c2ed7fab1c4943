/**
 * The Living Lab's own chain: a development chain on this machine that goes on where it stopped.
 *
 * Hardhat's simulated chain lives in memory, so what went in is journaled and replayed at the start. It stands in for a
 * public chain, and promises nothing that takes several machines: whoever runs it can rewrite it.
 */
import { join } from "node:path";
import { TrustedDataError } from "../../errors.ts";
import type { Clock } from "../../ledger/ports.ts";
import { assert } from "../../primitives/assert.ts";
import type { Hex } from "../../primitives/hex.ts";
import { addressPattern } from "../../primitives/hex.ts";
import { DurableChain } from "./durable-chain.ts";
import { lockFolder } from "./folder-lock.ts";
import type { ChainSettings, JournalRecord } from "./journal.ts";
import { Journal } from "./journal.ts";
import { replay } from "./replay.ts";
import { callMethod } from "./rpc-methods.ts";
import { serveRpc } from "./rpc-server.ts";
import { createSimulatedChain, hardfork } from "./simulated-chain.ts";

export interface LocalChainOptions {
  /** Holds the journal and the lock; made if need be. */
  folder: string;
  /** 0, the default, takes a free one. */
  port?: number;
  /** Fixed for the life of the folder; 31337 unless told. */
  chainId?: number;
  /** Who has ether. An address new to the folder is funded when the chain starts; one that was funded before is left alone. */
  accounts?: readonly { address: Hex; balanceWei: bigint }[];
  /** The head's age does not exceed this, 60 unless told, while the chain runs. */
  heartbeatSeconds?: number;
  clock: Clock;
  onReplay?: (done: number, total: number) => void;
  /** The chain has stopped answering, as its journal cannot be written: the process should end. */
  onFailure?: (error: Error) => void;
}

export interface LocalChain {
  readonly url: string;
  readonly chainId: number;
  /** Answers what was asked, then frees port and folder. */
  close(): Promise<void>;
}

/**
 * Starts the chain, replaying what its folder holds, and serves it when it is ready.
 * @throws TrustedDataError `state_in_use`, `journal_damaged`, `chain_replay_mismatch`, `chain_settings_conflict`, `port_in_use`
 */
export async function startLocalChain(options: LocalChainOptions): Promise<LocalChain> {
  const cleanup = new AsyncDisposableStack();
  try {
    return await start(options, cleanup);
  } catch (error) {
    await cleanup.disposeAsync();
    throw error;
  }
}

async function start(options: LocalChainOptions, cleanup: AsyncDisposableStack): Promise<LocalChain> {
  const { folder, clock, heartbeatSeconds = 60, onFailure = () => {} } = options;
  const lock = lockFolder(folder);
  cleanup.defer(() => lock.release());
  const { journal, records } = await Journal.open(join(folder, "chain.journal"));
  cleanup.defer(() => journal.close());
  const settings = await settingsOf(journal, records, options);
  const simulated = await createSimulatedChain(settings);
  cleanup.defer(() => simulated.close());
  await fundNewAccounts(journal, records, options.accounts ?? []);
  const head = await replay(simulated, records, options.onReplay);

  const chain = new DurableChain(head, { chain: simulated, journal, nowMs: () => clock.nowMs(), onFailure });
  cleanup.defer(() => chain.idle());
  await chain.refresh(0);
  const stop = new AbortController();
  const heart = beat(chain, clock, heartbeatSeconds, stop.signal);
  cleanup.defer(async () => {
    stop.abort();
    await heart;
  });
  const server = await serveRpc(options.port ?? 0, (method, params) => callMethod(chain, method, params));
  cleanup.defer(() => server.close());
  return { url: server.url, chainId: settings.chainId, close: () => cleanup.disposeAsync() };
}

/** The settings of the folder's chain, written first if it is new. */
async function settingsOf(
  journal: Journal,
  records: JournalRecord[],
  options: LocalChainOptions,
): Promise<ChainSettings> {
  const [first] = records;
  if (first === undefined) {
    const genesisTimestamp = Math.floor(options.clock.nowMs() / 1000);
    const settings: ChainSettings = {
      format: 1,
      chainId: options.chainId ?? 31337,
      hardfork,
      genesisTimestamp,
    };
    await append(journal, records, { settings });
    return settings;
  }
  const settings = "settings" in first ? first.settings : undefined;
  const chainId = options.chainId ?? settings?.chainId;
  if (settings?.format === 1 && settings.chainId === chainId) return settings;
  throw new TrustedDataError(
    "chain_settings_conflict",
    `The folder ${options.folder} holds another chain (id ${settings?.chainId ?? "unknown"}): choose another folder, or start with --fresh.`,
    { folder: options.folder },
  );
}

/** Adds to the records, so that new accounts are funded by the replay itself: in one way, at one place. */
async function fundNewAccounts(
  journal: Journal,
  records: JournalRecord[],
  accounts: readonly { address: Hex; balanceWei: bigint }[],
): Promise<void> {
  const known = new Set(records.flatMap((record) => ("fund" in record ? Object.keys(record.fund) : [])));
  const fresh = accounts
    .map(({ address, balanceWei }) => [address.toLowerCase(), balanceWei.toString()] as const)
    .filter(([address]) => !known.has(address));
  for (const [address, wei] of fresh)
    assert(addressPattern.test(address) && /^\d+$/.test(wei), "an account has an address and a balance");
  if (fresh.length > 0) await append(journal, records, { fund: Object.fromEntries(fresh) });
}

async function append(journal: Journal, records: JournalRecord[], record: JournalRecord): Promise<void> {
  await journal.append([record]);
  records.push(record);
}

/** Keeps the head fresh until stopped, or until the chain fails, which its user hears from the chain itself. */
async function beat(chain: DurableChain, clock: Clock, seconds: number, signal: AbortSignal): Promise<void> {
  try {
    while (!signal.aborted) await clock.sleep(Math.max(1, await chain.refresh(seconds)), signal);
  } catch {
    // Only an abort or a failed chain ends up here; both have been told.
  }
}
