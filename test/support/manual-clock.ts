/** A clock that stands until it is told to move; sleeping moves it. */
import type { Clock } from "../../node/ledger/ports.ts";

export class ManualClock implements Clock {
  #nowMs: number;

  constructor(nowMs = Date.UTC(2030, 0, 1)) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }

  async sleep(delayMs: number): Promise<void> {
    this.#nowMs += delayMs;
  }
}
