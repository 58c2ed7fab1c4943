import { expect } from "chai";
import fc from "fast-check";
import type { AnchoredBatch } from "../../../node/ledger/ports.ts";
import { batchFaults, readLeaves } from "../../../node/ledger/published-log.ts";
import { fromHex, sha256Hex, toHex, zeroHash } from "../../../node/primitives/hex.ts";
import { MerkleTree } from "../../../node/primitives/merkle.ts";
import { expectCode } from "../../support/errors.ts";

function world(count: number) {
  const leaves = Array.from({ length: count }, (_, i) => sha256Hex(`leaf ${i}`));
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.append(fromHex(leaf));
  const terms = {
    sequence: 3,
    previousLink: sha256Hex("link"),
    root: toHex(tree.root()),
    entryCount: count,
    budgets: "0x",
  };
  const onChain: AnchoredBatch = {
    ...terms,
    party: `0x${"11".repeat(20)}`,
    blockNumber: 9,
    link: sha256Hex("own"),
  };
  return { leaves, onChain, batch: { ...terms, anchored: { blockNumber: 9, link: onChain.link } } };
}

describe("a log that its party publishes", () => {
  it("is as anchored when leaves make the root and all terms agree", () => {
    for (const count of [0, 1, 2, 7]) {
      const { batch, leaves, onChain } = world(count);
      expect(batchFaults(batch, leaves, onChain)).to.deep.equal([]);
    }
  });

  it("fails when a leaf is changed, left out, added or moved", () => {
    const { batch, leaves, onChain } = world(7);
    const changed = leaves.with(3, sha256Hex("another"));
    const moved = leaves.with(3, leaves[4]!).with(4, leaves[3]!);
    for (const shown of [changed, moved, leaves.slice(1), [...leaves, zeroHash], []])
      expect(batchFaults(batch, shown, onChain)).to.not.deep.equal([]);
  });

  it("fails when anything that is said about the batch differs from the chain", () => {
    const { batch, leaves, onChain } = world(2);
    const lies = [
      { sequence: 4 },
      { previousLink: zeroHash },
      { root: zeroHash },
      { entryCount: 3 },
      { budgets: `0x${"00".repeat(48)}` },
      { anchored: { blockNumber: 9, link: zeroHash } },
    ];
    for (const lie of lies) expect(batchFaults({ ...batch, ...lie }, leaves, onChain)).to.not.deep.equal([]);
  });

  it("is read page by page, however its party cuts the pages", async () => {
    const { batch, leaves } = world(23);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), async (size) => {
        const page = async (offset: number) => ({ batch, leaves: leaves.slice(offset, offset + size) });
        expect((await readLeaves("https://x.test", page, 23)).leaves).to.deep.equal(leaves);
      }),
    );
  });

  it("ends when a party sends nothing, or more and more", async () => {
    const { batch, leaves } = world(23);
    let pages = 0;
    const nothing = await readLeaves("https://x.test", async () => ({ batch, leaves: [] }), 23);
    expect(nothing.leaves).to.deep.equal([]);
    const endless = async () => {
      pages++;
      return { batch: { ...batch, entryCount: 1_000_000 }, leaves };
    };
    await readLeaves("https://x.test", endless, 23);
    expect(pages).to.equal(2);
  });

  it("is refused when it is something else", async () => {
    for (const answer of [null, {}, { batch: {}, leaves: [] }, { ...world(1), leaves: ["0x12"] }])
      await expectCode(() => readLeaves("https://x.test", async () => answer, 1), "peer_answer_invalid");
  });
});
