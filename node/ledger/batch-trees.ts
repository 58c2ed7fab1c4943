/** The Merkle trees of closed batches, those used last kept: building one of 100,000 entries takes about a second, a proof from it microseconds. */
import { MerkleTree } from "../primitives/merkle.ts";
import { entryLeaf } from "./audit-entry.ts";
import type { AuditStore } from "./ports.ts";

/** Of all trees that are kept, which take about 120 MB then. Most batches are small, so that these are the trees of hours or days. */
const keptLeavesMax = 400_000;
/** What an empty tree counts as: it takes some room too. */
const treeLeavesMin = 16;

export class BatchTrees {
  readonly #audit: Pick<AuditStore, "entriesOfBatch">;
  /** Least recently used first. */
  readonly #trees = new Map<number, MerkleTree>();
  readonly #leavesMax: number;
  #leaves = 0;

  constructor(audit: Pick<AuditStore, "entriesOfBatch">, leavesMax = keptLeavesMax) {
    this.#audit = audit;
    this.#leavesMax = leavesMax;
  }

  /** The tree of an anchored batch, which never changes. */
  of(sequence: number): MerkleTree {
    const tree = this.#trees.get(sequence) ?? this.#build(sequence);
    this.keep(sequence, tree);
    return tree;
  }

  /** Keeps the tree that an anchored batch was closed with, so that its first receipt need not wait for it to be built again. */
  keep(sequence: number, tree: MerkleTree): void {
    const known = this.#trees.get(sequence);
    this.#trees.delete(sequence);
    this.#trees.set(sequence, tree);
    if (known === undefined) {
      this.#leaves += weightOf(tree);
      this.#dropOldest();
    }
  }

  /** The newest stays, whatever its size. */
  #dropOldest(): void {
    for (const [sequence, tree] of this.#trees) {
      if (this.#leaves <= this.#leavesMax || this.#trees.size === 1) return;
      this.#trees.delete(sequence);
      this.#leaves -= weightOf(tree);
    }
  }

  #build(sequence: number): MerkleTree {
    const tree = new MerkleTree();
    for (const entry of this.#audit.entriesOfBatch(sequence)) tree.append(entryLeaf(entry));
    return tree;
  }
}

function weightOf(tree: MerkleTree): number {
  return Math.max(tree.size, treeLeavesMin);
}
