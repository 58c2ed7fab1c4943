/**
 * One repository and its querier in one process: real stores, plans, noise and signatures; the reference interpreter as engine, and a
 * chain and a network of this process, so that a test can break each of them at any moment.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EnrolmentFile, openEnrolmentFile } from "../../node/adapters/sqlite/enrolment-file.ts";
import { SqliteAuditStore } from "../../node/adapters/sqlite/sqlite-audit-store.ts";
import { SqliteConsentStore } from "../../node/adapters/sqlite/sqlite-consent-store.ts";
import { SqliteQuestionStore } from "../../node/adapters/sqlite/sqlite-question-store.ts";
import { openStateDatabase, type StateDatabase } from "../../node/adapters/sqlite/state-database.ts";
import { SystemRandomness } from "../../node/adapters/system-randomness.ts";
import { budgetLines } from "../../node/data-sharing/accounting/reserve.ts";
import { ConsentDesk } from "../../node/data-sharing/consent/consent-desk.ts";
import { ConsentedPeople } from "../../node/data-sharing/consent/consented-people.ts";
import { personHash, takesPartBy } from "../../node/data-sharing/consent/person-hash.ts";
import type { DatasetOffer } from "../../node/data-sharing/discover.ts";
import {
  type AlgorithmManifest,
  algorithmHash,
  algorithmManifestSchema,
} from "../../node/data-sharing/manifests/algorithm-manifest.ts";
import {
  type DatasetManifest,
  datasetManifestSchema,
} from "../../node/data-sharing/manifests/dataset-manifest.ts";
import { executePlan, type PersonRow } from "../../node/data-sharing/plan/evaluate.ts";
import type { PeerClient, PlanEngine } from "../../node/data-sharing/ports.ts";
import { Querier, type Question } from "../../node/data-sharing/querier.ts";
import { datasetId } from "../../node/data-sharing/question-request.ts";
import { entryStatus } from "../../node/data-sharing/receipt.ts";
import { Repository, type RepositoryOptions } from "../../node/data-sharing/repository.ts";
import { TrustView } from "../../node/data-sharing/trust-view.ts";
import { Anchoring } from "../../node/ledger/anchoring.ts";
import { BatchTrees } from "../../node/ledger/batch-trees.ts";
import { canonicalJson } from "../../node/primitives/canonical-json.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryChain } from "./memory-chain.ts";
import { testDeployment, WalletSigner } from "./wallet-signer.ts";

export const research = "dpv:ResearchAndDevelopment";

export const algorithm: AlgorithmManifest = algorithmManifestSchema.parse({
  name: "union-wage-premium",
  title: "Union wage premium",
  description: "Average wage by union membership.",
  version: 1,
  kind: "sql",
  dataClass: "wages",
  table: "wages",
  sql: "SELECT member, COUNT(*) AS people, AVG(wage) AS wage FROM wages WHERE age >= param.minimum_age GROUP BY member",
  parameters: { minimum_age: { type: "integer", minimum: 16, maximum: 70, default: 16 } },
  microRho: "100000",
  purposes: [research],
});

export function datasetManifest(over: Partial<DatasetManifest> = {}): DatasetManifest {
  return datasetManifestSchema.parse({
    name: "wages",
    title: "Wages",
    synthetic: true,
    dataClass: "wages",
    table: "wages",
    person: "id",
    rowsPerPerson: 1,
    columns: {
      wage: { type: "decimal", scale: 2, bounds: [0, 50] },
      age: { type: "integer", bounds: [16, 99] },
      member: { type: "text", domain: ["no", "yes"] },
    },
    purposes: [research],
    budget: { totalMicroRho: "1000000", perQuerierMicroRho: "1000000", reservedMicroRho: "1000000" },
    ...over,
  });
}

const rows: PersonRow[] = Array.from({ length: 500 }, (_, person) => ({
  person: String(person),
  columns: {
    wage: BigInt(500 + (person % 40) * 50),
    age: BigInt(18 + (person % 50)),
    member: BigInt(person % 4 === 0),
  },
})) as unknown as PersonRow[];

/** Under which the world's people are enrolled. */
export const personSecret = new Uint8Array(32).fill(7);

