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

  /** The tree of a closed batch; closed batches never change. */
  of(sequence: number): MerkleTree {
    const known = this.#trees.get(sequence);
    const tree = known ?? this.#build(sequence);
    this.#trees.delete(sequence);
    this.#trees.set(sequence, tree);
    if (known === undefined) {
      this.#leaves += weightOf(tree);
      this.#dropOldest();
    }
    return tree;
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
