import { expect } from "chai";
import { decodeBudgetLines } from "../../../node/ledger/budget-line.ts";
import { expectCode } from "../../support/errors.ts";
import { RepositoryWorld } from "../../support/repository-world.ts";

/** What is anchored for the world's repository, oldest first. */
async function anchored(world: RepositoryWorld) {
  const party = world.repositorySigner.address;
  const latest = (await world.chain.latestAnchor(party))?.sequence ?? 0;
  const sequences = Array.from({ length: latest }, (_, i) => i + 1);
  return await Promise.all(sequences.map(async (sequence) => (await world.chain.anchorOf(party, sequence))!));
}

describe("anchoring", () => {
  let world: RepositoryWorld;
  beforeEach(async () => {
    world = await RepositoryWorld.ready();
  });
  afterEach(() => world.dispose());

  const ask = async (minimum_age: number) =>
    await world.querier().ask({ ...world.question, parameters: { minimum_age } }, world.offer);

  it("closes a batch at every turn, empty ones too, each linked to the one before", async () => {
    for (let i = 0; i < 3; i++) await world.anchoring.tick();
    const batches = await anchored(world);
    expect(batches.map(({ sequence }) => sequence)).to.deep.equal([1, 2, 3, 4]);
    expect(batches.every(({ entryCount }) => entryCount === 0)).to.equal(true);
    for (const [i, { previousLink }] of batches.slice(1).entries())
      expect(previousLink).to.equal(batches[i]!.link);
  });

  it("carries what is spent and what may be spent until the next one", async () => {
    await ask(16);
    await world.anchoring.tick();
    const [line] = decodeBudgetLines((await anchored(world)).at(-1)!.budgets)!;
    expect(line).to.deep.equal({ dataset: world.offer.dataset, spent: 100_000n, reserved: 900_000n });
  });

  it("posts a batch once although its confirmation is lost, before or after a restart", async () => {
    for (const restarts of [false, true]) {
      await ask(restarts ? 20 : 16);
      world.chain.losesConfirmations = 1;
      await expectCode(() => world.anchoring.tick(), "chain_unavailable");
      if (restarts) await world.reopen();
      await world.anchoring.tick();
    }
    const batches = await anchored(world);
    expect(batches.reduce((sum, { entryCount }) => sum + entryCount, 0)).to.equal(2);
    expect(batches.map(({ sequence }) => sequence)).to.deep.equal(batches.map((_, i) => i + 1));
  });

  it("keeps entries while the chain is down, and posts all of them when it is back", async () => {
    world.chain.isDown = true;
    await ask(16);
    for (let i = 0; i < 3; i++) await expectCode(() => world.anchoring.tick(), "chain_unavailable");
    await ask(17);
    world.chain.isDown = false;
    await world.anchoring.tick();
    expect((await anchored(world)).reduce((sum, { entryCount }) => sum + entryCount, 0)).to.equal(2);
  });

  it("is not ready before the state is known to be the newest", async () => {
    const fresh = new RepositoryWorld();
    expect(fresh.anchoring.isReady).to.equal(false);
    fresh.chain.isDown = true;
    await expectCode(() => fresh.anchoring.tick(), "chain_unavailable");
    expect(fresh.anchoring.isReady).to.equal(false);
    fresh.chain.isDown = false;
    await fresh.anchoring.tick();
    expect(fresh.anchoring.isReady).to.equal(true);
    fresh.dispose();
  });

  it("is not ready before its own reservation is on the chain", async () => {
    await world.reopen();
    world.chain.refusesAnchors = true;
    await expectCode(() => world.anchoring.tick(), "chain_unavailable");
    expect(world.anchoring.isReady).to.equal(false);
    world.chain.refusesAnchors = false;
    await world.anchoring.tick();
    expect(world.anchoring.isReady).to.equal(true);
  });

  it("goes on with its whole budget after it was stopped in order", async () => {
    await ask(16);
    await world.anchoring.finish();
    await world.reopen();
    await world.anchoring.tick();
    expect(world.questions.spent(world.offer.dataset)).to.equal(100_000n);
    expect((await ask(17)).transcript.outcome).to.equal("answered");
    expect((await anchored(world)).reduce((sum, { entryCount }) => sum + entryCount, 0)).to.equal(1);
  });

  it("counts what was reserved as spent after a crash, once, however often it crashes", async () => {
    const small = { totalMicroRho: "1000000", perQuerierMicroRho: "1000000", reservedMicroRho: "250000" };
    const other = await RepositoryWorld.ready({ budget: small });
    await other.querier().ask(other.question, other.offer);
    for (let crashes = 0; crashes < 3; crashes++) {
      await other.reopen();
      other.chain.isDown = true;
      await expectCode(() => other.anchoring.tick(), "chain_unavailable");
      other.chain.isDown = false;
    }
    await other.anchoring.tick();
    expect(other.questions.spent(other.offer.dataset)).to.equal(250_000n);
    other.dispose();
  });

  for (const ending of ["in order", "by a crash"]) {
    it(`never gives fresh noise for free from a backup taken at any moment, though it ended ${ending}`, async function () {
      this.timeout(60_000);
      const budget = {
        totalMicroRho: "100000000",
        perQuerierMicroRho: "100000000",
        reservedMicroRho: "300000",
      };
      for (let moment = 0; moment < 8; moment++) {
        const other = await RepositoryWorld.ready({ budget });
        let backup: Buffer | undefined;
        let spentMax = 0n;
        for (let i = 0; i < 8; i++) {
          if (i === moment) backup = other.copyState();
          await other.querier().ask({ ...other.question, parameters: { minimum_age: 16 + i } }, other.offer);
          spentMax = other.questions.spent(other.offer.dataset);
          if (i % 3 === 2) await other.anchoring.tick();
        }
        if (ending === "in order") await other.anchoring.finish();
        await other.restoreState(backup!);
        await other.anchoring.tick();
        expect(other.questions.spent(other.offer.dataset) >= spentMax, `moment ${moment}`).to.equal(true);
        other.dispose();
      }
    });
  }

  it("counts what was charged but not answered once more after a crash, as it may be answered twice", async () => {
    const budget = { totalMicroRho: "1000000", perQuerierMicroRho: "1000000", reservedMicroRho: "300000" };
    const other = await RepositoryWorld.ready({ budget });
    const entered = other.hangEngine();
    void other.querier().ask(other.question, other.offer);
    await entered;
    await other.reopen();
    await other.anchoring.tick();
    expect(other.questions.spent(other.offer.dataset)).to.equal(400_000n);
    other.dispose();
  });

  it("does not forget a dataset that is off the offer for a while, or a reservation that is lowered", async () => {
    const budget = { totalMicroRho: "1000000", perQuerierMicroRho: "1000000", reservedMicroRho: "500000" };
    for (const change of ["removed", "lowered"]) {
      const other = await RepositoryWorld.ready({ budget });
      const { manifest } = other;
      const { dataset } = other.offer;
      if (change === "removed") other.offered = [];
      else other.manifest = { ...manifest, budget: { ...budget, reservedMicroRho: "1" } };
      await other.anchoring.tick();
      other.offered = undefined;
      other.manifest = manifest;
      await other.reopen();
      await other.anchoring.tick();
      expect(other.questions.spent(dataset), change).to.equal(500_000n);
      other.dispose();
    }
  });

  it("counts what was reserved when a backup was taken while a batch was on its way", async () => {
    const budget = {
      totalMicroRho: "100000000",
      perQuerierMicroRho: "100000000",
      reservedMicroRho: "300000",
    };
    const other = await RepositoryWorld.ready({ budget });
    other.chain.refusesAnchors = true;
    await expectCode(() => other.anchoring.tick(), "chain_unavailable");
    const backup = other.copyState();
    await other.querier().ask(other.question, other.offer);
    other.chain.refusesAnchors = false;
    await other.restoreState(backup);
    await other.anchoring.tick();
    expect(other.questions.spent(other.offer.dataset)).to.equal(300_000n);
    other.dispose();
  });

  it("counts an unanswered charge also where the budget was used up to the last micro-rho", async () => {
    const budget = { totalMicroRho: "100000", perQuerierMicroRho: "100000", reservedMicroRho: "100000" };
    const other = await RepositoryWorld.ready({ budget });
    const entered = other.hangEngine();
    void other.querier().ask(other.question, other.offer);
    await entered;
    await other.anchoring.tick();
    await other.reopen();
    await other.anchoring.tick();
    expect(other.questions.spent(other.offer.dataset)).to.equal(200_000n);
    other.dispose();
  });

  it("never closes the batch that another life of the same state closed", async () => {
    await world.anchoring.finish();
    const state = world.copyState();
    await world.anchoring.tick();
    const first = (await world.chain.latestAnchor(world.repositorySigner.address))!;
    await world.restoreState(state);
    await world.anchoring.tick();
    const batches = await anchored(world);
    expect(batches.at(-1)!.sequence).to.equal(first.sequence + 1);
    expect(batches.at(-1)!.budgets).to.not.equal(first.budgets);
    expect(world.questions.spent(world.offer.dataset)).to.equal(1_000_000n);
  });

  it("waits for a chain that has not come as far as this log", async () => {
    await world.anchoring.tick();
    await world.reopen();
    const head = world.chain.head.bind(world.chain);
    world.chain.head = async () => ({ ...(await head()), number: 1 });
    await expectCode(() => world.anchoring.tick(), "chain_unavailable");
    expect(world.anchoring.isReady).to.equal(false);
    world.chain.head = head;
    await world.anchoring.tick();
    expect(world.anchoring.isReady).to.equal(true);
  });

  it("lets nothing be charged once its last batch is closed, mined or not, and then goes on without loss", async () => {
    for (const mined of [true, false]) {
      const other = await RepositoryWorld.ready();
      await other.querier().ask(other.question, other.offer);
      if (!mined) {
        // The batch before is posted, then the chain goes away while the last one is on its way.
        const { anchoring, chain } = other;
        chain.refusesAnchors = true;
        await expectCode(() => anchoring.finish(), "chain_unavailable");
        chain.refusesAnchors = false;
      } else await other.anchoring.finish();
      expect(other.anchoring.isReady).to.equal(false);
      const late = await other
        .querier()
        .ask({ ...other.question, parameters: { minimum_age: 30 } }, other.offer);
      expect(late.transcript.refusal).to.equal("budget_not_reserved");
      await other.reopen();
      await other.anchoring.tick();
      expect(other.questions.spent(other.offer.dataset), `mined: ${mined}`).to.equal(100_000n);
      other.dispose();
    }
  });

  it("stops when somebody else anchors with the same key", async () => {
    const writer = world.chain.writer(world.repositorySigner.address);
    const { link } = (await anchored(world))[0]!;
    const root = `0x${"77".repeat(32)}`;
    await writer.anchor({ sequence: 2, previousLink: link, root, entryCount: 1, budgets: "0x" });
    await expectCode(() => world.anchoring.tick(), "anchor_conflict");
    expect(world.anchoring.isReady).to.equal(false);
    expect(world.problems).to.have.length(1);
  });

  it("refuses a chain that lacks what this state says is anchored", async () => {
    await ask(16);
    await world.anchoring.tick();
    const other = await RepositoryWorld.ready();
    for (let i = 0; i < 20; i++) other.chain.mine();
    Object.assign(world, { chain: other.chain });
    await world.reopen();
    await expectCode(() => world.anchoring.tick(), "anchor_conflict");
    expect(world.anchoring.isReady).to.equal(false);
    other.dispose();
  });
});