export class RepositoryWorld {
  readonly clock = new ManualClock();
  readonly chain = new MemoryChain(this.clock);
  readonly repositorySigner = new WalletSigner();
  readonly querierSigner = new WalletSigner();
  readonly randomness = new SystemRandomness();
  readonly folder = mkdtempSync(join(tmpdir(), "itd-world-"));
  manifest: DatasetManifest;
  /** What the store shows in place of the manifest. */
  offered: DatasetManifest[] | undefined;
  /** Called where a crash or a delay may happen. */
  engine: Pick<PlanEngine, "execute"> & Partial<PlanEngine> = {
    execute: async (dataset, plan, _limits, people) => {
      if (people === undefined) return executePlan(rows, plan);
      const takesPart = takesPartBy(people);
      return executePlan(rows, plan, {
        takesPart: (person) => takesPart(personHash(personSecret, dataset, person)),
      });
    },
  };
  readonly engineFailures: string[] = [];
  /** In force with the next opening. */
  options: Partial<RepositoryOptions> = {};
  database!: StateDatabase;
  audit!: SqliteAuditStore;
  questions!: SqliteQuestionStore;
  consents!: SqliteConsentStore;
  enrolments!: EnrolmentFile;
  people!: ConsentedPeople;
  desk!: ConsentDesk;
  trust!: TrustView;
  repository!: Repository;
  anchoring!: Anchoring;
  readonly problems: unknown[] = [];

  constructor(manifest: Partial<DatasetManifest> = {}) {
    this.manifest = datasetManifest(manifest);
    this.chain.setMember(this.repositorySigner.address, "repository", "active");
    this.chain.setMember(this.querierSigner.address, "querier", "active");
    this.chain.setAlgorithm(algorithmHash(algorithm), "approved");
    this.open();
  }

  /** A world whose first batch is anchored: it may answer. */
  static async ready(manifest: Partial<DatasetManifest> = {}): Promise<RepositoryWorld> {
    const world = new RepositoryWorld(manifest);
    await world.anchoring.tick();
    await world.trust.refresh();
    return world;
  }

  open(): void {
    const { clock, chain, randomness, repositorySigner: signer } = this;
    this.database = openStateDatabase(this.#file);
    this.audit = new SqliteAuditStore(this.database);
    this.questions = new SqliteQuestionStore({ database: this.database, randomness, clock });
    this.trust = new TrustView(
      { repository: signer.address, chainAgeMsMax: 600_000, refreshMs: 30_000 },
      { chain, members: chain, algorithms: chain, clock },
    );
    const datasets = {
      manifests: () => this.offered ?? [this.manifest],
      importFile: async () => Promise.reject(new Error("nothing is imported here")),
    };
    const consents = new SqliteConsentStore(this.database);
    const enrolments = openEnrolmentFile(join(this.folder, "enrolments.db"), randomness);
    const datasetIdOf = (name: string) => datasetId(signer.address, name);
    const people = new ConsentedPeople({ clock, enrolments, consents, datasetIdOf });
    Object.assign(this, { consents, enrolments, people });
    this.desk = new ConsentDesk(
      { deployment: testDeployment, publisher: "Bank", anchorWithinBlocks: 100, receiptsPerHourMax: 10 },
      { clock, signer, chain, datasets, enrolments, consents, people },
    );
    this.repository = new Repository(this.#options(), {
      clock,
      randomness,
      signer,
      trust: this.trust,
      datasets,
      algorithms: {
        manifestText: async (hash) =>
          hash === algorithmHash(algorithm) ? canonicalJson(algorithm) : undefined,
      },
      questions: this.questions,
      people,
      audit: this.audit,
      engine: {
        execute: async (...call) => await this.engine.execute(...call),
        // The reference engine has its rows always.
        requireAvailable: async (...call) => await this.engine.requireAvailable?.(...call),
      },
      onEngineFailure: (_dataset, error) => this.engineFailures.push(error.code),
    });
    this.anchoring = new Anchoring(
      { party: signer.address, intervalMs: 5_000, countersignMsMax: 10_000 },
      {
        clock,
        randomness,
        audit: this.audit,
        chain,
        writer: chain.writer(signer.address),
        budgets: () => budgetLines(signer.address, this.offered ?? [this.manifest], this.questions),
        onAnchored: () => undefined,
        onProblem: (error) => this.problems.push(error),
        onConflict: (error) => this.problems.push(error),
      },
    );
  }

