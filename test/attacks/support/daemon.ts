/** A repository as an attacker meets it: a process behind HTTPS. Its custodian, who adds datasets and restarts it, is played here too. */
import { writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import type { BaseWallet } from "ethers";
import { openDatasetStore } from "../../../node/adapters/duckdb/duckdb-dataset-store.ts";
import { SystemRandomness } from "../../../node/adapters/system-randomness.ts";
import type { DatasetOffer } from "../../../node/data-sharing/discover.ts";
import type { DatasetManifest } from "../../../node/data-sharing/manifests/dataset-manifest.ts";
import type { Question } from "../../../node/data-sharing/querier.ts";
import { datasetId } from "../../../node/data-sharing/question-request.ts";
import { decodeBudgetLines } from "../../../node/ledger/budget-line.ts";
import { datasetsFolderName } from "../../../node/repository-role.ts";
import { until } from "../../support/https-call.ts";
import { freePort, type NodeProcess } from "../../support/node-process.ts";
import { anchoredEvents } from "../../support/whole-log.ts";
import { WireQuestion } from "../../support/wire-question.ts";
import { type Exchange, exchange } from "./exchange.ts";
import type { Field } from "./field.ts";
import { type Reply, replyOf } from "./reply.ts";

export interface DaemonOptions {
  /** Over those of test networks, by their path in the file. */
  settings?: Record<string, unknown>;
}

export interface DatasetFile {
  manifest: DatasetManifest;
  csv: string;
}

export class Daemon {
  readonly field: Field;
  readonly process: NodeProcess;
  /** Kept alive, as attackers ask often. */
  #agent = keptConnections();
  #asked = 0;

  private constructor(field: Field, process: NodeProcess) {
    this.field = field;
    this.process = process;
  }

  static async start(field: Field, nodeOptions: string[], { settings = {} }: DaemonOptions): Promise<Daemon> {
    const process = await field.repository(
      {
        datasets: [],
        settings: {
          "listen.port": await freePort(),
          "anchoring.intervalSeconds": 0.7,
          "anchoring.countersignSecondsMax": 0,
          // The process that attacks serves the chain too, and may be busy.
          "chain.timeoutMs": 20_000,
          // Nobody looks for its datasets.
          "catalogue.watchSeconds": 600,
          "log.level": "warn",
          ...settings,
        },
      },
      nodeOptions,
    );
    await process.start();
    return new Daemon(field, process);
  }

  get endpoint(): string {
    return this.process.endpoint;
  }

  /** Imported while the daemon runs; resolves once its budget is reserved on the chain. */
  async addDataset({ manifest, csv }: DatasetFile): Promise<DatasetOffer> {
    const file = join(this.process.node.folder, `${manifest.name}.csv`);
    writeFileSync(file, csv);
    const folder = join(this.stateFolder, datasetsFolderName);
    await openDatasetStore({ folder, randomness: new SystemRandomness() }).importFile(file, manifest);
    const offer = this.offer(manifest);
    await until(() => this.#isReserved(offer), `the budget of ${manifest.name} is reserved`);
    return offer;
  }

  offer(manifest: DatasetManifest): DatasetOffer {
    const { address: repository, peer } = this.process;
    return { dataset: datasetId(repository, manifest.name), repository, publisher: "Bank", peer, manifest };
  }

  async question(question: Question, offer: DatasetOffer, account?: BaseWallet): Promise<WireQuestion> {
    const { queriers, world } = this.field;
    const querier = account ?? queriers[this.#asked++ % queriers.length]!;
    return await WireQuestion.make(question, offer, world.network.deployment, querier);
  }

  /** A new question from authorisation to answer, or refusal; by one of the queriers, or the one that is given. */
  async ask(question: Question, offer: DatasetOffer, account?: BaseWallet): Promise<Reply> {
    await this.field.publish(question.algorithm);
    return await this.send(await this.question(question, offer, account));
  }

  /** All of them, `width` at a time; replies in the order of the questions. */
  async askAll(questions: readonly Question[], offer: DatasetOffer, width = 8): Promise<Reply[]> {
    const replies: Reply[] = [];
    let next = 0;
    const client = async () => {
      while (next < questions.length) {
        const i = next++;
        replies[i] = await this.ask(questions[i]!, offer);
      }
    };
    await Promise.all(Array.from({ length: width }, client));
    return replies;
  }

  async send(question: WireQuestion): Promise<Reply> {
    const authorised = await this.authorise(question);
    return authorised.status === 200
      ? replyOf(await this.answer(question, JSON.parse(authorised.text).token))
      : replyOf(authorised);
  }

  async authorise(question: WireQuestion): Promise<Exchange> {
    const headers = { "content-type": "application/json", dpop: await question.proof("authorisations") };
    return await this.#post("authorisations", headers, JSON.stringify(question.signed));
  }

  /** The token of a question that is authorised; anything else is an attack that does not work any more. */
  async tokenOf(question: WireQuestion): Promise<string> {
    const { status, text } = await this.authorise(question);
    if (status !== 200) throw new Error(`not authorised: ${text.slice(0, 400)}`);
    return JSON.parse(text).token;
  }

  async answer(question: WireQuestion, token: string): Promise<Exchange> {
    const headers = { authorization: `DPoP ${token}`, dpop: await question.proof("answers", token) };
    return await this.#post("answers", headers);
  }

  async get(path: string): Promise<Exchange> {
    return await exchange(this.#agent, `${this.endpoint}${path}`, { method: "GET" });
  }

  /** What the signed statement says is spent. */
  async spent(offer: DatasetOffer): Promise<bigint> {
    const { text } = await this.get(`/v1/data-sharing/datasets/${offer.dataset}/budget`);
    return BigInt(JSON.parse(text).spentMicroRho);
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.process.kill();
    this.#agent.destroy();
    this.#agent = keptConnections();
  }

  /** Again, over what the last process left behind; resolves when it takes questions. */
  async start(): Promise<void> {
    await this.process.start();
  }

  get stateFolder(): string {
    return join(this.process.node.folder, "state");
  }

  /** For good; what it leaves behind is thrown away, so it need not close its log in order. */
  async stop(): Promise<void> {
    await this.kill();
    this.#agent.destroy();
  }

  /** Resolves when another batch is on the chain. */
  async nextBatch(): Promise<void> {
    const { network } = this.field.world;
    const count = async () => (await anchoredEvents(network, this.process.address)).length;
    const before = await count();
    await until(async () => (await count()) > before, "another batch is anchored");
  }

  /** Once the daemon itself knows that the batch is on the chain. */
  async #isReserved({ dataset, manifest }: DatasetOffer): Promise<boolean> {
    const { text } = await this.get("/v1/ledger/batches?limit=2");
    const { batches } = JSON.parse(text) as { batches: { budgets: string; anchored: unknown }[] };
    const newest = batches.find(({ anchored }) => anchored !== null);
    const line = decodeBudgetLines(newest?.budgets ?? "0x")?.find((one) => one.dataset === dataset);
    return line !== undefined && line.reserved >= BigInt(manifest.budget.reservedMicroRho);
  }

  #post(path: string, headers: Record<string, string>, body = ""): Promise<Exchange> {
    const url = `${this.endpoint}/v1/data-sharing/${path}`;
    return exchange(this.#agent, url, { method: "POST", headers, body });
  }
}

function keptConnections(): Agent {
  return new Agent({ keepAlive: true, rejectUnauthorized: false, maxSockets: 256 });
}
