/** A repository as the daemon runs it: its data, its log and the anchoring of it, its view of the chain, its catalogue. */
import { join } from "node:path";
import { DuckDbEngine } from "./adapters/duckdb/duckdb-engine.ts";
import { EthereumAlgorithms } from "./adapters/ethereum/ethereum-algorithms.ts";
import { EthereumAnchorWriter } from "./adapters/ethereum/ethereum-anchor-writer.ts";
import { EthereumDirectory } from "./adapters/ethereum/ethereum-directory.ts";
import { EthereumDirectoryWriter } from "./adapters/ethereum/ethereum-directory-writer.ts";
import { EthereumMembers } from "./adapters/ethereum/ethereum-members.ts";
import { openPersonSecret } from "./adapters/keys/person-secret.ts";
import { PostgresEngine } from "./adapters/postgresql/postgres-engine.ts";
import { RoutedEngine } from "./adapters/routed-engine.ts";
import { enrolmentFileName, openEnrolmentFile } from "./adapters/sqlite/enrolment-file.ts";
import { SqliteAuditStore } from "./adapters/sqlite/sqlite-audit-store.ts";
import { SqliteConsentStore } from "./adapters/sqlite/sqlite-consent-store.ts";
import { SqliteDirectoryStore } from "./adapters/sqlite/sqlite-directory-store.ts";
import { SqliteQuestionStore } from "./adapters/sqlite/sqlite-question-store.ts";
import { systemClock } from "./adapters/system-clock.ts";
import { SystemRandomness } from "./adapters/system-randomness.ts";
import { consentRoutes } from "./api/consent.ts";
import { dataSharingRoutes } from "./api/data-sharing.ts";
import { ledgerRoutes } from "./api/ledger.ts";
import type { Metrics } from "./api/metrics.ts";
import { consentCountsLoop } from "./consent-counts.ts";
import { openCustodianData } from "./custodian-data.ts";
import { budgetLines } from "./data-sharing/accounting/reserve.ts";
import { AlgorithmLookup } from "./data-sharing/algorithm-lookup.ts";
import { signedBudget } from "./data-sharing/budget-statement.ts";
import { ConsentDesk } from "./data-sharing/consent/consent-desk.ts";
import { ConsentedPeople } from "./data-sharing/consent/consented-people.ts";
import { CataloguePublisher } from "./data-sharing/publish-catalogue.ts";
import { datasetId } from "./data-sharing/question-request.ts";
import { entryStatus } from "./data-sharing/receipt.ts";
import { Repository } from "./data-sharing/repository.ts";
import { TrustView } from "./data-sharing/trust-view.ts";
import { Anchoring } from "./ledger/anchoring.ts";
import { BatchTrees } from "./ledger/batch-trees.ts";
import type { NodeParts, Role } from "./role.ts";

/** Of the state folder; `itd dataset add` writes there too. */
export const datasetsFolderName = "datasets";
export const databasesFolderName = "postgresql";

/** What the chain says about queriers and algorithms is read ahead at least so often. */
const refreshMsMax = 60_000;

