/**
 * When a reply leaves: at a whole multiple of the slot after its question came in, so that its time says little about the data.
 *
 * Nothing else may tell when the engine was done: not what the reply says of its time, and not another request that waits for the same answer,
 * which would be released at a multiple counted from another moment. So whatever waits for the answer waits for the end of this slot.
 */
import type { Clock } from "../ledger/ports.ts";

export class ReplySlot {
  readonly #clock: Clock;
  readonly #slotMs: number;
  readonly #startedMs: number;
  #ended: Promise<void> | undefined;

  /** Of a question that comes in now. */
  constructor(clock: Clock, slotMs: number) {
    this.#clock = clock;
    this.#slotMs = slotMs;
    this.#startedMs = clock.nowMs();
  }

  /** The end of the slot that runs now. */
  endMs(): number {
    const elapsedMs = this.#clock.nowMs() - this.#startedMs;
    return this.#startedMs + Math.ceil((elapsedMs + 1) / this.#slotMs) * this.#slotMs;
  }

  /** Waits for it; once it was reached the reply may leave, and there is nothing to wait for any more. */
  async end(): Promise<void> {
    this.#ended ??= this.#clock.sleep(this.endMs() - this.#clock.nowMs());
    await this.#ended;
  }
}