  /** As after SIGKILL: what is in memory is gone. */
  async reopen(): Promise<void> {
    this.close();
    this.open();
    await this.trust.refresh().catch(() => undefined);
  }

  /** Makes the engine never end; resolves when it was asked, so that a question is charged and not answered. */
  hangEngine(): Promise<void> {
    const entered = Promise.withResolvers<void>();
    this.engine = {
      ...this.engine,
      execute: async () => {
        entered.resolve();
        return await new Promise<never>(() => undefined);
      },
    };
    return entered.promise;
  }

  /** A backup of the state file, taken while the repository runs. */
  copyState(): Buffer {
    this.close();
    const backup = readFileSync(this.#file);
    this.open();
    return backup;
  }

  /** Puts a backup in place of the state, and starts from it. */
  async restoreState(backup: Buffer): Promise<void> {
    this.close();
    for (const suffix of ["-wal", "-shm"]) rmSync(`${this.#file}${suffix}`, { force: true });
    writeFileSync(this.#file, backup);
    this.open();
    await this.trust.refresh();
  }

  get #file(): string {
    return join(this.folder, "state.db");
  }

  close(): void {
    this.database.close();
    this.enrolments.close();
  }

  dispose(): void {
    this.close();
    rmSync(this.folder, { recursive: true });
  }

  get offer(): DatasetOffer {
    return {
      dataset: datasetId(this.repositorySigner.address, this.manifest.name),
      repository: this.repositorySigner.address,
      publisher: "Bank",
      peer: { endpoint: "https://repository.test", tlsFingerprint: `0x${"00".repeat(32)}` },
      manifest: this.manifest,
    };
  }

  get question(): Question {
    return { algorithm, parameters: { minimum_age: 16 }, purpose: research };
  }

  querier(peers: Partial<PeerClient> = {}): Querier {
    const { clock, randomness, querierSigner: signer } = this;
    return new Querier({
      deployment: testDeployment,
      chain: this.chain,
      signer,
      peers: { ...this.peers(), ...peers },
      clock,
      randomness,
    });
  }

  /** The wire, without the wire. */
  peers(): PeerClient {
    const url = (path: string) => `https://repository.test/v1/data-sharing/${path}`;
    const here: Partial<PeerClient> = {
      authorise: (_peer, signed, proof) =>
        this.repository.authorise(signed, { proof, method: "POST", url: url("authorisations") }),
      answer: (_peer, token, proof) =>
        this.repository.answer(token, { proof, method: "POST", url: url("answers") }),
      countersign: async (_peer, question, signature) => this.repository.countersign(question, signature),
      giveConsent: async (_peer, signed) => JSON.parse(await this.desk.take(signed)),
      consentEntry: async (_peer, receipt) => entryStatus(this.audit, new BatchTrees(this.audit), receipt),
      entry: async (_peer, question) =>
        entryStatus(this.audit, new BatchTrees(this.audit), this.repository.transcriptOf(question)),
    };
    return here as PeerClient;
  }

  #options(): RepositoryOptions {
    return {
      deployment: testDeployment,
      anchorWithinBlocks: 100,
      tokenLifetimeMs: 300_000,
      replySlotMs: 100,
      dataVersionMs: 86_400_000,
      consentVersionMs: 3_600_000,
      limits: { timeMsMax: 1_000, memoryBytesMax: 2 ** 28 },
      ...this.options,
    };
  }
}
