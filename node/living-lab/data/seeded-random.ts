/**
 * Numbers that look random and are the same for the same seed on every machine: AES-256 in counter mode over zeros, keyed by
 * SHA-256 of the seed. For making data up; never for keys, nonces or the noise of an answer.
 */
import { type Cipheriv, createCipheriv } from "node:crypto";
import { assert } from "../../primitives/assert.ts";
import { sha256 } from "../../primitives/hex.ts";

/** Drawn at once; a multiple of 4, large enough that the cipher's call costs little. */
const blockBytes = 16 * 1024;
const zeros = new Uint8Array(blockBytes);

export class SeededRandom {
  readonly #cipher: Cipheriv;
  #block: Buffer = Buffer.alloc(0);
  #offset = 0;

  constructor(seed: string) {
    this.#cipher = createCipheriv("aes-256-ctr", sha256(seed), new Uint8Array(16));
  }

  /** Uniform in [0, 1), a multiple of 2^-32. */
  fraction(): number {
    if (this.#offset === this.#block.length) {
      this.#block = this.#cipher.update(zeros);
      this.#offset = 0;
    }
    const word = this.#block.readUInt32LE(this.#offset);
    this.#offset += 4;
    return word / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both inside. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Exponentially distributed around `mean`. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.fraction());
  }

  /** A place in the weights, each as likely as its share of the sum. */
  weighted({ upTo }: Weights): number {
    const target = this.fraction() * upTo.at(-1)!;
    let place = 0;
    while (target >= upTo[place]!) place++;
    return place;
  }
}

/** Weights with their running sums, so that many draws share them. */
export interface Weights {
  readonly upTo: readonly number[];
}

export function weightsOf(weights: readonly number[]): Weights {
  let sum = 0;
  const upTo = weights.map((weight) => {
    assert(weight >= 0, "a weight is not negative");
    sum += weight;
    return sum;
  });
  assert(sum > 0, "one weight at least is positive");
  return { upTo };
}
