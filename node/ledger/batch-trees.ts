/** The Merkle trees of closed batches, the last few kept: building one of 100,000 entries takes about a second, a proof from it microseconds. */
import { MerkleTree } from "../primitives/merkle.ts";
import { entryLeaf } from "./audit-entry.ts";
import type { AuditStore } from "./ports.ts";

/** The largest batch's tree takes about 30 MB. */
const keptMax = 4;

export class BatchTrees {
  readonly #audit: Pick<AuditStore, "entriesOfBatch">;
  /** Least recently used first. */
  readonly #trees = new Map<number, MerkleTree>();

  constructor(audit: Pick<AuditStore, "entriesOfBatch">) {
    this.#audit = audit;
  }

  /** The tree of a closed batch; closed batches never change. */
  of(sequence: number): MerkleTree {
    const tree = this.#trees.get(sequence) ?? this.#build(sequence);
    this.#trees.delete(sequence);
    this.#trees.set(sequence, tree);
    if (this.#trees.size > keptMax) this.#trees.delete(this.#trees.keys().next().value!);
    return tree;
  }

  #build(sequence: number): MerkleTree {
    const tree = new MerkleTree();
    for (const entry of this.#audit.entriesOfBatch(sequence)) tree.append(entryLeaf(entry));
    return tree;
  }
}
