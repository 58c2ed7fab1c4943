import { expect } from "chai";
import { type AuditEntry, entryLeaf } from "../../../node/ledger/audit-entry.ts";
import { BatchTrees } from "../../../node/ledger/batch-trees.ts";
import { sha256Hex } from "../../../node/primitives/hex.ts";
import { rootFromInclusionProof } from "../../../node/primitives/merkle.ts";

const signature = `0x${"11".repeat(64)}1b`;
const batch = (sequence: number): AuditEntry[] =>
  Array.from({ length: 5 }, (_, i) => ({
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

  it("are built once, and the least used is dropped", () => {
    const built: number[] = [];
    const trees = new BatchTrees({
      entriesOfBatch: (sequence) => {
        built.push(sequence);
        return batch(sequence);
      },
    });
    for (const sequence of [1, 2, 3, 4, 1, 5, 1, 2]) trees.of(sequence);
    expect(built).to.deep.equal([1, 2, 3, 4, 5, 2]);
  });
});
