/**
 * Kills a repository again and again while questions are asked of it, and then looks at everything that is left: each question has one
 * answer, acknowledged ones are what they were, each charge is counted once, each transcript stands on the chain once.
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { answerMicroRho, bandAlgorithm, bandQuestion, wagesFor } from "./band-question.ts";
import { until } from "./https-call.ts";
import { freePort, type NodeProcess } from "./node-process.ts";
import { ProcessNetwork } from "./process-network.ts";
import { readWholeLog } from "./whole-log.ts";
import type { WireQuestion } from "./wire-question.ts";

export interface CrashTrialOptions {
  questions: number;
  kills: number;
  /** Clients that ask side by side. */
  clients: number;
  onProgress?: (line: string) => void;
}

export interface CrashTrialReport {
  /** All that were asked, refused ones too. */
  questions: number;
  charged: number;
  free: number;
  /** As the budget of the next interval was not on the chain yet. */
  refused: number;
  kills: number;
  /** Batches on the chain. */
  batches: number;
  /** Reserved when it was killed, and so counted as spent, in answers. */
  burntAnswers: number;
}

/** Of these, one in so many asks what an earlier one asked: the stored answer, free. */
const repeatEvery = 10;
const reservedAnswers = 100;

export async function runCrashTrial(options: CrashTrialOptions): Promise<CrashTrialReport> {
  const { questions: count, kills } = options;
  const world = await ProcessNetwork.start({ repositories: 1, directories: 1, queriers: options.clients });
  try {
    const dataset = await wagesFor(count + (kills + 2) * reservedAnswers, { reserved: reservedAnswers });
    const repository = await world.repository({
      datasets: [dataset],
      settings: {
        "listen.port": await freePort(),
        "anchoring.countersignSecondsMax": 5,
        "log.level": "info",
      },
    });
    const directory = await (await world.directory()).start();
    await repository.start();
    await world.publish(bandAlgorithm, [directory]);
    const [offer] = await world.offers(1);
    const accounts = Array.from({ length: options.clients }, () => world.network.querier().account);
    const make = (i: number) => {
      const plan = i % repeatEvery === repeatEvery - 1 ? i - repeatEvery + 1 : i;
      return world.wireQuestion(bandQuestion(plan), offer!, accounts[i % accounts.length]!);
    };
    const trial = new Trial(repository, make, options);
    await Promise.all([trial.ask(), trial.kill()]);
    const report = await examine(world, repository, trial.ended, offer!.dataset);
    expect(report.charged + report.free, "everything was answered in the end").to.equal(count);
    return { ...report, kills: trial.killed };
  } finally {
    await world.close();
  }
}

class Trial {
  killed = 0;
  /** Answered and refused ones. */
  readonly ended: WireQuestion[] = [];
  readonly #repository: NodeProcess;
  readonly #make: (i: number) => Promise<WireQuestion>;
  readonly #options: CrashTrialOptions;
  #answered = 0;

  constructor(
    repository: NodeProcess,
    make: (i: number) => Promise<WireQuestion>,
    options: CrashTrialOptions,
  ) {
    this.#repository = repository;
    this.#make = make;
    this.#options = options;
  }

