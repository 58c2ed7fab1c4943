/**
 * Sends the transactions of one account, one after the other. There must be one sender per key: all writers of the key share it.
 *
 * The nonce is always that of the next transaction to be mined, so two attempts at the same step share a nonce and at most one of
 * them is ever mined, whatever crashed or got lost in between. A transaction that a reorganisation takes back is sent again.
 */
import { Transaction, type TransactionLike } from "ethers";
import { TrustedDataError } from "../../errors.ts";
import type { Hex } from "../../primitives/hex.ts";
import { type ChainConnection, encode } from "./chain-connection.ts";
import { type ContractName, rejection } from "./contracts.ts";
import type { RpcError } from "./json-rpc.ts";

/** What the sender needs of a key; a wallet of ethers is one. */
export interface TransactionKey {
  readonly address: string;
  signTransaction(transaction: TransactionLike): Promise<string>;
}

export interface SenderOptions {
  /** How long a transaction may take until it is mined and final. */
  mineTimeoutMs?: number;
}

export interface MinedTransaction {
  hash: Hex;
  blockNumber: number;
}

interface Fees {
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
}

interface Attempt {
  nonce: number;
  raw: Hex;
  hash: Hex;
}

/** `sent`: in the pool or mined. `overtaken`: another transaction has the nonce. `underpriced`: one with this nonce pays about as much. */
type Submission = "sent" | "overtaken" | "underpriced" | "unknown";

/** 1 gwei, where the node does not suggest one. */
const tipWei = 1_000_000_000n;
/** Nodes want at least 10% more for a replacement. */
const raisePercent = 125n;
const submissionsMax = 12;
/** EIP-7825. */
const transactionGasMax = 2n ** 24n;

