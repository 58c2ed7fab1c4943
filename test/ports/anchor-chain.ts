// What every AnchorChain with its AnchorWriter promises, whatever chain is behind them.
import { expect } from "chai";
import { TrustedDataError } from "../../node/errors.ts";
import { encodeBudgetLines } from "../../node/ledger/budget-line.ts";
import type { AnchorChain, AnchorWriter, BatchTerms } from "../../node/ledger/ports.ts";
import { type Hex, sha256Hex, zeroHash } from "../../node/primitives/hex.ts";

export interface AnchorChainSubject {
  chain: AnchorChain;
  /** A party that never anchored. */
  newParty(): Promise<{ party: Hex; writer: AnchorWriter }>;
  /** Makes the chain longer. */
  mine(blocks: number): Promise<void>;
}

export function terms(sequence: number, previousLink: Hex, text = `batch ${sequence}`): BatchTerms {
  const budgets = encodeBudgetLines([{ dataset: sha256Hex("wages"), spent: BigInt(sequence), reserved: 7n }]);
  return { sequence, previousLink, root: sha256Hex(text), entryCount: sequence, budgets };
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    if (!(error instanceof TrustedDataError)) throw error;
    return error.code;
  }
}

export function describeAnchorChain(name: string, open: () => AnchorChainSubject): void {
  describe(`${name} as an anchor chain`, () => {
    it("has nothing of a party that never anchored", async () => {
      const { chain, newParty } = open();
      const { party } = await newParty();
      expect(await chain.latestAnchor(party)).to.equal(undefined);
      expect(await chain.anchorOf(party, 1)).to.equal(undefined);
    });

    it("keeps batches in order, each building on the link before", async () => {
      const { chain, newParty } = open();
      const { party, writer } = await newParty();
      const first = await writer.anchor(terms(1, zeroHash));
      const second = await writer.anchor(terms(2, first.link));
      expect(first).to.include({ ...terms(1, zeroHash), party });
      expect(second.blockNumber).to.be.greaterThan(first.blockNumber);
      expect(await chain.latestAnchor(party)).to.deep.equal(second);
      expect(await chain.anchorOf(party, 1)).to.deep.equal(first);
    });

    it("anchors a batch once, however often it is sent", async () => {
      const { chain, newParty } = open();
      const { party, writer } = await newParty();
      const first = await writer.anchor(terms(1, zeroHash));
      expect(await writer.anchor(terms(1, zeroHash))).to.deep.equal(first);
      const [again, atOnce] = await Promise.all([
        writer.anchor(terms(2, first.link)),
        writer.anchor(terms(2, first.link)),
      ]);
      expect(again).to.deep.equal(atOnce);
      expect((await chain.latestAnchor(party))?.sequence).to.equal(2);
    });

    it("refuses another batch at the same sequence, and one that builds on another link", async () => {
      const { newParty } = open();
      const { writer } = await newParty();
      const first = await writer.anchor(terms(1, zeroHash));
      expect(await codeOf(writer.anchor(terms(1, zeroHash, "another")))).to.equal("anchor_conflict");
      expect(await codeOf(writer.anchor(terms(2, sha256Hex("another link"))))).to.equal("anchor_conflict");
      expect((await writer.anchor(terms(2, first.link))).sequence).to.equal(2);
    });

    it("verifies the batch that stands, and nothing that differs in one field", async () => {
      const { chain, newParty } = open();
      const { writer, party } = await newParty();
      const batch = await writer.anchor(terms(1, zeroHash));
      expect(await chain.verifyAnchor(batch)).to.equal(true);
      const forgeries = [
        { root: sha256Hex("another") },
        { entryCount: 2 },
        { budgets: "0x" },
        { blockNumber: batch.blockNumber + 1 },
        { previousLink: batch.link },
        { sequence: 2 },
        { party: `${party.slice(0, -1)}${party.endsWith("0") ? "1" : "0"}` },
      ];
      for (const forgery of forgeries) {
        expect(await chain.verifyAnchor({ ...batch, ...forgery }), JSON.stringify(forgery)).to.equal(false);
      }
    });

    it("knows past blocks, and none of the future", async () => {
      const { chain, mine } = open();
      await mine(1);
      const head = await chain.head();
      expect(await chain.blockAt(head.number)).to.deep.equal(head);
      const before = await chain.blockAt(head.number - 1);
      expect(before?.timestampS).to.be.at.most(head.timestampS);
      expect(await chain.blockAt(head.number + 1_000)).to.equal(undefined);
    });
  });
}
