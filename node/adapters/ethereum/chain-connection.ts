/**
 * The connection to an EVM chain through one or more JSON-RPC endpoints.
 *
 * Every call ends within `timeoutMs`: an endpoint that fails, or takes longer than its part of the time, is overtaken by the next.
 * What endpoints say is believed: this is no light client. Configure endpoints that you run or trust.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { TrustedDataError } from "../../errors.ts";
import type { Deployment } from "../../ledger/deployment.ts";
import type { Block } from "../../ledger/ports.ts";
import { assert } from "../../primitives/assert.ts";
import type { Hex } from "../../primitives/hex.ts";
import { type ContractName, interfaces, rejection } from "./contracts.ts";
import { NoAnswer, RpcEndpoint, type RpcReply } from "./json-rpc.ts";

export interface ChainOptions {
  /** At least one; the first is preferred until it fails. */
  urls: readonly string[];
  deployment: Deployment;
  /** A block is final when so many newer ones exist. 0 where blocks are never taken back. */
  finalityDepth: number;
  /** Bounds each call, however many endpoints are tried. */
  timeoutMs?: number;
  /** How often the chain is asked while waiting for a transaction. */
  pollMs?: number;
}

/** A list of 100 directory entries is 100 KB; more than this is no answer to any question asked here. */
const answerBytesMax = 32 * 1024 * 1024;

export function openChain(options: ChainOptions): ChainConnection {
  return new ChainConnection(options);
}

export class ChainConnection {
  readonly deployment: Deployment;
  readonly finalityDepth: number;
  readonly #pollMs: number;
  readonly #timeoutMs: number;
  readonly #agent = new Agent({ maxResponseSize: answerBytesMax, connections: 16 });
  readonly #closing = new AbortController();
  readonly #endpoints: RpcEndpoint[];
  /** Endpoints known to serve the right chain; one that failed is checked again. */
  readonly #checked = new Set<RpcEndpoint>();
  #preferred = 0;

  constructor(options: ChainOptions) {
    assert(options.urls.length > 0, "the chain has an endpoint");
    this.deployment = options.deployment;
    this.finalityDepth = options.finalityDepth;
    this.#timeoutMs = options.timeoutMs ?? 3_000;
    this.#pollMs = options.pollMs ?? 1_000;
    this.#endpoints = options.urls.map((url) => new RpcEndpoint(url, this.#agent));
  }

  /** Calls a view. `at` is a block number; without one the newest state answers. */
  async read(contract: ContractName, method: string, args: readonly unknown[], at?: number) {
    const call = { to: this.deployment.contracts[contract], data: encode(contract, method, args) };
    const reply = await this.ask("eth_call", [call, at === undefined ? "latest" : quantity(at)]);
    if (reply.error !== undefined) throw rejection(contract, reply.error);
    try {
      return interfaces[contract].decodeFunctionResult(method, String(reply.result));
    } catch {
      throw new TrustedDataError(
        "chain_wrong_network",
        `Chain ${this.deployment.chainId} has no contract ${contract} at ${call.to}: compare the deployment with the chain's.`,
        { contract, address: call.to },
      );
    }
  }

  /** The one value that the view gives. */
  async readOne(
    contract: ContractName,
    method: string,
    args: readonly unknown[],
    at?: number,
  ): Promise<unknown> {
    return (await this.read(contract, method, args, at))[0];
  }

