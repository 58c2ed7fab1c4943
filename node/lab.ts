/**
 * The Living Lab (`itd lab`): a local chain and five organisations on this machine, each with a daemon of its own. The first start makes
 * keys, deploys, certifies through the council, imports data and has algorithms vetted; later ones continue. Nothing that it starts
 * survives it.
 */
import { createWriteStream } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type DuckDbDatasetStore, openDatasetStore } from "./adapters/duckdb/duckdb-dataset-store.ts";
import { openChain } from "./adapters/ethereum/chain-connection.ts";
import { deployContracts } from "./adapters/ethereum/deploy.ts";
import type { AccountKey } from "./adapters/keys/account-key.ts";
import { type LocalChain, startLocalChain } from "./adapters/local-chain/local-chain.ts";
import { systemClock } from "./adapters/system-clock.ts";
import { SystemRandomness } from "./adapters/system-randomness.ts";
import type { LabOptions } from "./cli/context.ts";
import { openClient } from "./client.ts";
import { defaultLabState } from "./client-config.ts";
import {
  type AlgorithmManifest,
  parseAlgorithmManifest,
} from "./data-sharing/manifests/algorithm-manifest.ts";
import { type DatasetManifest, parseDatasetManifest } from "./data-sharing/manifests/dataset-manifest.ts";
import { TrustedDataError } from "./errors.ts";
import { importOwnData, requireOwnData } from "./lab-own-data.ts";
import { type RunningDaemon, startDaemon } from "./lab-processes.ts";
import { LabState } from "./lab-state.ts";
import type { Deployment } from "./ledger/deployment.ts";
import { certifyOrganisations } from "./living-lab/certify-organisations.ts";
import {
  algorithmManifestUrl,
  algorithmNames,
  datasetLines,
  datasetManifestUrl,
} from "./living-lab/content.ts";
import { writeCsv } from "./living-lab/data/csv.ts";
import { authorId, type OrganisationId, organisations } from "./living-lab/organisations.ts";
import { overviewAlgorithm } from "./living-lab/own-data.ts";
import type { LabOutput, LabParties } from "./living-lab/ports.ts";
import { publishAlgorithms } from "./living-lab/publish-algorithms.ts";
import { tour } from "./living-lab/run-tour.ts";
import type { Hex } from "./primitives/hex.ts";
import { datasetsFolderName } from "./repository-role.ts";

const chainId = 31_337;
const seed = "living-lab";
/** Plenty for a lifetime of anchors. */
const balanceWei = 10n ** 24n;
const council = { threshold: 3, emergencyQuorum: 2, minDelaySeconds: 1, requiredApprovals: 2 };
/** A tour waits for batches; a lab that stays up would fill its journal. */
const anchorSeconds = { once: 2, staying: 10 };
/** The council's delay passes on the chain's clock, which only blocks move. */
const heartbeatSeconds = 2;
const readyPollMs = 200;
const readyMsMax = 60_000;

/** Runs until the tour is over (`once`), a signal comes, or a part of the lab fails. */
export async function runLab(options: LabOptions, output: LabOutput): Promise<void> {
  if (options.data !== undefined) await requireOwnData(options.data);
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, stop);
  const cleanup = new AsyncDisposableStack();
  // The clock's timers do not keep a process alive; the lab is alive until it says otherwise.
  const alive = setInterval(() => undefined, 60_000);
  try {
    await unlessStopped(stopping.signal, runUntilToured(options, output, cleanup, stop));
    if (!options.once && !stopping.signal.aborted) await aborted(stopping.signal);
  } finally {
    output.progress("stopping");
    await cleanup.disposeAsync();
    clearInterval(alive);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(signal, stop);
  }
}

