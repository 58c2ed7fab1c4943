/**
 * The operating system's randomness (getrandom through OpenSSL's generator, `crypto.randomFillSync`). Small requests, of which noise
 * makes many, are cut from one buffer: no byte is given out twice, and what was given out is erased here.
 */
import { randomFillSync } from "node:crypto";
import type { Randomness } from "../data-sharing/ports.ts";
import { assert } from "../primitives/assert.ts";

const poolByteCount = 4096;
/** Larger ones are drawn by themselves. */
const pooledByteCountMax = 256;

export class SystemRandomness implements Randomness {
  readonly #pool = new Uint8Array(poolByteCount);
  /** Bytes before it are erased. */
  #used = poolByteCount;

  bytes(count: number): Uint8Array {
    assert(Number.isSafeInteger(count) && count >= 0, "a count of bytes is a whole number");
    if (count > pooledByteCountMax) return randomFillSync(new Uint8Array(count));
    if (this.#used + count > poolByteCount) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const cut = this.#pool.slice(this.#used, this.#used + count);
    this.#pool.fill(0, this.#used, this.#used + count);
    this.#used += count;
    return cut;
  }
}
