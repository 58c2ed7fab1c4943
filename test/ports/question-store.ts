/** What every QuestionStore does, whatever it is made of. */
import { expect } from "chai";
import type { BudgetLimits, QuestionStore } from "../../node/data-sharing/ports.ts";
import type { Hex } from "../../node/primitives/hex.ts";
import {
  account,
  alice,
  anchor,
  bob,
  close,
  expectCode,
  hash,
  health,
  outcome,
  question,
  research,
  type StoresUnderTest,
  service,
  startMs,
  wages,
} from "./stores.ts";

const limits: BudgetLimits = { totalMicroRho: 1_000n, perQuerierMicroRho: 600n };

export function testQuestionStore(create: () => StoresUnderTest): void {
  let stores: StoresUnderTest;
  let store: QuestionStore;

  beforeEach(() => {
    stores = create();
    store = stores.questions;
  });
  afterEach(() => stores.dispose());

  function reopen(): void {
    stores.reopen();
    store = stores.questions;
  }

  function ask(name: string, changes: Parameters<typeof question>[1] = {}): Hex {
    const asked = question(name, changes);
    store.saveAuthorised(asked);
    return asked.id;
  }

  describe("a question", () => {
    it("comes back as it was saved, after a restart too", () => {
      const saved = question("q");
      store.saveAuthorised(saved);
      expect(store.question(saved.id)).to.deep.equal(saved);
      reopen();
      expect(store.question(saved.id)).to.deep.equal(saved);
    });

    it("is unknown until it is saved", () => {
      expect(store.question(hash("q"))).to.equal(undefined);
      expect(store.refusal(hash("q"))).to.equal(undefined);
    });

    it("moves from authorised over charged to answered, each step kept", () => {
      anchor(stores.audit, [{ dataset: wages, spent: 0n, reserved: 1_000n }]);
      const id = ask("q");
      expect(store.charge(id, 10n, limits)).to.equal(undefined);
      reopen();
      expect(store.question(id)).to.deep.equal({ ...question("q"), state: "charged" });
      store.saveReply(id, "answered", '{"answer":"é \u0000"}', outcome("o"));
      reopen();
      const answered = { ...question("q"), state: "answered", reply: '{"answer":"é \u0000"}' };
      expect(store.question(id)).to.deep.equal(answered);
    });

    it("may be answered from a stored release at no charge", () => {
      const id = ask("q");
      store.saveReply(id, "answered", "again", outcome("o"));
      expect(store.question(id)?.state).to.equal("answered");
      expect(store.spent(wages)).to.equal(0n);
    });

    it("may end as refused, its charge kept", () => {
      anchor(stores.audit, [{ dataset: wages, spent: 0n, reserved: 1_000n }]);
      const id = ask("q");
      store.charge(id, 10n, limits);
      store.saveReply(id, "refused", "limit", outcome("o"));
      expect(store.question(id)?.state).to.equal("refused");
      expect(store.spent(wages)).to.equal(10n);
    });

    it("ends once, and what was tried the second time leaves no trace", () => {
      const id = ask("q");
      store.saveReply(id, "answered", "first", outcome("one"));
      expect(() => store.saveReply(id, "refused", "second", outcome("two"))).to.throw("a question ends once");
      expect(store.question(id)?.reply).to.equal("first");
      expect(stores.audit.entryOf(hash("two"))).to.equal(undefined);
    });

    it("takes an id for ever, whether it was authorised or refused", () => {
      const id = ask("q");
      store.saveRefused(hash("r"), question("r").signed, "no", outcome("o"));
      for (const taken of ["q", "r"]) {
        expectCode(() => store.saveAuthorised(question(taken)), "question_conflict");
        const save = () => store.saveRefused(hash(taken), question(taken).signed, "other", outcome("p"));
        expectCode(save, "question_conflict");
      }
      expect(store.question(id)).to.deep.equal(question("q"));
      expect(store.refusal(hash("r"))?.reply).to.equal("no");
      expect(stores.audit.entryOf(hash("p"))).to.equal(undefined);
    });

    it("cannot be charged or answered before it was authorised", () => {
      expect(() => store.charge(hash("q"), 1n, limits)).to.throw("was authorised");
      expect(() => store.saveReply(hash("q"), "answered", "x", outcome("o"))).to.throw("was authorised");
      expect(stores.audit.openEntries()).to.deep.equal([]);
    });

    it("refuses a reply that would not come back byte for byte", () => {
      const id = ask("q");
      expect(() => store.saveReply(id, "answered", "\ud800", outcome("o"))).to.throw("well-formed");
      expect(store.question(id)?.state).to.equal("authorised");
    });
  });

  describe("a refusal before authorisation", () => {
    it("is kept with its request, its reply and its log entry", () => {
      const { signed } = question("q");
      store.saveRefused(hash("q"), signed, "purpose_not_permitted", outcome("o"));
      reopen();
      expect(store.refusal(hash("q"))).to.deep.equal({ signed, reply: "purpose_not_permitted" });
      expect(store.question(hash("q"))).to.equal(undefined);
      expect(stores.audit.entryOf(hash("o"))?.entry.transcript).to.equal(hash("o"));
    });
  });

  describe("a charge", () => {
    beforeEach(() => {
      anchor(stores.audit, [
        { dataset: wages, spent: 0n, reserved: 5_000n },
        { dataset: health, spent: 0n, reserved: 100n },
      ]);
    });

    it("is taken once, however often it is asked for", () => {
      const id = ask("q");
      for (let i = 0; i < 3; i++) expect(store.charge(id, 10n, limits)).to.equal(undefined);
      reopen();
      expect(store.charge(id, 10n, limits)).to.equal(undefined);
      expect(store.spent(wages)).to.equal(10n);
      expect(store.spentBy(wages, alice, research)).to.equal(10n);
    });

    it("is the same when it is asked for again", () => {
      const id = ask("q");
      store.charge(id, 10n, limits);
      expect(() => store.charge(id, 11n, limits)).to.throw("costs the same");
    });

    it("is not taken from a question that has ended", () => {
      const id = ask("q");
      store.saveReply(id, "answered", "x", outcome("o"));
      expect(() => store.charge(id, 10n, limits)).to.throw("before it ends");
      expect(store.spent(wages)).to.equal(0n);
    });

    it("is positive and bounded", () => {
      const id = ask("q");
      expect(() => store.charge(id, 0n, limits)).to.throw("positive");
      expect(() => store.charge(id, -1n, limits)).to.throw("positive");
      expect(() => store.charge(id, 2n ** 63n, limits)).to.throw("bounded");
      expect(store.question(id)?.state).to.equal("authorised");
    });

    it("may use up the querier's budget to the last micro-rho and not one more", () => {
      expect(store.charge(ask("a"), 601n, limits)).to.equal("querier_budget_exhausted");
      expect(store.charge(ask("b"), 600n, limits)).to.equal(undefined);
      expect(store.charge(ask("c"), 1n, limits)).to.equal("querier_budget_exhausted");
      expect(store.spentBy(wages, alice, research)).to.equal(600n);
    });

    it("counts each querier and purpose by itself, and all of them in the total", () => {
      expect(store.charge(ask("a"), 600n, limits)).to.equal(undefined);
      expect(store.charge(ask("b", { querier: bob }), 300n, limits)).to.equal(undefined);
      expect(store.charge(ask("c", { purpose: service }), 100n, limits)).to.equal(undefined);
      expect(store.charge(ask("d", { querier: bob }), 1n, limits)).to.equal("budget_exhausted");
      expect(store.charge(ask("e", { dataset: health }), 1n, limits)).to.equal(undefined);
      expect(store.spent(wages)).to.equal(1_000n);
      expect(store.spentBy(wages, alice, research)).to.equal(600n);
      expect(store.spentBy(wages, bob, research)).to.equal(300n);
      expect(store.spentBy(wages, alice, service)).to.equal(100n);
      expect(store.spentBy(wages, bob, service)).to.equal(0n);
      expect(store.spent(health)).to.equal(1n);
    });

    it("stays within what is anchored, to the last micro-rho", () => {
      expect(store.charge(ask("a", { dataset: health }), 101n, limits)).to.equal("budget_not_reserved");
      expect(store.charge(ask("b", { dataset: health }), 100n, limits)).to.equal(undefined);
      expect(store.charge(ask("c", { dataset: health }), 1n, limits)).to.equal("budget_not_reserved");
    });

    it("changes nothing when it is refused, and may be tried again later", () => {
      const id = ask("a", { dataset: health });
      expect(store.charge(id, 101n, limits)).to.equal("budget_not_reserved");
      reopen();
      expect(store.question(id)?.state).to.equal("authorised");
      expect(store.spent(health)).to.equal(0n);
      anchor(stores.audit, [{ dataset: health, spent: 0n, reserved: 101n }]);
      expect(store.charge(id, 101n, limits)).to.equal(undefined);
    });

    it("keeps amounts beyond 2^53 exact", () => {
      const large = 2n ** 60n + 1n;
      const wide = { totalMicroRho: 2n ** 62n, perQuerierMicroRho: 2n ** 62n };
      anchor(stores.audit, [{ dataset: wages, spent: 0n, reserved: 2n ** 61n + 2n }]);
      expect(store.charge(ask("a"), large, wide)).to.equal(undefined);
      expect(store.charge(ask("b"), large + 1n, wide)).to.equal("budget_not_reserved");
      expect(store.charge(ask("c"), large, wide)).to.equal(undefined);
      reopen();
      expect(store.spent(wages)).to.equal(2n ** 61n + 2n);
      expect(store.anchoredCeiling(wages)).to.equal(2n ** 61n + 2n);
    });

    it("lets exactly 10 of 200 questions through a budget for 10", () => {
      const ids = Array.from({ length: 200 }, (_, i) => ask(`race ${i}`, { querier: account(i) }));
      const answers = ids.map((id) => store.charge(id, 100n, limits));
      expect(answers.filter((refusal) => refusal === undefined)).to.have.length(10);
      expect(answers.filter((refusal) => refusal === "budget_exhausted")).to.have.length(190);
    });
  });

  describe("the anchored ceiling", () => {
    it("is zero before the first batch, so nothing is answered", () => {
      expect(store.anchoredCeiling(wages)).to.equal(0n);
      expect(store.charge(ask("q"), 1n, limits)).to.equal("budget_not_reserved");
    });

    it("counts a batch from when it is anchored, not from when it is closed", () => {
      const sequence = close(stores.audit, [{ dataset: wages, spent: 3n, reserved: 7n }]);
      expect(store.anchoredCeiling(wages)).to.equal(0n);
      stores.audit.markAnchored(sequence, { blockNumber: 1, link: hash("link 1") });
      expect(store.anchoredCeiling(wages)).to.equal(10n);
      reopen();
      expect(store.anchoredCeiling(wages)).to.equal(10n);
    });

    it("is that of the newest batch, and zero for a dataset it leaves out", () => {
      anchor(stores.audit, [
        { dataset: wages, spent: 0n, reserved: 9n },
        { dataset: health, spent: 0n, reserved: 9n },
      ]);
      anchor(stores.audit, [{ dataset: wages, spent: 1n, reserved: 4n }]);
      expect(store.anchoredCeiling(wages)).to.equal(5n);
      expect(store.anchoredCeiling(health)).to.equal(0n);
    });
  });

  describe("a release", () => {
    it("is kept with the reply that made it", () => {
      store.saveReply(ask("q"), "answered", "reply", outcome("o"), { key: hash("k"), answer: "exact bytes" });
      reopen();
      expect(store.release(hash("k"))).to.equal("exact bytes");
      expect(store.release(hash("other"))).to.equal(undefined);
    });

    it("is made once; a second one fails with its whole reply", () => {
      store.saveReply(ask("q"), "answered", "x", outcome("o"), { key: hash("k"), answer: "first" });
      const id = ask("r");
      const save = () =>
        store.saveReply(id, "answered", "y", outcome("p"), { key: hash("k"), answer: "2nd" });
      expect(save).to.throw("a release is made once");
      expect(store.release(hash("k"))).to.equal("first");
      expect(store.question(id)?.state).to.equal("authorised");
      expect(stores.audit.entryOf(hash("p"))).to.equal(undefined);
    });
  });

  describe("a proof", () => {
    it("is used once, after a restart too", () => {
      expect(store.useProof("p", startMs + 1_000)).to.equal(true);
      expect(store.useProof("p", startMs + 1_000)).to.equal(false);
      reopen();
      expect(store.useProof("p", startMs + 2_000)).to.equal(false);
      expect(store.useProof("other", startMs + 1_000)).to.equal(true);
    });

    it("is refused once it has expired, even when the clock is set back", () => {
      expect(store.useProof("p", startMs + 1_000)).to.equal(true);
      stores.setNowMs(startMs + 1_000);
      expect(store.useProof("p", startMs + 1_000)).to.equal(false);
      expect(store.useProof("q", startMs + 5_000)).to.equal(true);
      stores.setNowMs(startMs);
      reopen();
      expect(store.useProof("p", startMs + 1_000)).to.equal(false);
      expect(store.useProof("q", startMs + 5_000)).to.equal(false);
    });
  });

  describe("a secret", () => {
    it("is made once and kept, one for each name", () => {
      const secret = store.secret("salt", 32);
      expect(secret).to.have.length(32);
      expect(store.secret("salt", 32)).to.deep.equal(secret);
      expect(store.secret("other", 32)).to.not.deep.equal(secret);
      reopen();
      expect(store.secret("salt", 32)).to.deep.equal(secret);
      expect(() => store.secret("salt", 16)).to.throw("keeps its length");
    });
  });
}
