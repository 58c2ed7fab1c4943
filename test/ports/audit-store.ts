/** What every AuditStore does, whatever it is made of. Entries come in with the replies of the QuestionStore beside it. */
import { expect } from "chai";
import { type BudgetLine, encodeBudgetLines } from "../../node/ledger/budget-line.ts";
import type { AnchoredBatch, AuditStore, BatchTerms } from "../../node/ledger/ports.ts";
import { type Hex, zeroHash } from "../../node/primitives/hex.ts";
import {
  account,
  alice,
  anchor,
  close,
  expectCode,
  hash,
  health,
  outcome,
  question,
  research,
  type StoresUnderTest,
  startMs,
  wages,
} from "./stores.ts";

const signature = `0x${"61".repeat(64)}1b`;
const otherSignature = `0x${"62".repeat(64)}1c`;
const limits = { totalMicroRho: 10_000n, perQuerierMicroRho: 10_000n };

export function testAuditStore(create: () => StoresUnderTest): void {
  let stores: StoresUnderTest;
  let store: AuditStore;

  beforeEach(() => {
    stores = create();
    store = stores.audit;
  });
  afterEach(() => stores.dispose());

  function reopen(): void {
    stores.reopen();
    store = stores.audit;
  }

  /** Logs a refusal; returns the entry's position. */
  function log(name: string): number {
    stores.questions.saveRefused(hash(`question ${name}`), question(name).signed, "no", outcome(name));
    return store.entryOf(hash(name))!.position;
  }

  function terms(entryCount: number, changes: Partial<BatchTerms> = {}): BatchTerms {
    const latest = store.latestBatch();
    return {
      sequence: (latest?.sequence ?? 0) + 1,
      previousLink: latest?.anchored?.link ?? zeroHash,
      root: hash("root"),
      entryCount,
      budgets: "0x",
      ...changes,
    };
  }

  describe("an entry", () => {
    it("is open, without the querier's signature, and oldest first", () => {
      const positions = ["a", "b", "c"].map(log);
      reopen();
      const open = store.openEntries();
      expect(open.map(({ position }) => position)).to.deep.equal(positions);
      expect(positions).to.deep.equal(positions.toSorted((a, b) => a - b));
      expect(open[0]).to.deep.equal({
        position: positions[0],
        entry: {
          transcript: hash("a"),
          repositorySignature: outcome("a").repositorySignature,
          querierSignature: null,
        },
        createdMs: startMs,
        promisedBlock: 100,
        batch: undefined,
      });
    });

    it("is found by its transcript, and no other is", () => {
      log("a");
      expect(store.entryOf(hash("a"))?.entry.transcript).to.equal(hash("a"));
      expect(store.entryOf(hash("b"))).to.equal(undefined);
    });

    it("stands for one transcript only", () => {
      log("a");
      const again = () =>
        stores.questions.saveRefused(hash("other"), question("other").signed, "no", outcome("a"));
      expect(again).to.throw("constraints");
      expect(stores.questions.refusal(hash("other"))).to.equal(undefined);
      expect(store.openEntries()).to.have.length(1);
    });
  });

  describe("the querier's signature", () => {
    it("is kept, and the same one again is no error", () => {
      log("a");
      store.countersign(hash("a"), signature);
      store.countersign(hash("a"), signature);
      reopen();
      expect(store.entryOf(hash("a"))?.entry.querierSignature).to.equal(signature);
    });

    it("gives way to another while the entry is open", () => {
      log("a");
      store.countersign(hash("a"), signature);
      store.countersign(hash("a"), otherSignature);
      expect(store.entryOf(hash("a"))?.entry.querierSignature).to.equal(otherSignature);
    });

    it("is refused for an entry that is unknown", () => {
      expectCode(() => store.countersign(hash("nothing"), signature), "entry_unknown");
    });

    it("is refused once the batch is closed, unless it is the one that stands there", () => {
      const positions = [log("signed"), log("unsigned")];
      store.countersign(hash("signed"), signature);
      store.closeBatch(terms(2), positions);
      store.countersign(hash("signed"), signature);
      expectCode(() => store.countersign(hash("signed"), otherSignature), "entry_closed");
      expectCode(() => store.countersign(hash("unsigned"), signature), "entry_closed");
      expect(store.entriesOfBatch(1).map((entry) => entry.querierSignature)).to.deep.equal([signature, null]);
    });
  });

  describe("a batch", () => {
    it("holds the entries it was closed over in the order given, and leaves the others open", () => {
      const [a, b, c] = ["a", "b", "c"].map(log);
      const closed = terms(2);
      store.closeBatch(closed, [c!, a!]);
      reopen();
      expect(store.entriesOfBatch(1).map(({ transcript }) => transcript)).to.deep.equal([
        hash("c"),
        hash("a"),
      ]);
      expect(store.entryOf(hash("a"))?.batch).to.deep.equal({ sequence: 1, index: 1 });
      expect(store.openEntries().map(({ position }) => position)).to.deep.equal([b]);
      expect(store.batch(1)).to.deep.equal({ ...closed, anchored: undefined });
      expect(store.batch(2)).to.equal(undefined);
      expect(store.entriesOfBatch(2)).to.deep.equal([]);
    });

    it("is read by pages, and what is open is counted", () => {
      const positions = ["a", "b", "c", "d", "e"].map(log);
      expect(store.openEntryCount()).to.equal(5);
      expect([store.openEntryCount(startMs - 1), store.openEntryCount(startMs)]).to.deep.equal([0, 5]);
      store.closeBatch(terms(4), positions.slice(0, 4));
      expect(store.openEntryCount()).to.equal(1);
      const page = (offset: number, limit?: number) =>
        store.entriesOfBatch(1, offset, limit).map(({ transcript }) => transcript);
      const all = ["a", "b", "c", "d"].map(hash);
      expect(page(0)).to.deep.equal(all);
      expect(page(1)).to.deep.equal(all.slice(1));
      expect(page(1, 2)).to.deep.equal(all.slice(1, 3));
      expect(page(3, 5)).to.deep.equal(all.slice(3));
      expect([...page(4), ...page(0, 0), ...page(999_999_999, 5_000)]).to.deep.equal([]);
    });

    it("may be empty", () => {
      store.closeBatch(terms(0), []);
      expect(store.entriesOfBatch(1)).to.deep.equal([]);
    });

    it("takes no entry twice, none that is closed or unknown, and then changes nothing", () => {
      const [a, b] = ["a", "b"].map(log);
      for (const wrong of [
        [a!, a!],
        [a!, 99],
      ]) {
        expect(() => store.closeBatch(terms(2), wrong)).to.throw("over open entries");
      }
      expect(store.latestBatch()).to.equal(undefined);
      store.closeBatch(terms(1), [a!]);
      store.markAnchored(1, { blockNumber: 5, link: hash("link") });
      expect(() => store.closeBatch(terms(2), [b!, a!])).to.throw("over open entries");
      expect(store.openEntries().map(({ position }) => position)).to.deep.equal([b]);
      expect(store.latestBatch()?.sequence).to.equal(1);
    });

    it("counts its entries and carries whole budget lines", () => {
      const a = log("a");
      expect(() => store.closeBatch(terms(2), [a])).to.throw("counts its entries");
      expect(() => store.closeBatch(terms(1, { budgets: "0x00" }), [a])).to.throw("whole budget lines");
    });

    it("follows the one before by sequence and link, once that is anchored", () => {
      expect(() => store.closeBatch(terms(0, { sequence: 2 }), [])).to.throw("follow each other");
      expect(() => store.closeBatch(terms(0, { previousLink: hash("x") }), [])).to.throw("link before");
      close(store, []);
      expect(() => store.closeBatch(terms(0), [])).to.throw("before is anchored");
      store.markAnchored(1, { blockNumber: 5, link: hash("link") });
      expect(() => store.closeBatch(terms(0, { previousLink: zeroHash }), [])).to.throw("link before");
      store.closeBatch(terms(0, { previousLink: hash("link") }), []);
      expect(store.latestBatch()?.sequence).to.equal(2);
    });

    it("is marked with the block that it was mined in, and anew after a reorganisation", () => {
      close(store, []);
      store.markAnchored(1, { blockNumber: 5, link: hash("five") });
      reopen();
      store.markAnchored(1, { blockNumber: 6, link: hash("six") });
      expect(store.batch(1)?.anchored).to.deep.equal({ blockNumber: 6, link: hash("six") });
      close(store, []);
      expect(() => store.markAnchored(1, { blockNumber: 7, link: hash("seven") })).to.throw("newest batch");
      expect(() => store.markAnchored(3, { blockNumber: 7, link: hash("seven") })).to.throw("newest batch");
    });

    it("is listed newest first, by pages", () => {
      for (let i = 0; i < 5; i++) anchor(store, []);
      const sequences = (offset: number, limit: number) =>
        store.batches(offset, limit).map(({ sequence }) => sequence);
      expect(sequences(0, 2)).to.deep.equal([5, 4]);
      expect(sequences(3, 10)).to.deep.equal([2, 1]);
      expect(sequences(5, 10)).to.deep.equal([]);
    });
  });

  describe("a restored backup", () => {
    const lines: BudgetLine[] = [
      { dataset: wages, spent: 40n, reserved: 60n },
      { dataset: health, spent: 0n, reserved: 5n },
    ];

    function onChain(changes: Partial<AnchoredBatch> = {}): AnchoredBatch {
      return {
        ...terms(3, { root: hash("lost root"), budgets: encodeBudgetLines(lines) }),
        party: account(999),
        blockNumber: 50,
        link: hash("chain link"),
        ...changes,
      };
    }

    function charge(name: string, microRho: bigint): string | undefined {
      const asked = question(name);
      stores.questions.saveAuthorised(asked);
      return stores.questions.charge(asked.id, microRho, limits);
    }

    it("adopts a batch it does not know, without entries, and counts what it reserved as spent", () => {
      anchor(store, [{ dataset: wages, spent: 0n, reserved: 40n }]);
      charge("before the backup", 30n);
      store.adoptBatch(onChain(), lines);
      reopen();
      expect(store.latestBatch()?.anchored).to.deep.equal({ blockNumber: 50, link: hash("chain link") });
      expect(store.latestBatch()?.entryCount).to.equal(3);
      expect(store.entriesOfBatch(2)).to.deep.equal([]);
      expect(stores.questions.spent(wages)).to.equal(100n);
      expect(stores.questions.spent(health)).to.equal(5n);
      expect(charge("after", 1n)).to.equal("budget_not_reserved");
      anchor(store, [{ dataset: wages, spent: 100n, reserved: 1n }]);
      expect(charge("after the next batch", 1n)).to.equal(undefined);
    });

    it("never lowers what was spent, and counts all that was allowed here", () => {
      anchor(store, [{ dataset: wages, spent: 0n, reserved: 500n }]);
      charge("q", 400n);
      store.adoptBatch(onChain(), lines);
      expect(stores.questions.spent(wages)).to.equal(500n);
    });

    it("counts once more what was charged and not answered", () => {
      anchor(store, [{ dataset: wages, spent: 0n, reserved: 500n }]);
      charge("q", 120n);
      store.coverUnanswered(startMs);
      expect(stores.questions.spent(wages)).to.equal(240n);
      store.coverUnanswered(startMs + 10 ** 9);
      expect(stores.questions.spent(wages)).to.equal(240n);
      expect(stores.questions.spentBy(wages, alice, research)).to.equal(120n);
      reopen();
      expect(stores.questions.spent(wages)).to.equal(240n);
    });

    it("lets nothing be charged once the ceilings are dropped, until the next batch", () => {
      anchor(store, [{ dataset: wages, spent: 0n, reserved: 500n }]);
      store.dropCeilings();
      expect(charge("q", 1n)).to.equal("budget_not_reserved");
      reopen();
      expect(charge("r", 1n)).to.equal("budget_not_reserved");
      anchor(store, [{ dataset: wages, spent: 0n, reserved: 500n }]);
      expect(charge("s", 1n)).to.equal(undefined);
    });

    it("keeps the open entries it has, for the next batch", () => {
      const a = log("a");
      store.adoptBatch(onChain(), lines);
      expect(store.openEntries().map(({ position }) => position)).to.deep.equal([a]);
    });

    it("gives up a batch of its own that lost its place on the chain; its entries are open again", () => {
      const positions = [log("a"), log("b")];
      const previousLink = zeroHash;
      store.closeBatch(terms(2), positions);
      store.adoptBatch(onChain({ sequence: 1, previousLink }), lines);
      expect(store.batch(1)?.root).to.equal(hash("lost root"));
      expect(store.openEntries().map(({ position }) => position)).to.deep.equal(positions);
      store.closeBatch(terms(2), positions);
      expect(store.entriesOfBatch(2)).to.have.length(2);
    });

    it("may count the newest batch's reservation as spent though it knows the batch, again and again", () => {
      store.closeBatch(terms(1, { budgets: encodeBudgetLines(lines) }), [log("a")]);
      const mine = { ...store.latestBatch()!, party: account(999), blockNumber: 50, link: hash("mine") };
      for (let i = 0; i < 2; i++) store.adoptBatch(mine, lines);
      expect(store.batch(1)?.anchored?.blockNumber).to.equal(50);
      expect(store.entriesOfBatch(1)).to.have.length(1);
      expect(stores.questions.spent(wages)).to.equal(100n);
      expect(() => store.adoptBatch({ ...mine, link: hash("other") }, lines)).to.throw("one place");
    });

    it("adopts batches in the order of the chain only", () => {
      expect(() => store.adoptBatch(onChain({ sequence: 2 }), lines)).to.throw("follow each other");
      expect(() => store.adoptBatch(onChain({ previousLink: hash("x") }), lines)).to.throw("link before");
      expect(stores.questions.spent(wages)).to.equal(0n);
      expect(store.latestBatch()).to.equal(undefined);
    });

    it("takes absurd amounts from a chain as everything spent", () => {
      const absurd = [{ dataset: wages, spent: 2n ** 64n - 1n, reserved: 2n ** 64n - 1n }];
      store.adoptBatch(onChain(), absurd);
      expect(stores.questions.spent(wages)).to.equal(2n ** 62n);
      expect(charge("q", 1n)).to.equal("budget_exhausted");
    });
  });

  it("gives no entry of another batch", () => {
    const names: string[] = [];
    for (let i = 0; i < 3; i++) {
      const [left, right] = [`left ${i}`, `right ${i}`];
      names.push(left, right);
      store.closeBatch(terms(2), [log(left), log(right)]);
      store.markAnchored(i + 1, { blockNumber: i, link: hash(`link ${i}`) });
    }
    const logged: Hex[] = [1, 2, 3].flatMap((sequence) =>
      store.entriesOfBatch(sequence).map(({ transcript }) => transcript),
    );
    expect(logged).to.deep.equal(names.map(hash));
  });
}
