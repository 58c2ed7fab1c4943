/** Random operations, right and wrong, with restarts in between: SQLite says and keeps what a model of maps does. */
import { expect } from "chai";
import fc from "fast-check";
import { encodeBudgetLines } from "../../../../node/ledger/budget-line.ts";
import { zeroHash } from "../../../../node/primitives/hex.ts";
import {
  account,
  alice,
  bob,
  hash,
  health,
  outcome,
  question,
  research,
  wages,
} from "../../../ports/stores.ts";
import { Model } from "./model.ts";
import { SqliteStores } from "./open-stores.ts";
import { expectWhole } from "./whole.ts";

const limits = { totalMicroRho: 150n, perQuerierMicroRho: 70n };
const name = fc.integer({ min: 0, max: 7 }).map((number) => `q${number}`);
const dataset = fc.constantFrom(wages, health);
const lines = (microRhoMax: bigint) =>
  fc
    .tuple(fc.bigInt(0n, microRhoMax), fc.bigInt(0n, microRhoMax), fc.boolean())
    .map(([spent, reserved, both]) =>
      (both ? [wages, health] : [wages]).map((of) => ({ dataset: of, spent, reserved })),
    );

const ask = fc.record({
  kind: fc.constant("ask" as const),
  name,
  dataset,
  querier: fc.constantFrom(alice, bob),
});
const charge = fc.record({
  kind: fc.constant("charge" as const),
  name,
  microRho: fc.bigInt({ min: 1n, max: 40n }),
});
const reply = fc.record({
  kind: fc.constant("reply" as const),
  name,
  state: fc.constantFrom("answered" as const, "refused" as const),
});
const refuse = fc.record({ kind: fc.constant("refuse" as const), name });
const sign = fc.record({
  kind: fc.constant("sign" as const),
  name,
  signature: fc.constantFrom(`0x${"61".repeat(65)}`, `0x${"62".repeat(65)}`),
});
const close = fc.record({ kind: fc.constant("close" as const), count: fc.nat(6), lines: lines(100n) });
const anchor = fc.record({ kind: fc.constant("anchor" as const) });
const adopt = fc.record({ kind: fc.constant("adopt" as const), lines: lines(25n) });
const restart = fc.record({ kind: fc.constant("restart" as const) });

/** Adopting is rare and small, as it uses up what is reserved. */
const operation = fc.oneof(
  { arbitrary: ask, weight: 8 },
  { arbitrary: charge, weight: 12 },
  { arbitrary: reply, weight: 4 },
  { arbitrary: refuse, weight: 1 },
  { arbitrary: sign, weight: 4 },
  { arbitrary: close, weight: 3 },
  { arbitrary: anchor, weight: 4 },
  { arbitrary: adopt, weight: 1 },
  { arbitrary: restart, weight: 1 },
);

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

describe("random operations on the stores in SQLite", () => {
  it("give what the model gives, and leave what the model leaves", function () {
    this.timeout(120_000);
    let charged = 0;
    let anchored = 0;
    fc.assert(
      fc.property(fc.array(operation, { minLength: 20, maxLength: 100, size: "max" }), (operations) => {
        const stores = new SqliteStores();
        const model = new Model();
        try {
          for (const next of operations)
            expect(tried(() => run(stores, next))).to.equal(expected(model, next));
          expectSame(stores, model);
          stores.reopen();
          expectSame(stores, model);
          charged += [...model.questions.values()].filter((asked) => asked.charged > 0n).length;
          anchored += model.batches.filter((batch) => batch.anchored).length;
        } finally {
          stores.dispose();
        }
      }),
      { numRuns: 60 },
    );
    expect(charged, "the operations charge").to.be.greaterThan(20);
    expect(anchored, "the operations anchor").to.be.greaterThan(50);
  });
});

/** What an operation says: a refusal, an error's code, "bug" where an assertion stops it. */
function tried(work: () => string | undefined): string {
  try {
    return work() ?? "done";
  } catch (error) {
    if (error instanceof Error && "code" in error) return String(error.code);
    if (error instanceof Error && error.message.startsWith("broken expectation")) return "bug";
    throw error;
  }
}

