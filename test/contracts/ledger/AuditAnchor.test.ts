import { expect } from "chai";
import { concat, keccak256, toBeHex, encodeBytes32String as word, ZeroHash } from "ethers";
import { connect, deploySystem } from "../support/system.ts";

const connection = await connect();
const { ethers, networkHelpers } = connection;

const line = (dataset: string, spentMicroRho: bigint, reservedMicroRho: bigint) =>
  concat([word(dataset), toBeHex(spentMicroRho, 8), toBeHex(reservedMicroRho, 8)]);
const BUDGETS = concat([line("wages", 125_000n, 50_000n), line("visits", 1n, 2n), line("energy", 0n, 9n)]);

async function anchored() {
  const system = await deploySystem(connection);
  const [, , , , , party, other] = await ethers.getSigners();
  const anchor = system.anchor.connect(party!);
  await anchor.anchor(1, ZeroHash, word("root 1"), 7, BUDGETS);
  return { anchor, party: party!, other: other!, link: await anchor.linkOf(party!.address, 1) };
}

describe("AuditAnchor", () => {
  const load = () => networkHelpers.loadFixture(anchored);

  it("links the first batch to nothing and each later batch to the one before", async () => {
    const { anchor, party, link } = await load();
    await anchor.anchor(2, link, word("root 2"), 3, "0x");
    const second = await anchor.linkOf(party.address, 2);
    expect(second).not.to.equal(link);
    await anchor.anchor(3, second, word("root 3"), 0, "0x");
    expect(await anchor.latestSequence(party.address)).to.equal(3);
  });

  it("emits everything that a verifier needs to recompute the link", async () => {
    const { anchor, party, link } = await load();
    const block = await ethers.provider.getBlockNumber();
    const values = [party.address, 1, ZeroHash, word("root 1"), 7, keccak256(BUDGETS), block];
    const types = ["address", "uint64", "bytes32", "bytes32", "uint64", "bytes32", "uint64"];
    expect(link).to.equal(keccak256(ethers.AbiCoder.defaultAbiCoder().encode(types, values)));
    const [event] = await anchor.queryFilter(anchor.filters.Anchored(party.address, 1));
    expect([...event!.args]).to.deep.equal([party.address, 1n, word("root 1"), ZeroHash, 7n, BUDGETS, link]);
  });

  it("verifies exactly the batch that was anchored, and none with a changed field", async () => {
    const { anchor, party, other } = await load();
    const block = await ethers.provider.getBlockNumber();
    const right = [party.address, 1, ZeroHash, word("root 1"), 7, BUDGETS, block] as const;
    expect(await anchor.verify(...right)).to.equal(true);
    const wrong = [other.address, 2, word("x"), word("root 2"), 8, concat([BUDGETS, "0x00"]), block - 1];
    for (const [i, value] of wrong.entries()) {
      const changed = [...right] as unknown as Parameters<typeof anchor.verify>;
      changed[i] = value as never;
      expect(await anchor.verify(...changed), `field ${i}`).to.equal(false);
    }
  });

  it("keeps the logs of different parties apart", async () => {
    const { anchor, party, other, link } = await load();
    await expect(anchor.connect(other).anchor(2, link, word("root"), 1, "0x"))
      .to.be.revertedWithCustomError(anchor, "PreviousLinkMismatch")
      .withArgs(other.address, 2, ZeroHash, link);
    await anchor.connect(other).anchor(1, ZeroHash, word("root"), 1, "0x");
    expect(await anchor.linkOf(party.address, 1)).to.equal(link);
    expect(await anchor.latestSequence(other.address)).to.equal(1);
  });

  it("refuses to write a sequence a second time", async () => {
    const { anchor, party, link } = await load();
    await expect(anchor.anchor(1, ZeroHash, word("other root"), 1, "0x"))
      .to.be.revertedWithCustomError(anchor, "AlreadyAnchored")
      .withArgs(party.address, 1, link);
  });

  it("refuses a first batch that claims a predecessor", async () => {
    const { anchor, other } = await load();
    await expect(anchor.connect(other).anchor(1, word("made up"), word("root"), 1, "0x"))
      .to.be.revertedWithCustomError(anchor, "PreviousLinkMismatch")
      .withArgs(other.address, 1, ZeroHash, word("made up"));
  });

  it("refuses a later batch that names another predecessor than the one anchored", async () => {
    const { anchor, party, link } = await load();
    await expect(anchor.anchor(2, word("made up"), word("root"), 1, "0x"))
      .to.be.revertedWithCustomError(anchor, "PreviousLinkMismatch")
      .withArgs(party.address, 2, link, word("made up"));
  });

  it("refuses a gap, also when the claimed predecessor is zero like the missing one", async () => {
    const { anchor, party, link } = await load();
    await expect(anchor.anchor(3, link, word("root"), 1, "0x"))
      .to.be.revertedWithCustomError(anchor, "PreviousLinkMismatch")
      .withArgs(party.address, 3, ZeroHash, link);
    await expect(anchor.anchor(3, ZeroHash, word("root"), 1, "0x"))
      .to.be.revertedWithCustomError(anchor, "PreviousLinkMismatch")
      .withArgs(party.address, 3, ZeroHash, ZeroHash);
  });

  it("refuses sequence zero", async () => {
    const { anchor, party } = await load();
    await expect(anchor.anchor(0, ZeroHash, word("root"), 1, "0x"))
      .to.be.revertedWithCustomError(anchor, "SequenceZero")
      .withArgs(party.address);
  });

  it("refuses budgets that are not whole lines, or more lines than its bound", async () => {
    const { anchor, link } = await load();
    const max = await anchor.MAX_BUDGETS_BYTES();
    for (const length of [47, 49, Number(max) + 48]) {
      await expect(anchor.anchor(2, link, word("root"), 1, `0x${"00".repeat(length)}`))
        .to.be.revertedWithCustomError(anchor, "InvalidBudgetsLength")
        .withArgs(length, max);
    }
  });

  it("finds the newest sequence of a log of any length", async () => {
    const { anchor, party, other } = await load();
    expect(await anchor.latestSequence(other.address)).to.equal(0);
    for (let sequence = 2; sequence <= 19; ++sequence) {
      const previous = await anchor.linkOf(party.address, sequence - 1);
      await anchor.anchor(sequence, previous, word("root"), 1, "0x");
      expect(await anchor.latestSequence(party.address)).to.equal(sequence);
    }
  });

  it("anchors a batch with the budgets of three datasets for at most 60,000 gas", async () => {
    const { anchor, link } = await load();
    const root = keccak256("0x01");
    const budgets = concat([1, 2, 3].map((n) => concat([keccak256(toBeHex(n)), `0x${"ff".repeat(16)}`])));
    const receipt = await (await anchor.anchor(2, link, root, 2n ** 64n - 1n, budgets)).wait();
    expect(receipt!.gasUsed).to.be.at.most(60_000n);
  });
});