async function runUntilToured(
  options: LabOptions,
  output: LabOutput,
  cleanup: AsyncDisposableStack,
  stop: () => void,
): Promise<void> {
  const state = new LabState(options.state);
  if (options.fresh) await state.clear();
  const before = await state.mark();
  const people = before?.people ?? options.people;
  if (before === undefined) await state.writeMark(people);
  output.progress(before === undefined ? "making keys and certificates" : "continuing the lab that is here");
  const accounts = await state.openAccounts();
  const chain = await startChain(state, accounts, output, stop);
  cleanup.defer(() => chain.close());
  const deployment = await deployOnce(state, chain, accounts, output);
  await state.writeConfigurations(
    chain.url,
    options.once ? anchorSeconds.once : anchorSeconds.staying,
    authorId,
  );
  const parties = await openParties(state, cleanup);
  await certifyOrganisations(parties, output.progress);
  await importDatasets(state, people, options.data, output);
  await state.writeMark(people, addressesOf(accounts));
  const daemons = await startDaemons(state, output, cleanup, stop);
  await untilReady(daemons, parties);
  const own = bankStore(state)
    .manifests()
    .flatMap((manifest) => overviewAlgorithm(manifest) ?? []);
  const manifests = [...(await readAlgorithms()), ...own];
  const algorithms = await publishAlgorithms(manifests, parties, output.progress);
  const stateOption = resolve(options.state) === resolve(defaultLabState) ? "" : ` --state ${options.state}`;
  const document = await tour({
    parties,
    algorithms,
    output,
    writeReceipt: receiptWriter(state),
    stateOption,
    staysUp: !options.once,
  });
  output.document({ ...document, chain: await chainFigures(chain, deployment, accounts) });
}

async function startChain(
  { chainFolder }: LabState,
  accounts: Readonly<Record<OrganisationId, AccountKey>>,
  output: LabOutput,
  stop: () => void,
): Promise<LocalChain> {
  output.progress("starting the chain");
  return await startLocalChain({
    folder: chainFolder,
    chainId,
    accounts: Object.values(addressesOf(accounts)).map((address) => ({ address, balanceWei })),
    heartbeatSeconds,
    clock: systemClock,
    onReplay: (done, total) => {
      if (done % 1_000 === 0 || done === total)
        output.progress(`replaying the chain: ${done} of ${total} blocks`);
    },
    onFailure: stop,
  });
}

async function deployOnce(
  state: LabState,
  chain: LocalChain,
  accounts: Readonly<Record<OrganisationId, AccountKey>>,
  output: LabOutput,
): Promise<Deployment> {
  const known = await state.readDeployment();
  if (known !== undefined) return known;
  output.progress("deploying the five contracts");
  const members = Object.values(addressesOf(accounts));
  const { wallet } = accounts[authorId];
  const deployment = await deployContracts(chain.url, chainId, wallet, { members, ...council });
  await state.writeDeployment(deployment);
  return deployment;
}

async function openParties(state: LabState, cleanup: AsyncDisposableStack): Promise<LabParties> {
  const pairs = organisations.map(async ({ id }) => {
    const client = await openClient({ client: state.clientFile(id) });
    cleanup.defer(() => client.close());
    return [id, client] as const;
  });
  return Object.fromEntries(await Promise.all(pairs)) as unknown as LabParties;
}

async function importDatasets(
  state: LabState,
  people: number,
  ownFile: string | undefined,
  output: LabOutput,
): Promise<void> {
  for (const organisation of organisations) {
    if (organisation.datasets.length === 0) continue;
    const folder = join(state.nodeStateFolder(organisation.id), datasetsFolderName);
    const store = openDatasetStore({ folder, randomness: new SystemRandomness() });
    const known = new Set(store.manifests().map(({ name }) => name));
    for (const name of organisation.datasets) {
      if (known.has(name)) continue;
      const manifest = await readDataset(name);
      output.progress(`${organisation.title} imports ${name}${manifest.synthetic ? " (synthetic)" : ""}`);
      const file = join(state.organisationFolder(organisation.id), `${name}.csv`);
      await writeLines(file, datasetLines[name]!(people, seed));
      await store.importFile(file, manifest);
      await rm(file);
    }
  }
  if (ownFile !== undefined) await importOwnData(bankStore(state), ownFile, output);
}

/** Where the user's own data goes. */
function bankStore(state: LabState): DuckDbDatasetStore {
  const folder = join(state.nodeStateFolder("bank"), datasetsFolderName);
  return openDatasetStore({ folder, randomness: new SystemRandomness() });
}