function run(stores: SqliteStores, next: Operation): string | undefined {
  const { questions, audit } = stores;
  const latest = audit.latestBatch();
  const previousLink = latest?.anchored?.link ?? zeroHash;
  switch (next.kind) {
    case "ask":
      questions.saveAuthorised(question(next.name, next));
      return;
    case "charge":
      return questions.charge(hash(next.name), next.microRho, limits);
    case "reply":
      questions.saveReply(hash(next.name), next.state, "reply", outcome(`log ${next.name}`));
      return;
    case "refuse":
      questions.saveRefused(hash(next.name), question(next.name).signed, "no", outcome(`log ${next.name}`));
      return;
    case "sign":
      audit.countersign(hash(`log ${next.name}`), next.signature);
      return;
    case "close": {
      const open = audit.openEntries().slice(0, next.count);
      const terms = { sequence: (latest?.sequence ?? 0) + 1, previousLink, root: hash("root") };
      audit.closeBatch(
        { ...terms, entryCount: open.length, budgets: encodeBudgetLines(next.lines) },
        open.map(({ position }) => position),
      );
      return;
    }
    case "anchor":
      if (latest === undefined) return;
      audit.markAnchored(latest.sequence, { blockNumber: 1, link: hash(`link ${latest.sequence}`) });
      return;
    case "adopt": {
      const anchored = latest?.anchored === undefined ? (latest?.sequence ?? 0) - 1 : latest.sequence;
      const sequence = Math.max(anchored, 0) + 1;
      audit.adoptBatch(
        {
          ...{ sequence, previousLink: sequence === 1 ? zeroHash : hash(`link ${sequence - 1}`) },
          ...{ root: hash("another root"), entryCount: 5, budgets: encodeBudgetLines(next.lines) },
          ...{ party: account(999), blockNumber: 2, link: hash(`link ${sequence}`) },
        },
        next.lines,
      );
      return;
    }
    case "restart":
      stores.reopen();
      return;
  }
}

/** The same on the model; returns what `tried` should. */
function expected(model: Model, next: Operation): string {
  switch (next.kind) {
    case "ask":
      if (model.isTaken(next.name)) return "question_conflict";
      model.questions.set(next.name, { ...next, state: "authorised", charged: 0n });
      return "done";
    case "charge":
      return expectedCharge(model, next.name, next.microRho);
    case "reply": {
      const asked = model.questions.get(next.name);
      if (asked === undefined || asked.state === "answered" || asked.state === "refused") return "bug";
      asked.state = next.state;
      model.entries.set(`log ${next.name}`, { signature: null, batch: undefined });
      return "done";
    }
    case "refuse":
      if (model.isTaken(next.name)) return "question_conflict";
      model.refusals.add(next.name);
      model.entries.set(`log ${next.name}`, { signature: null, batch: undefined });
      return "done";
    case "sign": {
      const entry = model.entries.get(`log ${next.name}`);
      if (entry === undefined) return "entry_unknown";
      if (entry.batch !== undefined && entry.signature !== next.signature) return "entry_closed";
      entry.signature = next.signature;
      return "done";
    }
    case "close":
      if (model.batches.at(-1)?.anchored === false) return "bug";
      model.batches.push({ lines: next.lines, anchored: false });
      for (const entry of model.open().slice(0, next.count))
        model.entries.get(entry)!.batch = model.batches.length;
      return "done";
    case "anchor": {
      const latest = model.batches.at(-1);
      if (latest !== undefined) latest.anchored = true;
      return "done";
    }
    case "adopt":
      model.adopt(next.lines);
      return "done";
    case "restart":
      return "done";
  }
}

function expectedCharge(model: Model, asked: string, microRho: bigint): string {
  const kept = model.questions.get(asked);
  if (kept === undefined) return "bug";
  if (kept.state === "charged") return kept.charged === microRho ? "done" : "bug";
  if (kept.state !== "authorised") return "bug";
  const total = model.spent(kept.dataset) + microRho;
  if (total > limits.totalMicroRho) return "budget_exhausted";
  if (model.spentBy(kept.dataset, kept.querier) + microRho > limits.perQuerierMicroRho)
    return "querier_budget_exhausted";
  if (total > model.ceiling(kept.dataset)) return "budget_not_reserved";
  kept.state = "charged";
  kept.charged = microRho;
  return "done";
}

function expectSame({ questions, audit, database }: SqliteStores, model: Model): void {
  expectWhole(database);
  for (let number = 0; number < 8; number++) {
    const id = hash(`q${number}`);
    expect(questions.question(id)?.state).to.equal(model.questions.get(`q${number}`)?.state);
    expect(questions.refusal(id) !== undefined).to.equal(model.refusals.has(`q${number}`));
    const entry = audit.entryOf(hash(`log q${number}`));
    expect(entry?.entry.querierSignature).to.equal(model.entries.get(`log q${number}`)?.signature);
    expect(entry?.batch?.sequence).to.equal(model.entries.get(`log q${number}`)?.batch);
  }
  for (const each of [wages, health]) {
    expect(questions.spent(each)).to.equal(model.spent(each));
    expect(questions.anchoredCeiling(each)).to.equal(model.ceiling(each));
    for (const querier of [alice, bob])
      expect(questions.spentBy(each, querier, research)).to.equal(model.spentBy(each, querier));
  }
  expect(audit.openEntries().map(({ entry }) => entry.transcript)).to.deep.equal(model.open().map(hash));
  expect(audit.batches(0, 100).map((batch) => batch.anchored !== undefined)).to.deep.equal(
    model.batches.map((batch) => batch.anchored).toReversed(),
  );
}
