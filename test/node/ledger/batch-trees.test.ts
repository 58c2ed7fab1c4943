import { expect } from "chai";
import { type AuditEntry, entryLeaf } from "../../../node/ledger/audit-entry.ts";
import { BatchTrees } from "../../../node/ledger/batch-trees.ts";
import { sha256Hex } from "../../../node/primitives/hex.ts";
import { rootFromInclusionProof } from "../../../node/primitives/merkle.ts";

const signature = `0x${"11".repeat(64)}1b`;
const batch = (sequence: number, length = 5): AuditEntry[] =>
  Array.from({ length }, (_, i) => ({
    transcript: sha256Hex(`${sequence} ${i}`),
    repositorySignature: signature,
    querierSignature: i === 3 ? null : signature,
  }));

describe("the trees of batches", () => {
  it("prove each entry of their batch", () => {
    const trees = new BatchTrees({ entriesOfBatch: batch });
    const tree = trees.of(1);
    for (const [i, entry] of batch(1).entries()) {
      const root = rootFromInclusionProof(entryLeaf(entry), i, 5, tree.inclusionProof(i));
      expect(root).to.deep.equal(tree.root());
    }
  });

  /** The batches that are built again when each is asked for in turn. */
  function builtOf(
    asked: readonly number[],
    sizeOf: (sequence: number) => number,
    leavesMax: number,
  ): number[] {
    const built: number[] = [];
    const entriesOfBatch = (sequence: number) => {
      built.push(sequence);
      return batch(sequence, sizeOf(sequence));
    };
    const trees = new BatchTrees({ entriesOfBatch }, leavesMax);
    for (const sequence of asked) expect(trees.of(sequence).size).to.equal(sizeOf(sequence));
    return built;
  }

  it("are built once, and the least used is dropped when the leaves of all are too many", () => {
    expect(builtOf([1, 2, 3, 4, 1, 5, 1, 2], () => 20, 80)).to.deep.equal([1, 2, 3, 4, 5, 2]);
    // One large batch takes the room of three; one that is too large alone is kept all the same until the next.
    expect(builtOf([1, 2, 3, 4, 9, 4, 3, 9], (n) => (n === 9 ? 60 : 20), 80)).to.deep.equal([
      1, 2, 3, 4, 9, 3, 9,
    ]);
    expect(builtOf([9, 9, 9, 1, 9], (n) => (n === 9 ? 100 : 20), 80)).to.deep.equal([9, 1, 9]);
  });

  it("of many small batches are kept side by side, as readers of entries go through them", () => {
    const sequences = Array.from({ length: 500 }, (_, i) => i + 1);
    expect(builtOf([...sequences, ...sequences], () => 5, 400_000)).to.deep.equal(sequences);
    // Empty ones count too.
    expect(builtOf([1, 2, 3, 1], () => 0, 32)).to.deep.equal([1, 2, 3, 1]);
  });

  it("are not built at all where the batch's own was kept", () => {
    const trees = new BatchTrees({ entriesOfBatch: () => expect.fail("the tree is built again") });
    const tree = new BatchTrees({ entriesOfBatch: batch }).of(7);
    trees.keep(7, tree);
    expect(trees.of(7)).to.equal(tree);
  });
});