  async ask(): Promise<void> {
    let next = 0;
    const client = async () => {
      while (next < this.#options.questions) {
        const i = next++;
        while (!(await this.#askOnce(i))) await pause(100);
        this.#answered++;
      }
    };
    await Promise.all(Array.from({ length: this.#options.clients }, client));
  }

  /** False if it was refused as nothing is reserved just after a crash: that is final, and another question is asked instead. */
  async #askOnce(i: number): Promise<boolean> {
    const question = await this.#make(i);
    await question.askPersistently();
    this.ended.push(question);
    const { outcome, refusal } = question.reply.transcript;
    if (outcome === "refused") expect(refusal).to.equal("budget_not_reserved");
    return outcome === "answered";
  }

  /** Spread over the questions; some kills hit a daemon that has hardly started. */
  async kill(): Promise<void> {
    const { kills, onProgress = () => undefined } = this.#options;
    const total = this.#options.questions;
    while (this.killed < kills) {
      const due = Math.floor(((this.killed + 0.5) / kills) * total * 0.95);
      await until(() => this.#answered >= due, `${due} questions ended`, 120_000);
      await pause(Math.random() * 60);
      await this.#repository.kill();
      this.killed++;
      onProgress(`kill ${this.killed} of ${kills} after ${this.#answered} of ${total} questions`);
      this.#repository.launch();
      if (this.killed % 4 === 3 && this.killed < kills) {
        await pause(200 + Math.random() * 1_500);
        await this.#repository.kill();
        this.killed++;
        onProgress(`kill ${this.killed} of ${kills} while starting`);
        this.#repository.launch();
      }
      await this.#repository.up();
    }
  }
}

async function examine(
  world: ProcessNetwork,
  repository: NodeProcess,
  questions: WireQuestion[],
  dataset: string,
): Promise<Omit<CrashTrialReport, "kills">> {
  await repository.ready();
  const leaves: string[] = [];
  for (const question of questions) {
    // Same request, same token: the same bytes, or these throw.
    await question.askPersistently();
    const entry = await until(async () => {
      const found = await question.entry();
      return found.anchor !== null && found;
    }, "every entry is anchored");
    leaves.push(question.leaf(entry));
  }
  expect(new Set(leaves).size, "each question has a transcript of its own").to.equal(questions.length);

  const answered = questions.filter(({ reply }) => reply.transcript.outcome === "answered");
  const charges = answered.map(({ reply }) => BigInt(reply.transcript.chargeMicroRho));
  const charged = charges.filter((charge) => charge > 0n);
  for (const charge of charged) expect(charge).to.equal(answerMicroRho);
  const sum = charges.reduce((total, charge) => total + charge, 0n);
  expectOneReleaseAPlan(answered);

  const { endpoint, address } = repository;
  // What is spent may still be on its way to the chain.
  await until(async () => {
    const log = await readWholeLog(world.network, endpoint, address, dataset);
    return log.leaves.length === questions.length && log;
  }, "the whole log is anchored");
  expect(await repository.stop()).to.equal(0);
  const books = readBooks(repository, dataset);
  expect(books.ofQuestions, "what transcripts say is what was charged").to.equal(sum);
  expect(books.questionsCharged).to.equal(charged.length);
  await repository.start();
  const log = await readWholeLog(world.network, endpoint, address, dataset);
  expect([...log.leaves].sort(), "each transcript stands in one batch").to.deep.equal([...leaves].sort());
  expect(log.spent).to.equal(books.spent);
  expect(log.spent >= sum).to.equal(true);
  return {
    questions: questions.length,
    charged: charged.length,
    free: charges.length - charged.length,
    refused: questions.length - answered.length,
    batches: log.batches,
    burntAnswers: Number((books.spent - books.ofQuestions) / answerMicroRho),
  };
}

/** All answers to one plan are one release: the noise was drawn once. */
function expectOneReleaseAPlan(questions: WireQuestion[]): void {
  const releases = new Map<string, string>();
  for (const { reply } of questions) {
    const { plan, answer } = reply.transcript;
    expect(releases.get(plan!) ?? answer, "one plan, one answer").to.equal(answer);
    releases.set(plan!, answer!);
  }
}

/** From the state file of a daemon that was stopped. */
function readBooks(repository: NodeProcess, dataset: string) {
  const file = join(repository.node.folder, "state", "state.sqlite");
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const sum = (where: string) =>
      BigInt(
        (
          database
            .prepare(`SELECT coalesce(sum(micro_rho), 0) AS sum FROM charges WHERE dataset = ? AND ${where}`)
            .get(dataset) as { sum: number }
        ).sum,
      );
    const { count } = database
      .prepare("SELECT count(*) AS count FROM charges WHERE question IS NOT NULL")
      .get() as { count: number };
    return { spent: sum("1"), ofQuestions: sum("question IS NOT NULL"), questionsCharged: count };
  } finally {
    database.close();
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
