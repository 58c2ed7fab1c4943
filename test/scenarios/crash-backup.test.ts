// A state folder put back from a copy: the daemon cannot know what it answered since, so all that it had reserved counts as spent.
import { cpSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { BaseWallet } from "ethers";
import type { DatasetOffer } from "../../node/data-sharing/discover.ts";
import { decodeBudgetLines } from "../../node/ledger/budget-line.ts";
import { answerMicroRho, bandAlgorithm, bandQuestion, wagesFor } from "../support/band-question.ts";
import { call, until } from "../support/https-call.ts";
import { freePort, type NodeProcess } from "../support/node-process.ts";
import { ProcessNetwork } from "../support/process-network.ts";
import { anchoredEvents, readWholeLog, type WholeLog } from "../support/whole-log.ts";
import type { WireQuestion } from "../support/wire-question.ts";

const reservedAnswers = 20n;

describe("a repository whose state is put back from a copy", function () {
  this.timeout(120_000);
  let world: ProcessNetwork;
  let repository: NodeProcess;
  let account: BaseWallet;
  let offer: DatasetOffer;
  /** Every answer that ever left, whatever became of the state. */
  const everAnswered: WireQuestion[] = [];
  let copies = 0;

  before(async () => {
    world = await ProcessNetwork.start({ repositories: 1, directories: 1, queriers: 1 });
    repository = await world.repository({
      datasets: [await wagesFor(1_000, { reserved: Number(reservedAnswers) })],
      settings: { "listen.port": await freePort() },
    });
    const directory = await world.directory();
    await Promise.all([repository.start(), directory.start()]);
    ({ account } = world.network.querier());
    await world.publish(bandAlgorithm, [directory]);
    [offer] = (await world.offers(1)) as [DatasetOffer];
  });
  after(() => world.close());

  /** A new question about plan `i`, asked until it is answered: just after a restart nothing is reserved yet. */
  async function ask(i: number): Promise<WireQuestion> {
    return await until(async () => {
      const question = await world.wireQuestion(bandQuestion(i), offer, account);
      await question.askPersistently();
      const { outcome, refusal } = question.reply.transcript;
      if (outcome === "refused") expect(refusal).to.equal("budget_not_reserved");
      if (outcome === "answered") everAnswered.push(question);
      return outcome === "answered" && question;
    }, "the question is answered");
  }

  const state = () => join(repository.node.folder, "state");

  function copy(): string {
    const folder = `${state()}-copy-${++copies}`;
    cpSync(state(), folder, { recursive: true });
    return folder;
  }

  function putBack(folder: string): void {
    rmSync(state(), { recursive: true });
    renameSync(folder, state());
  }

  async function spentHere(): Promise<bigint> {
    const path = `GET /v1/data-sharing/datasets/${offer.dataset}/budget`;
    return BigInt((await call(repository.endpoint, path)).json.spentMicroRho);
  }

  async function newest(): Promise<WholeLog> {
    const { endpoint } = repository;
    const { network } = world;
    return await readWholeLog(network, endpoint, offer.repository, offer.dataset, { mayLackEntries: true });
  }

  /**
   * The charges of all that was ever answered are in what the daemon says and in what the chain says; and a plan that was answered after
   * the copy costs again, as its noise is drawn again.
   */
  async function expectNothingFree(afterCopy: { plan: number; question: WireQuestion }): Promise<void> {
    const truth = everAnswered.reduce((sum, { reply }) => sum + BigInt(reply.transcript.chargeMicroRho), 0n);
    const before = await spentHere();
    expect(before >= truth, `${before} of at least ${truth}`).to.equal(true);
    // Its token is of a question that this state never saw.
    const old = await afterCopy.question.answerOnce().catch((error) => expect.fail(String(error)));
    expect(old.json).to.include({ status: 401, code: "token_invalid" });
    const again = await ask(afterCopy.plan);
    expect(again.reply.transcript.chargeMicroRho).to.equal(answerMicroRho.toString());
    const spent = before + answerMicroRho;
    expect(await spentHere()).to.equal(spent);
    const log = await until(async () => {
      const read = await newest();
      return read.spent === spent && read;
    }, "the charge is on the chain");
    // The chain's log goes on where it was: no batch is missing, none stands twice.
    const events = await anchoredEvents(world.network, offer.repository);
    expect(log.batches).to.be.at.least(events.length - 2);
  }

  it("counts the reservation as spent when the copy is many batches old", async () => {
    await ask(1);
    expect(await repository.stop()).to.equal(0);
    const old = copy();
    await repository.start();
    for (const plan of [2, 3]) await ask(plan);
    const question = await ask(4);
    const { batches } = await newest();
    await until(async () => (await newest()).batches > batches + 3, "some batches pass");
    const chainSaid = await stopped();
    putBack(old);
    await repository.start();
    // It was closed in order, so its last batch reserved nothing; but the chain is ahead, and its batches reserved something.
    expect((await spentHere()) >= chainSaid.spent + reservedAnswers * answerMicroRho).to.equal(true);
    await expectNothingFree({ plan: 4, question });
  });

  it("counts it when the copy was made while the daemon ran, with a log that is half written", async () => {
    await ask(5);
    await repository.kill();
    const old = copy();
    await repository.start();
    const question = await ask(6);
    await until(async () => (await newest()).leaves.length > 0, "it is anchored");
    await repository.kill();
    const chainSaid = await spentOnChain();
    putBack(old);
    await repository.start();
    expect((await spentHere()) >= chainSaid).to.equal(true);
    await expectNothingFree({ plan: 6, question });
  });

  it("counts it when nothing was anchored between the copy and the loss", async () => {
    await ask(7);
    // Between two batches: the state of now, an answer, and the state of before again. No batch tells of the answer.
    let question: WireQuestion | undefined;
    let old = "";
    await until(async () => {
      const sequence = (await anchoredEvents(world.network, offer.repository)).length;
      process.kill(repository.pid, "SIGSTOP");
      old = copy();
      process.kill(repository.pid, "SIGCONT");
      question = await ask(8 + copies);
      await repository.kill();
      if ((await anchoredEvents(world.network, offer.repository)).length === sequence) return true;
      await repository.start();
      return false;
    }, "an answer falls between two batches");
    const plan = 8 + copies;
    putBack(old);
    await repository.start();
    await expectNothingFree({ plan, question: question! });
  });

  async function spentOnChain(): Promise<bigint> {
    const { budgets } = (await anchoredEvents(world.network, offer.repository)).at(-1)!;
    return decodeBudgetLines(budgets)!.find(({ dataset }) => dataset === offer.dataset)!.spent;
  }

  /** What the chain said before the daemon closed its log in order. */
  async function stopped(): Promise<{ spent: bigint }> {
    const { spent } = await newest();
    expect(await repository.stop()).to.equal(0);
    return { spent };
  }
});