  /** Asks one endpoint after the other, until one answers. An error that an endpoint reports is an answer. */
  async ask(method: string, params: readonly unknown[]): Promise<RpcReply> {
    const { endpoints, signal, stop } = this.#round();
    const overtakeMs = this.#timeoutMs / endpoints.length;
    const attempts: Promise<RpcReply>[] = [];
    for (const [i, endpoint] of endpoints.entries()) {
      const turn =
        i === 0 ? undefined : Promise.race([pause(i * overtakeMs, signal), failureOf(attempts[i - 1]!)]);
      attempts.push(this.#attempt(endpoint, method, params, signal, turn));
    }
    try {
      return await Promise.any(attempts);
    } catch (error) {
      throw this.#unavailable(endpoints, error);
    } finally {
      stop();
    }
  }

  /**
   * The newest block that any endpoint has: all are asked, so that one which lags or withholds blocks cannot hide a revocation;
   * those that answer late do not hold the others up. Calls then prefer the endpoint that has it.
   */
  async newestBlock(): Promise<Block> {
    if (this.#endpoints.length === 1) return this.#known(await this.blockAt("latest"));
    const { endpoints, signal, stop } = this.#round();
    const heads: { block: Block; endpoint: RpcEndpoint }[] = [];
    const attempts = endpoints.map(async (endpoint) => {
      const reply = await this.#attempt(endpoint, "eth_getBlockByNumber", ["latest", false], signal);
      heads.push({ block: this.#known(blockFrom(reply)), endpoint });
    });
    try {
      await Promise.race([Promise.allSettled(attempts), pause(this.#timeoutMs / 2, signal)]);
      await Promise.any(attempts);
    } catch (error) {
      throw this.#unavailable(endpoints, error);
    } finally {
      stop();
    }
    const { block, endpoint } = heads.reduce((a, b) => (b.block.number > a.block.number ? b : a));
    this.#preferred = this.#endpoints.indexOf(endpoint);
    return block;
  }

  /** The newest block with `finalityDepth` blocks on top; on a shorter chain its first. */
  async finalBlock(): Promise<Block> {
    const newest = await this.newestBlock();
    if (this.finalityDepth === 0) return newest;
    return this.#known(await this.blockAt(Math.max(0, newest.number - this.finalityDepth)));
  }

  async blockAt(number: number | "latest"): Promise<Block | undefined> {
    const tag = number === "latest" ? number : quantity(number);
    return blockFrom(await this.ask("eth_getBlockByNumber", [tag, false]));
  }

  /** Waits between two looks at the chain; fails once the connection is closed. */
  async pause(): Promise<void> {
    await sleep(this.#pollMs, undefined, { signal: this.#closing.signal }).catch(() => {
      throw this.#closed();
    });
  }

  /** Ends calls under way with `chain_unavailable`. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#agent.destroy();
  }

  #round() {
    const ending = new AbortController();
    const signal = AbortSignal.any([
      ending.signal,
      this.#closing.signal,
      AbortSignal.timeout(this.#timeoutMs),
    ]);
    const endpoints = [
      ...this.#endpoints.slice(this.#preferred),
      ...this.#endpoints.slice(0, this.#preferred),
    ];
    return { endpoints, signal, stop: () => ending.abort() };
  }

  async #attempt(
    endpoint: RpcEndpoint,
    method: string,
    params: readonly unknown[],
    signal: AbortSignal,
    turn?: Promise<unknown>,
  ): Promise<RpcReply> {
    await turn;
    if (signal.aborted) throw new NoAnswer("does not answer in time");
    try {
      if (!this.#checked.has(endpoint)) await this.#checkChainId(endpoint, signal);
      const reply = await endpoint.call(method, params, signal);
      this.#preferred = this.#endpoints.indexOf(endpoint);
      return reply;
    } catch (error) {
      this.#checked.delete(endpoint);
      if (error instanceof NoAnswer) throw new NoAnswer(`${endpoint.name} ${error.message}`);
      throw error;
    }
  }

  async #checkChainId(endpoint: RpcEndpoint, signal: AbortSignal): Promise<void> {
    const reply = await endpoint.call("eth_chainId", [], signal);
    if (reply.error !== undefined) throw new NoAnswer("does not tell its chain id");
    const { chainId } = this.deployment;
    if (Number(reply.result) !== chainId) {
      throw new TrustedDataError(
        "chain_wrong_network",
        `${endpoint.name} serves chain ${Number(reply.result)}, but the deployment is on chain ${chainId}: correct one of them.`,
        { endpoint: endpoint.name, expected: String(chainId), found: String(Number(reply.result)) },
      );
    }
    this.#checked.add(endpoint);
  }

  #known(block: Block | undefined): Block {
    if (block !== undefined) return block;
    throw new TrustedDataError(
      "chain_unavailable",
      "The chain's endpoint knows no newest block; try again later.",
    );
  }

  #closed(): TrustedDataError {
    return new TrustedDataError("chain_unavailable", "The connection to the chain was closed.");
  }

  /** A wrong chain is told even if other endpoints are merely silent: it takes a person to correct it. */
  #unavailable(endpoints: readonly RpcEndpoint[], error: unknown): unknown {
    const reasons: unknown[] = error instanceof AggregateError ? error.errors : [error];
    const told = reasons.find((reason) => !(reason instanceof NoAnswer));
    if (told !== undefined) return told;
    if (this.#closing.signal.aborted) return this.#closed();
    const names = endpoints.map(({ name }) => name).join(", ");
    const said = reasons.map((reason) => (reason as NoAnswer).message).join("; ");
    return new TrustedDataError(
      "chain_unavailable",
      `The chain cannot be reached: ${said}. Start the chain's node or correct its address.`,
      { endpoints: names },
    );
  }
}

export function encode(contract: ContractName, method: string, args: readonly unknown[]): Hex {
  return interfaces[contract].encodeFunctionData(method, args);
}

/** A number as JSON-RPC takes it. */
export function quantity(number: number | bigint): Hex {
  return `0x${number.toString(16)}`;
}

function blockFrom(reply: RpcReply): Block | undefined {
  const block = reply.error === undefined ? reply.result : undefined;
  if (typeof block !== "object" || block === null) return undefined;
  const { number, hash, timestamp } = block as Record<string, unknown>;
  return { number: Number(number), hash: String(hash).toLowerCase(), timestampS: Number(timestamp) };
}

/** Ends early, without failing, when aborted. */
async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await sleep(delayMs, undefined, { signal, ref: false }).catch(() => undefined);
}

/** Resolves when the attempt fails; never when it succeeds. */
function failureOf(attempt: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    attempt.catch(() => resolve());
  });
}
