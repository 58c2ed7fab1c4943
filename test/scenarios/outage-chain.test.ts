// A chain that cannot be reached, or whose answers get lost: questions inside and past the freshness bound, and batches that stand once.
import { expect } from "chai";
import type { BaseWallet } from "ethers";
import type { DatasetOffer } from "../../node/data-sharing/discover.ts";
import type { Querier } from "../../node/data-sharing/querier.ts";
import { bandAlgorithm, bandAlgorithmNamed, bandQuestion, wagesFor } from "../support/band-question.ts";
import { call, until } from "../support/https-call.ts";
import { freePort, type NodeProcess } from "../support/node-process.ts";
import { failedChecks, ProcessNetwork } from "../support/process-network.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { anchoredEvents, readWholeLog } from "../support/whole-log.ts";
import type { WireQuestion } from "../support/wire-question.ts";

/** Long enough for a busy machine to ask in time. */
const ageSecondsMax = 5;

describe("a repository whose chain fails", function () {
  this.timeout(120_000);
  let world: ProcessNetwork;
  let wire: TcpProxy;
  let repository: NodeProcess;
  let account: BaseWallet;
  let querier: Querier;
  let offer: DatasetOffer;
  const asked: WireQuestion[] = [];

  before(async () => {
    world = await ProcessNetwork.start({ repositories: 1, directories: 1, queriers: 2 });
    wire = await TcpProxy.start(world.network.chainUrl);
    repository = await world.repository({
      datasets: [await wagesFor(500, { reserved: 50 })],
      settings: {
        "chain.urls": [wire.url],
        "chain.timeoutMs": 500,
        "chain.ageSecondsMax": ageSecondsMax,
        "listen.port": await freePort(),
      },
    });
    const directory = await world.directory();
    await Promise.all([repository.start(), directory.start()]);
    ({ account, querier } = world.network.querier());
    await world.publish(bandAlgorithm, [directory]);
    [offer] = (await world.offers(1)) as [DatasetOffer];
    // Once while all is well: the manifest is kept, and the next look-ahead knows the algorithm.
    await (await make(0)).askPersistently();
    await new Promise((resolve) => setTimeout(resolve, (ageSecondsMax * 1000) / 4 + 200));
  });
  after(async () => {
    await world.close();
    await wire.close();
  });

  async function make(i: number, who = account): Promise<WireQuestion> {
    const question = await world.wireQuestion(bandQuestion(i), offer, who);
    asked.push(question);
    return question;
  }

  async function expectAnchoredOnce(): Promise<void> {
    const ended = asked.filter(({ answered }) => answered !== undefined);
    const leaves: string[] = [];
    for (const question of ended) {
      const entry = await until(async () => {
        const found = await question.entry();
        return found.anchor !== null && found;
      }, "the entry is anchored");
      leaves.push(question.leaf(entry));
    }
    const log = await readWholeLog(world.network, repository.endpoint, offer.repository, offer.dataset);
    for (const leaf of leaves) expect(log.leaves.filter((one) => one === leaf).length).to.equal(1);
  }

  async function expectReady(): Promise<void> {
    await until(
      async () => (await call(repository.endpoint, "GET /ready")).status === 200,
      "the repository is ready again",
    );
  }

  it("answers inside the bound, refuses past it with a receipt, and anchors all of it when the chain is back", async () => {
    const before = await anchoredEvents(world.network, offer.repository);
    const promised = await make(1);
    await promised.authoriseOnce();
    wire.set("cut");
    const inside = await make(2);
    await inside.askPersistently();
    expect(inside.reply.transcript).to.include({ outcome: "answered", refusal: null });
    expect((await inside.entry()).anchor).to.equal(null);

    await new Promise((resolve) => setTimeout(resolve, ageSecondsMax * 1000 + 500));
    const { reason, transcript, receipt } = await querier.ask(bandQuestion(3), offer);
    expect(transcript).to.include({ outcome: "refused", refusal: "chain_stale", chargeMicroRho: "0" });
    expect(reason).to.include("ask again when it is back");
    const refused = await make(4);
    const problem = await refused.authoriseOnce();
    expect(problem.json).to.include({ status: 503, code: "chain_stale" });
    expect(problem.json.reply.transcript.refusal).to.equal("chain_stale");
    expect(problem.text).to.not.include(new URL(wire.url).port);
    // What was authorised in time is answered.
    await promised.askPersistently();
    expect(promised.reply.transcript.outcome).to.equal("answered");

    wire.set("pass");
    expect(failedChecks(await world.verified(receipt, offer))).to.deep.equal([]);
    await expectAnchoredOnce();
    const after = await anchoredEvents(world.network, offer.repository);
    expect(after.length).to.be.greaterThan(before.length);
    // The refused question stays refused under its id, with the same bytes.
    await refused.askPersistently();
    const later = await make(5);
    await later.askPersistently();
    expect(later.reply.transcript.outcome).to.equal("answered");
  });

  it("tells a querier whom it never saw, or an algorithm that it never had, that the chain fails; nothing is logged", async () => {
    const fresh = bandAlgorithmNamed("unheard-of");
    await expectReady();
    wire.set("silent");
    const unheard = await world.wireQuestion(bandQuestion(1, fresh), offer, account);
    const stranger = await world.wireQuestion(bandQuestion(6), offer, world.network.take("stranger"));
    for (const question of [unheard, stranger]) {
      const reply = await question.authoriseOnce();
      expect(reply.json).to.include({ status: 503, code: "chain_unavailable" });
      expect(reply.json).to.not.have.property("reply");
      expect(reply.text)
        .to.not.include("127.0.0.1")
        .and.to.not.match(/\.ts\b|Error:/);
    }
    wire.set("pass");
    expect((await stranger.authoriseOnce()).json.code).to.equal("querier_not_certified");
    expect((await unheard.authoriseOnce()).json.code).to.equal("algorithm_not_approved");
  });

  it("anchors a batch once whose confirmation got lost", async () => {
    await expectReady();
    for (let i = 0; i < 3; i++) {
      await (await make(10 + i)).askPersistently();
      await wire.loseReplyTo("eth_sendRawTransaction");
      wire.set("cut");
      await new Promise((resolve) => setTimeout(resolve, 300));
      wire.set("pass");
    }
    await expectAnchoredOnce();
  });

  it("anchors a batch once when it was killed before the confirmation came", async () => {
    await expectReady();
    for (let i = 0; i < 3; i++) {
      await (await make(20 + i)).askPersistently();
      await wire.loseReplyTo("eth_sendRawTransaction");
      await repository.kill();
      await repository.start();
    }
    await expectAnchoredOnce();
  });

  it("does not start to answer while the chain is down, and says why", async () => {
    await repository.kill();
    wire.set("cut");
    repository.launch();
    await repository.up();
    const ready = await call(repository.endpoint, "GET /ready");
    expect(ready.status).to.equal(503);
    expect(ready.json.reasons.map(({ code }: { code: string }) => code)).to.include("not_ready");
    const question = await make(30);
    const reply = await question.authoriseOnce();
    expect(reply.json).to.include({ status: 503, code: "not_ready" });
    expect(reply.json.detail).to.match(/ask again/);
    wire.set("pass");
    await repository.ready();
    await question.askPersistently();
    await expectAnchoredOnce();
  });
});
