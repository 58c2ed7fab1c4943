/**
 * A simulated chain whose blocks are on the disk before anyone sees them.
 *
 * Every use goes through one lane: mine, write the record, then answer. A block whose record is not durable yet can
 * therefore not be read, and an acknowledged transaction cannot vanish. What a crash cuts off, nobody has seen.
 */
import { assert } from "../../primitives/assert.ts";
import type { Hex } from "../../primitives/hex.ts";
import type { BlockRecord, Journal } from "./journal.ts";
import type { Head, SimulatedChain } from "./simulated-chain.ts";

/** Records written together: enough to share the cost of a slow disk, few enough that nobody waits long. */
const batchMax = 64;

interface Waiting {
  transaction: Hex;
  resolve(hash: unknown): void;
  reject(error: unknown): void;
}

export class DurableChain {
  readonly #chain: SimulatedChain;
  readonly #journal: Journal;
  readonly #nowMs: () => number;
  readonly #onFailure: (error: Error) => void;
  readonly #waiting: Waiting[] = [];
  #head: Head;
  #lane: Promise<unknown> = Promise.resolve();
  #failure: Error | undefined;

  /** `head` is the newest block of `chain`. `onFailure` hears once why the chain stopped: then it answers nobody any more. */
  constructor(
    head: Head,
    modules: {
      chain: SimulatedChain;
      journal: Journal;
      nowMs: () => number;
      onFailure: (error: Error) => void;
    },
  ) {
    this.#head = head;
    this.#chain = modules.chain;
    this.#journal = modules.journal;
    this.#nowMs = modules.nowMs;
    this.#onFailure = modules.onFailure;
  }

  /** Passes a request that does not change the chain. Pending blocks and estimates see the time of now. */
  read(method: string, params: readonly unknown[]): Promise<unknown> {
    return this.#inLane(async () => {
      if (method === "eth_estimateGas" || params.includes("pending"))
        await this.#chain.setNextTimestamp(this.#nextTimestamp());
      return this.#chain.request(method, params);
    });
  }

  /** Mines the transaction in a block of its own; resolves to its hash once that is durable. Rejects with the simulator's error when it is refused. */
  send(transaction: Hex): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ transaction, resolve, reject });
      this.#inLane(() => this.#mineWaiting()).catch(reject);
    });
  }

  /**
   * Mines an empty block unless the head is younger than `seconds`, or ahead of the clock.
   * Resolves to the milliseconds after which it will be that old.
   */
  refresh(seconds: number): Promise<number> {
    return this.#inLane(async () => {
      const dueMs = () => (this.#head.timestamp + seconds) * 1000 - this.#nowMs();
      if (dueMs() > 0) return dueMs();
      await this.#stopOnFailure(async () => {
        await this.#chain.setNextTimestamp(this.#nextTimestamp());
        await this.#chain.mine();
        await this.#journal.append([await this.#newBlock([])]);
      });
      return dueMs();
    });
  }

  /** Resolves when all that was asked before is done. */
  async idle(): Promise<void> {
    await this.#lane;
  }

  /** Takes what waits by now; the tasks of the senders behind find less to do, or nothing. */
  async #mineWaiting(): Promise<void> {
    const batch = this.#waiting.splice(0, batchMax);
    const answers: (() => void)[] = [];
    try {
      await this.#stopOnFailure(async () => {
        const records: BlockRecord[] = [];
        for (const { transaction, resolve, reject } of batch) {
          const outcome = await this.#tryTransaction(transaction);
          answers.push(outcome.refused ? () => reject(outcome.error) : () => resolve(outcome.hash));
          if (!outcome.refused) records.push(await this.#newBlock([transaction]));
        }
        if (records.length > 0) await this.#journal.append(records);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const answer of answers) answer();
  }

  async #tryTransaction(
    transaction: Hex,
  ): Promise<{ refused: false; hash: unknown } | { refused: true; error: unknown }> {
    await this.#chain.setNextTimestamp(this.#nextTimestamp());
    try {
      return { refused: false, hash: await this.#chain.send(transaction) };
    } catch (error) {
      assert(
        (await this.#chain.blockAt()).number === this.#head.number,
        "a refused transaction mines nothing",
      );
      return { refused: true, error };
    }
  }

  async #newBlock(transactions: Hex[]): Promise<BlockRecord> {
    const parent = this.#head;
    this.#head = await this.#chain.blockAt();
    assert(this.#head.number === parent.number + 1, "one block was mined");
    return { block: this.#head.number, timestamp: this.#head.timestamp, hash: this.#head.hash, transactions };
  }

  #nextTimestamp(): number {
    return Math.max(this.#head.timestamp, Math.floor(this.#nowMs() / 1000));
  }

  #inLane<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#lane.then(() => {
      if (this.#failure !== undefined) throw this.#failure;
      return task();
    });
    this.#lane = run.catch(() => {});
    return run;
  }

  /** Memory may now be ahead of the disk: nothing may be read from it any more. */
  async #stopOnFailure(change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (error) {
      this.#failure = error instanceof Error ? error : new TypeError(String(error));
      this.#onFailure(this.#failure);
      throw error;
    }
  }
}
