/**
 * Random bytes one at a time, taken from the outside in blocks, as noise needs very many: each byte is given out once and erased.
 *
 * A reader lives for one call of a sampler and is wiped at its end, so no unused byte waits anywhere for a later answer. It does not
 * protect against a process that is forked or a machine that is restored within that call: both copies would go on with the same bytes.
 */
import type { Randomness } from "../ports.ts";

/** Blocks grow, so that one draw takes little and many draws take large ones. */
const blockByteCountMin = 64;
const blockByteCountMax = 4096;

export class RandomReader {
  readonly #randomness: Randomness;
  #block: Uint8Array = new Uint8Array(0);
  #used = 0;

  constructor(randomness: Randomness) {
    this.#randomness = randomness;
  }

  /** A uniform integer in [0, 256). */
  next(): number {
    if (this.#used === this.#block.length) this.#refill();
    const byte = this.#block[this.#used]!;
    this.#block[this.#used++] = 0;
    return byte;
  }

  /** Erases what was not used. */
  wipe(): void {
    this.#block.fill(0);
    this.#used = this.#block.length;
  }

  #refill(): void {
    const count = Math.min(Math.max(2 * this.#block.length, blockByteCountMin), blockByteCountMax);
    this.#block = this.#randomness.bytes(count);
    this.#used = 0;
  }
}

/** Runs `work` with a reader of its own, which is wiped when it ends, however it ends. */
export function withReader<T>(randomness: Randomness, work: (reader: RandomReader) => T): T {
  const reader = new RandomReader(randomness);
  try {
    return work(reader);
  } finally {
    reader.wipe();
  }
}