export class EthereumSender {
  readonly #chain: ChainConnection;
  readonly #key: TransactionKey;
  readonly #mineTimeoutMs: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SenderOptions, { chain, key }: { chain: ChainConnection; key: TransactionKey }) {
    this.#chain = chain;
    this.#key = key;
    this.#mineTimeoutMs = options.mineTimeoutMs ?? 120_000;
  }

  get address(): Hex {
    return this.#key.address.toLowerCase();
  }

  /**
   * Sends a call and waits until it is final.
   * @throws TrustedDataError `chain_rejected` if the contract refuses, `chain_unavailable` if it is not final in time: then it may
   * still be mined later, and the caller looks before it sends again.
   */
  send(contract: ContractName, method: string, args: readonly unknown[]): Promise<MinedTransaction> {
    const mined = this.#last.then(() => this.#sendNow(contract, encode(contract, method, args)));
    this.#last = mined.catch(() => undefined);
    return mined;
  }

  /** Looks again and again until what it found is in a final block, or nothing is found (undefined). */
  async untilFinal<Found>(
    look: () => Promise<{ found: Found; blockNumber: number | undefined }>,
  ): Promise<Found> {
    const deadlineMs = performance.now() + this.#mineTimeoutMs;
    for (;;) {
      const { found, blockNumber } = await look();
      if (blockNumber === undefined || (await this.#chain.finalBlock()).number >= blockNumber) return found;
      if (performance.now() > deadlineMs) {
        throw new TrustedDataError(
          "chain_unavailable",
          `Block ${blockNumber} is not final after ${this.#waited()}; try again later.`,
          { blockNumber: String(blockNumber) },
        );
      }
      await this.#chain.pause();
    }
  }

  #waited(): string {
    return `${Math.round(this.#mineTimeoutMs / 1000)} s`;
  }

  async #sendNow(contract: ContractName, data: Hex): Promise<MinedTransaction> {
    const call = { from: this.address, to: this.#chain.deployment.contracts[contract], data };
    const deadlineMs = performance.now() + this.#mineTimeoutMs;
    let fees = await this.#fees();
    for (let i = 0; i < submissionsMax; i++) {
      const attempt = await this.#sign(contract, call, fees);
      const submission = await this.#submit(contract, attempt);
      if (submission === "underpriced") {
        fees = raised(fees);
        continue;
      }
      const mined = await this.#waitFor(contract, call, attempt, deadlineMs);
      if (mined !== undefined) return mined;
    }
    throw new TrustedDataError(
      "chain_unavailable",
      `Account ${this.address} cannot get a transaction in: others of the same account are always first. Use a key in one place only.`,
      { account: this.address },
    );
  }

  async #sign(contract: ContractName, call: { from: Hex; to: Hex; data: Hex }, fees: Fees): Promise<Attempt> {
    const [gas, count] = await Promise.all([
      // On "pending" it would include an earlier attempt of ours, which then refuses this one.
      this.#chain.ask("eth_estimateGas", [call, "latest"]),
      this.#chain.ask("eth_getTransactionCount", [this.address, "latest"]),
    ]);
    if (gas.error !== undefined) throw rejection(contract, gas.error);
    if (count.error !== undefined) throw rejection(contract, count.error);
    const nonce = Number(count.result);
    const raw = await this.#key.signTransaction({
      type: 2,
      chainId: this.#chain.deployment.chainId,
      nonce,
      to: call.to,
      data: call.data,
      gasLimit: gasLimitFor(BigInt(String(gas.result))),
      ...fees,
    });
    return { nonce, raw, hash: Transaction.from(raw).hash! };
  }

  async #fees(): Promise<Fees> {
    const [block, tip] = await Promise.all([
      this.#chain.ask("eth_getBlockByNumber", ["latest", false]),
      this.#chain.ask("eth_maxPriorityFeePerGas", []),
    ]);
    const base = (block.result as { baseFeePerGas?: string } | null | undefined)?.baseFeePerGas;
    const suggested = tip.error === undefined && hexNumber(tip.result);
    const maxPriorityFeePerGas = suggested ? BigInt(String(tip.result)) : tipWei;
    // Enough for the base fee to rise for six blocks in a row.
    return { maxFeePerGas: 2n * BigInt(base ?? 0) + maxPriorityFeePerGas, maxPriorityFeePerGas };
  }

  async #submit(contract: ContractName, attempt: Attempt): Promise<Submission> {
    try {
      const reply = await this.#chain.ask("eth_sendRawTransaction", [attempt.raw]);
      return reply.error === undefined ? "sent" : submissionOf(contract, reply.error);
    } catch (error) {
      // The answer got lost, the transaction perhaps not: waiting tells.
      if (isUnavailable(error)) return "unknown";
      throw error;
    }
  }

  /** Undefined if another transaction took the nonce. */
  async #waitFor(
    contract: ContractName,
    call: { from: Hex; to: Hex; data: Hex },
    attempt: Attempt,
    deadlineMs: number,
  ): Promise<MinedTransaction | undefined> {
    let reason = "no block holds it";
    while (performance.now() < deadlineMs) {
      try {
        const look = await this.#look(attempt);
        if (look === "overtaken") return undefined;
        if (look !== "waiting") {
          if (look.reverted) throw await this.#reasonOf(contract, call, look.blockNumber);
          return { hash: attempt.hash, blockNumber: look.blockNumber };
        }
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        reason = "the chain stopped answering";
      }
      await this.#chain.pause();
    }
    throw new TrustedDataError(
      "chain_unavailable",
      `Transaction ${attempt.hash} was sent, but is not final after ${this.#waited()} (${reason}). It may still come: look before you repeat it.`,
      { transaction: attempt.hash },
    );
  }

  async #look(
    attempt: Attempt,
  ): Promise<"waiting" | "overtaken" | { blockNumber: number; reverted: boolean }> {
    // Asked before the receipt: a transaction that is mined in between must not look overtaken.
    const count = await this.#chain.ask("eth_getTransactionCount", [this.address, "latest"]);
    const reply = await this.#chain.ask("eth_getTransactionReceipt", [attempt.hash]);
    const receipt = reply.result as { blockNumber: string; status: string } | null | undefined;
    if (receipt === null || receipt === undefined) {
      if (count.error === undefined && Number(count.result) > attempt.nonce) return "overtaken";
      await this.#chain.ask("eth_sendRawTransaction", [attempt.raw]); // in case the pool lost it
      return "waiting";
    }
    const blockNumber = Number(receipt.blockNumber);
    const isFinal = (await this.#chain.finalBlock()).number >= blockNumber;
    return isFinal ? { blockNumber, reverted: Number(receipt.status) === 0 } : "waiting";
  }

  /** What the contract says to the same call now; it was mined although it would have been refused. */
  async #reasonOf(contract: ContractName, call: object, blockNumber: number): Promise<TrustedDataError> {
    const reply = await this.#chain.ask("eth_call", [call, `0x${blockNumber.toString(16)}`]);
    return rejection(
      contract,
      reply.error ?? { code: 0, message: "it ran out of gas or lost a race", data: undefined },
    );
  }
}

/**
 * Estimates run in the newest block, the transaction in one to come: a checkpoint that the estimate replaces is then a new one, at
 * several times the gas. What is not used is not paid.
 */
function gasLimitFor(estimate: bigint): bigint {
  const generous = 2n * estimate + 50_000n;
  return generous <= transactionGasMax
    ? generous
    : estimate > transactionGasMax
      ? estimate
      : transactionGasMax;
}

/** Nodes tell these apart by their words alone. */
function submissionOf(contract: ContractName, error: RpcError): Submission {
  const { message } = error;
  if (/already known|already imported|known transaction|already in mempool|already exists/i.test(message))
    return "sent";
  if (/nonce.{0,20}too low|nonce.{0,30}already|invalid nonce|expected nonce/i.test(message))
    return "overtaken";
  if (/underpriced|replacement|fee too low|max fee per gas less/i.test(message)) return "underpriced";
  throw rejection(contract, error);
}

function raised({ maxFeePerGas, maxPriorityFeePerGas }: Fees): Fees {
  return {
    maxFeePerGas: (maxFeePerGas * raisePercent) / 100n + 1n,
    maxPriorityFeePerGas: (maxPriorityFeePerGas * raisePercent) / 100n + 1n,
  };
}

function hexNumber(value: unknown): boolean {
  return typeof value === "string" && /^0x[0-9a-f]+$/i.test(value);
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof TrustedDataError && error.code === "chain_unavailable";
}