async function startDaemons(
  state: LabState,
  output: LabOutput,
  cleanup: AsyncDisposableStack,
  stop: () => void,
): Promise<RunningDaemon[]> {
  output.progress("starting five organisations, each a process of its own");
  return await Promise.all(
    organisations.map(async ({ id, title }) => {
      const logFile = join(state.organisationFolder(id), "node.log");
      const daemon = await startDaemon(title, state.configFile(id), logFile);
      let stopping = false;
      cleanup.defer(async () => {
        stopping = true;
        await daemon.stop();
      });
      void daemon.ended.then((ending) => {
        if (stopping) return;
        output.progress(
          `the node of ${title} ended by itself (${ending}), so the lab stops; its log: ${logFile}`,
        );
        stop();
      });
      return daemon;
    }),
  );
}

/** Until every node that is certified now has its present address on the chain, and every such repository may answer. */
async function untilReady(daemons: readonly RunningDaemon[], parties: LabParties): Promise<void> {
  const deadlineMs = Date.now() + readyMsMax;
  const { directory, chain } = parties[authorId];
  for (;;) {
    const all = [...(await directory.entries("repository")), ...(await directory.entries("directory"))];
    const uncertified = all.filter(({ certified }) => !certified).map(({ member }) => member);
    const entries = all.filter(({ certified }) => certified);
    const expected = daemons.filter(({ up }) => !uncertified.includes(up.address));
    const missing = expected.filter(({ up }) => !entries.some(({ endpoint }) => endpoint === up.endpoint));
    const isListed = missing.length === 0;
    const repositories = entries.filter(({ role }) => role === "repository");
    const anchors = await Promise.all(
      repositories.map(async ({ member }) => await chain.latestAnchor(member)),
    );
    if (isListed && anchors.every((anchor) => anchor !== undefined)) return;
    if (Date.now() > deadlineMs) {
      throw new TrustedDataError(
        "daemon_failed",
        `The organisations' nodes are not ready in time (${missing.map(({ name }) => name).join(", ") || "the first batches are missing"}); see the file node.log of each.`,
      );
    }
    await sleep(readyPollMs);
  }
}

async function chainFigures(
  { url }: LocalChain,
  deployment: Deployment,
  accounts: Readonly<Record<OrganisationId, AccountKey>>,
): Promise<{ blockNumber: number; transactions: number }> {
  const connection = openChain({ urls: [url], deployment, finalityDepth: 0 });
  try {
    const counts = await Promise.all(
      Object.values(addressesOf(accounts)).map(async (address) => {
        const { result } = await connection.ask("eth_getTransactionCount", [address, "latest"]);
        return Number(result);
      }),
    );
    const { number } = await connection.newestBlock();
    return { blockNumber: number, transactions: counts.reduce((sum, count) => sum + count, 0) };
  } finally {
    await connection.close();
  }
}

function receiptWriter({ receiptsFolder }: LabState): (name: string, text: string) => Promise<string> {
  return async (name, text) => {
    await mkdir(receiptsFolder, { recursive: true });
    const path = join(receiptsFolder, `${name}.json`);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
}

async function readAlgorithms(): Promise<AlgorithmManifest[]> {
  return await Promise.all(
    algorithmNames.map(async (name) =>
      parseAlgorithmManifest(await readFile(algorithmManifestUrl(name), "utf8")),
    ),
  );
}

async function readDataset(name: string): Promise<DatasetManifest> {
  return parseDatasetManifest(await readFile(datasetManifestUrl(name), "utf8"));
}

async function writeLines(file: string, lines: Iterable<string>): Promise<void> {
  const stream = createWriteStream(file, { mode: 0o600 });
  await writeCsv(lines, async (text) => {
    if (!stream.write(text)) await new Promise<void>((resolve) => stream.once("drain", () => resolve()));
  });
  stream.end();
  await finished(stream);
}

function addressesOf(accounts: Readonly<Record<OrganisationId, AccountKey>>): Record<OrganisationId, Hex> {
  const pairs = Object.entries(accounts).map(([id, { signer }]) => [id, signer.address]);
  return Object.fromEntries(pairs) as Record<OrganisationId, Hex>;
}

/** Ends early, without an error, when told to stop; what is under way is cut off by the clean-up. */
async function unlessStopped(signal: AbortSignal, work: Promise<void>): Promise<void> {
  const stopped = aborted(signal);
  await Promise.race([work, stopped]);
  if (signal.aborted) work.catch(() => undefined);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
