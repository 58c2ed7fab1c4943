/**
 * Merkle trees of RFC 6962, section 2.1: SHA-256, leaves prefixed by 0x00 and inner nodes by 0x01, so that neither passes for the other.
 *
 * An inclusion proof does not by itself bind the tree size: whoever verifies one must take size and root from one trusted place.
 */
import { createHash } from "node:crypto";
import { assert } from "./assert.ts";

/** 32 bytes. */
export type Hash = Uint8Array;

const leafPrefix = Uint8Array.of(0);
const innerPrefix = Uint8Array.of(1);

export function leafHash(data: Uint8Array): Hash {
  return createHash("sha256").update(leafPrefix).update(data).digest();
}

function innerHash(left: Hash, right: Hash): Hash {
  return createHash("sha256").update(innerPrefix).update(left).update(right).digest();
}

/** One append-only tree over leaf hashes; every level is kept, so a proof costs O(log n) look-ups. */
export class MerkleTree {
  /** `#levels[k][i]` is the root of the complete subtree over leaves [i 2^k, (i+1) 2^k). */
  readonly #levels: Hash[][] = [[]];

  get size(): number {
    return this.#levels[0]!.length;
  }

  append(leaf: Hash): void {
    assert(leaf.length === 32, "a leaf hash has 32 bytes");
    let node = leaf;
    for (let level = 0; ; level++) {
      if (level === this.#levels.length) this.#levels.push([]);
      const row = this.#levels[level]!;
      row.push(node);
      if (row.length % 2 === 1) return;
      node = innerHash(row.at(-2)!, node);
    }
  }

  /** MTH(D[n]) of section 2.1; for an empty tree SHA-256 of nothing. */
  root(): Hash {
    if (this.size === 0) return createHash("sha256").digest();
    return this.#subtree(0, this.size);
  }

  /** PATH(index, D[n]) of section 2.1.1, from the leaf's sibling upwards. */
  inclusionProof(index: number): Hash[] {
    assert(Number.isInteger(index) && index >= 0 && index < this.size, "the leaf is in the tree");
    const path: Hash[] = [];
    let [from, to] = [0, this.size];
    while (to - from > 1) {
      const middle = from + splitOf(to - from);
      if (index < middle) {
        path.push(this.#subtree(middle, to));
        to = middle;
      } else {
        path.push(this.#subtree(from, middle));
        from = middle;
      }
    }
    return path.reverse();
  }

  #subtree(from: number, to: number): Hash {
    const count = to - from;
    const level = 31 - Math.clz32(count);
    if (count === 2 ** level) return this.#levels[level]![from / count]!;
    const middle = from + splitOf(count);
    return innerHash(this.#subtree(from, middle), this.#subtree(middle, to));
  }
}

/** The root that an inclusion proof leads to (RFC 9162, section 2.1.3.2), or undefined if the proof's length does not fit. */
export function rootFromInclusionProof(
  leaf: Hash,
  index: number,
  size: number,
  path: readonly Hash[],
): Hash | undefined {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index) || index < 0 || index >= size)
    return undefined;
  if (path.some((hash) => hash.length !== 32)) return undefined;
  let position = index;
  let last = size - 1;
  let node = leaf;
  for (const sibling of path) {
    if (last === 0) return undefined;
    if (position % 2 === 1 || position === last) {
      node = innerHash(sibling, node);
      while (position % 2 === 0 && position !== 0) {
        position = Math.floor(position / 2);
        last = Math.floor(last / 2);
      }
    } else {
      node = innerHash(node, sibling);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? node : undefined;
}

/** The largest power of two smaller than `count` (k of section 2.1). */
function splitOf(count: number): number {
  return 2 ** (31 - Math.clz32(count - 1));
}