export function joinRepository(
  parts: NodeParts,
  { endpoint, metrics }: { endpoint: () => string; metrics: Metrics },
): Role {
  const { config, deployment, log, account, database, chain, ledger, sender, peers, onProblem, onFatal } =
    parts;
  const { signer } = account;
  const clock = systemClock;
  const randomness = new SystemRandomness();
  const filesFolder = join(config.stateFolder, datasetsFolderName);
  const databasesFolder = join(config.stateFolder, databasesFolderName);
  const { datasets, isInDatabase } = openCustodianData({
    filesFolder,
    databasesFolder,
    randomness,
    onDamaged: (dataset, { message }) => log.error({ dataset, reason: message }, "a dataset is not offered"),
  });
  const onUnavailable = (dataset: string, reason: string) =>
    log.error({ dataset, reason }, "a dataset cannot be asked");
  const files = new DuckDbEngine({ folder: filesFolder, onUnavailable });
  const databases = new PostgresEngine({
    folder: databasesFolder,
    concurrency: config.databaseConnectionsMax,
    personSecret: () => openPersonSecret(filesFolder, randomness),
    onUnavailable,
  });
  const engine = new RoutedEngine((dataset) => (isInDatabase(dataset) ? databases : files));
  const questions = new SqliteQuestionStore({ database, randomness, clock });
  const audit = new SqliteAuditStore(database);
  const consents = new SqliteConsentStore(database);
  const enrolments = openEnrolmentFile(join(config.stateFolder, enrolmentFileName), randomness);
  const datasetIdOf = (name: string) => datasetId(signer.address, name);
  const people = new ConsentedPeople({ clock, enrolments, consents, datasetIdOf });
  const desk = new ConsentDesk(
    { deployment, publisher: config.name, anchorWithinBlocks: config.anchorWithinBlocks },
    { clock, signer, chain: ledger, datasets, enrolments, consents, people },
  );
  const trees = new BatchTrees(audit);
  const members = new EthereumMembers(chain);
  const algorithms = new EthereumAlgorithms(chain);
  const directory = new EthereumDirectory(chain);

  const chainAgeMsMax = config.chainAgeSecondsMax * 1000;
  const trust = new TrustView(
    { repository: signer.address, chainAgeMsMax, refreshMs: Math.min(refreshMsMax, chainAgeMsMax / 4) },
    { chain: ledger, members, algorithms, clock },
  );
  const store = new SqliteDirectoryStore(database);
  const repository = new Repository(
    {
      deployment,
      anchorWithinBlocks: config.anchorWithinBlocks,
      tokenLifetimeMs: config.tokenLifetimeSeconds * 1000,
      replySlotMs: config.replySlotMs,
      dataVersionMs: config.dataVersionSeconds * 1000,
      consentVersionMs: config.consentVersionSeconds * 1000,
      limits: {
        timeMsMax: config.engineSecondsMax * 1000,
        memoryBytesMax: config.engineMemoryMiBMax * 1024 * 1024,
      },
    },
    {
      clock,
      randomness,
      signer,
      trust,
      datasets,
      engine,
      questions,
      people,
      audit,
      algorithms: new AlgorithmLookup({ directory, peers, store, onProblem }),
      onEngineFailure: (dataset, { code }) => log.error({ dataset, code }, "the engine failed"),
    },
  );
  const anchoring = new Anchoring(
    {
      party: signer.address,
      intervalMs: config.anchorIntervalSeconds * 1000,
      countersignMsMax: config.countersignSecondsMax * 1000,
    },
    {
      clock,
      randomness,
      audit,
      chain: ledger,
      writer: new EthereumAnchorWriter({ ledger, sender }),
      budgets: () => budgetLines(signer.address, datasets.manifests(), questions),
      onAnchored: ({ sequence, entryCount }, tree) => {
        if (tree !== undefined) trees.keep(sequence, tree);
        log.info({ sequence, entryCount }, "a batch is anchored");
      },
      onProblem,
      onConflict: onFatal,
    },
  );
  const publisher = new CataloguePublisher(
    {
      deployment,
      publisher: config.name,
      watchMs: config.catalogueWatchSeconds * 1000,
      repeatMs: config.catalogueRepeatSeconds * 1000,
    },
    {
      clock,
      signer,
      datasets,
      directory,
      writer: new EthereumDirectoryWriter({ chain, sender }),
      peers,
      onProblem,
    },
  );
  metrics.watchRepository({
    // An entry that is seen before its reply leaves would tell when the engine was done.
    openEntries: () => audit.openEntryCount(clock.nowMs()),
    batchesAnchored: () => {
      const latest = audit.latestBatch();
      return latest === undefined ? 0 : latest.sequence - (latest.anchored === undefined ? 1 : 0);
    },
    budgetSpent: () =>
      datasets.manifests().map(({ name }) => {
        return { dataset: name, microRho: questions.spent(datasetId(signer.address, name)) };
      }),
  });
  const notReady = () =>
    anchoring.isReady ? undefined : "The repository's log is not anchored yet; ask again in a minute.";
  return {
    routes: [
      ...dataSharingRoutes({
        repository,
        endpoint,
        notReady,
        entryStatus: (transcript) => entryStatus(audit, trees, transcript),
        catalogue: () => publisher.catalogue(),
        budget: (dataset) => signedBudget(dataset, deployment, { clock, signer, datasets, questions }),
        metrics,
      }),
      ...consentRoutes({ desk, entryStatus: (receipt) => entryStatus(audit, trees, receipt) }),
      ...ledgerRoutes(audit),
    ],
    notReadyReasons: () => {
      const reason = notReady();
      const anchored = reason === undefined ? [] : [{ code: "not_ready", reason }];
      if (publisher.isPublished) return anchored;
      const unpublished =
        "The repository's entry is not on the chain; is it certified, and does its account hold ether?";
      return [...anchored, { code: "not_ready", reason: unpublished }];
    },
    loops: [
      (_own, signal) => trust.run(signal, onProblem),
      (_own, signal) => anchoring.run(signal),
      (own, signal) => publisher.run(own, signal),
      (_own, signal) => consentCountsLoop(config.stateFolder, { clock, datasets, people, onProblem }, signal),
    ],
    close: () => {
      files.close();
      databases.close().catch(onProblem);
      enrolments.close();
    },
  };
}
