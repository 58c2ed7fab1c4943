/**
 * A whole network in one process: a real chain over HTTP with the contracts and a council on it, daemons with their own keys, TLS, SQLite
 * and DuckDB, and queriers. Members are certified in one decision at the start, as each takes the council's delay. `close` ends all of it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BaseWallet, encryptKeystoreJson, Wallet } from "ethers";
import { openDatasetStore } from "../../node/adapters/duckdb/duckdb-dataset-store.ts";
import { type ChainConnection, openChain } from "../../node/adapters/ethereum/chain-connection.ts";
import { deployContracts } from "../../node/adapters/ethereum/deploy.ts";
import { EthereumAlgorithmWriter } from "../../node/adapters/ethereum/ethereum-algorithm-writer.ts";
import { EthereumAlgorithms } from "../../node/adapters/ethereum/ethereum-algorithms.ts";
import { EthereumCouncilWriter } from "../../node/adapters/ethereum/ethereum-council-writer.ts";
import { EthereumDirectory } from "../../node/adapters/ethereum/ethereum-directory.ts";
import { EthereumLedger } from "../../node/adapters/ethereum/ethereum-ledger.ts";
import { EthereumMembers } from "../../node/adapters/ethereum/ethereum-members.ts";
import { EthereumSender } from "../../node/adapters/ethereum/ethereum-sender.ts";
import { HttpsPeerClient } from "../../node/adapters/https/peer-client.ts";
import { accountKeyOf } from "../../node/adapters/keys/account-key.ts";
import { writeSecretFile } from "../../node/adapters/keys/secret-file.ts";
import { createTlsCertificate } from "../../node/adapters/keys/tls-certificate.ts";
import { startLocalChain } from "../../node/adapters/local-chain/local-chain.ts";
import { systemClock } from "../../node/adapters/system-clock.ts";
import { SystemRandomness } from "../../node/adapters/system-randomness.ts";
import { createLog } from "../../node/api/log.ts";
import { loadConfig } from "../../node/config.ts";
import { approvalStruct } from "../../node/data-sharing/approval.ts";
import { type Discovery, discoverDatasets } from "../../node/data-sharing/discover.ts";
import {
  type AlgorithmManifest,
  algorithmHash,
} from "../../node/data-sharing/manifests/algorithm-manifest.ts";
import type { DatasetManifest } from "../../node/data-sharing/manifests/dataset-manifest.ts";
import { Querier } from "../../node/data-sharing/querier.ts";
import type { TrustedDataError } from "../../node/errors.ts";
import type { Deployment } from "../../node/ledger/deployment.ts";
import { type NodeHooks, type RunningNode, startNode } from "../../node/node.ts";
import { canonicalJson } from "../../node/primitives/canonical-json.ts";
import { type Hex, sha256Hex } from "../../node/primitives/hex.ts";
import { datasetsFolderName } from "../../node/repository-role.ts";
import { type CouncilAction, certify, registerFramework } from "../../node/trust-framework/council-action.ts";
import type { MemberRole } from "../../node/trust-framework/roles.ts";
import { call, until } from "./https-call.ts";

export const passphrase = "correct horse battery staple";
const councilDelaySeconds = 1;
/** Of one proposal, by TrustCouncil. */
const actionsMax = 16;

export interface NetworkOptions {
  /** How many of each are certified from the start. */
  repositories?: number;
  directories?: number;
  queriers?: number;
  /** Beside these: accounts with ether and no role. */
  strangers?: number;
}

export interface NodeOptions {
  /** Settings over the defaults of tests, by their path in the file. */
  settings?: Record<string, unknown>;
  /** A repository's data; by default 200 people with wages. */
  datasets?: { manifest: DatasetManifest; csv: string }[];
  hooks?: NodeHooks;
}

/** A daemon that is not started yet, or stopped: files on disk, and the account. */
export interface TestNode {
  folder: string;
  configFile: string;
  account: BaseWallet;
  /** Lines of its log, all starts together. */
  log: string[];
  /** Fatal errors of its state: the process would have ended. */
  fatal: TrustedDataError[];
  running: RunningNode | undefined;
  /** Starts it, if it is stopped, and waits until it is ready. */
  start(): Promise<RunningNode>;
  stop(): Promise<void>;
}

export class Network {
  readonly chainUrl: string;
  readonly deployment: Deployment;
  readonly folder: string;
  readonly chain: ChainConnection;
  readonly peers = new HttpsPeerClient({ timeoutMs: 10_000, questionTimeoutMs: 60_000 });
  readonly ledger: EthereumLedger;
  readonly members: EthereumMembers;
  readonly algorithms: EthereumAlgorithms;
  readonly directory: EthereumDirectory;
  readonly council: BaseWallet[];
  readonly vetters: BaseWallet[];
  readonly author: BaseWallet;
  readonly deploymentFile: string;
  readonly #pools: Record<"repository" | "directory" | "querier" | "stranger", BaseWallet[]>;
  readonly #nodes: TestNode[] = [];
  readonly #senders = new Map<string, EthereumSender>();
  readonly #stopChain: () => Promise<void>;
  #salts = 0;

  constructor(world: World) {
    this.chainUrl = world.chainUrl;
    this.deployment = world.deployment;
    this.folder = world.folder;
    this.council = world.council;
    this.vetters = world.vetters;
    this.author = world.author;
    this.#pools = world.pools;
    this.#stopChain = world.stopChain;
    this.deploymentFile = join(world.folder, "deployment.json");
    writeFileSync(this.deploymentFile, JSON.stringify(world.deployment));
    this.chain = openChain({
      urls: [world.chainUrl],
      deployment: world.deployment,
      finalityDepth: 0,
      timeoutMs: 10_000,
      pollMs: 20,
    });
    this.ledger = new EthereumLedger(this.chain);
    this.members = new EthereumMembers(this.chain);
    this.algorithms = new EthereumAlgorithms(this.chain);
    this.directory = new EthereumDirectory(this.chain);
  }

  /** The one sender of an account. */
  sender(account: BaseWallet): EthereumSender {
    const known = this.#senders.get(account.address);
    if (known !== undefined) return known;
    const sender = new EthereumSender({ mineTimeoutMs: 20_000 }, { chain: this.chain, key: account });
    this.#senders.set(account.address, sender);
    return sender;
  }

  /** An account of this kind that nobody has used; certified, unless a stranger. */
  take(kind: "repository" | "directory" | "querier" | "stranger"): BaseWallet {
    const account = this.#pools[kind].shift();
    if (account === undefined) throw new Error(`all of kind ${kind} are used: start the network with more`);
    return account;
  }

  /** Proposed, approved, waited for, executed by the council. */
  async decide(...actions: CouncilAction[]): Promise<void> {
    const [first, second, third] = this.council.map((account) => {
      return new EthereumCouncilWriter({ chain: this.chain, sender: this.sender(account) });
    });
    const id = await first!.propose(actions, "a decision", sha256Hex(`salt ${++this.#salts}`));
    await second!.approve(id);
    await until(
      () =>
        third!.execute(id).then(
          () => true,
          () => false,
        ),
      "the council's decision",
    );
  }

  /** By the emergency quorum, at once. */
  async suspend(member: Hex): Promise<void> {
    for (const account of this.council.slice(0, 2)) {
      const writer = new EthereumCouncilWriter({ chain: this.chain, sender: this.sender(account) });
      await writer.suspend(member, "test");
    }
  }

  async certify(account: BaseWallet, role: MemberRole, controlGroup: string): Promise<void> {
    await this.decide(certifyAction(account, role, controlGroup));
  }

  /** Published by the author, approved by both vetters, and sent to the directories that run. */
  async publishAlgorithm(manifest: AlgorithmManifest, { approved = true } = {}): Promise<Hex> {
    const hash = algorithmHash(manifest);
    const writer = new EthereumAlgorithmWriter({ chain: this.chain, sender: this.sender(this.author) });
    await writer.publish(hash, `urn:sha256:${hash.slice(2)}`, manifest.kind, manifest.dataClass);
    const expiresS = Date.UTC(2099, 0) / 1000;
    for (const vetter of approved ? this.vetters : []) {
      const { signer } = accountKeyOf(vetter);
      const terms = { algorithm: hash, vetter: signer.address, expiresS, reviewHash: sha256Hex("review") };
      const signature = await signer.sign(approvalStruct(this.deployment, terms));
      await writer.approve(hash, signer.address, expiresS, terms.reviewHash, signature);
    }
    for (const entry of await this.directory.entries("directory")) {
      if (this.#nodes.some(({ running }) => running?.endpoint === entry.endpoint))
        await this.peers.pushManifest(entry, hash, canonicalJson(manifest));
    }
    return hash;
  }

  /** A repository with its data, made but not started. */
  async makeRepository(options: NodeOptions = {}): Promise<TestNode> {
    const node = await this.makeNode(["repository"], this.take("repository"), options);
    const folder = join(node.folder, "state", datasetsFolderName);
    const store = openDatasetStore({ folder, randomness: new SystemRandomness() });
    for (const { manifest, csv } of options.datasets ?? [await wages()]) {
      const file = join(node.folder, `${manifest.name}.csv`);
      writeFileSync(file, csv);
      await store.importFile(file, manifest);
    }
    return node;
  }

  async startRepository(options: NodeOptions = {}): Promise<TestNode> {
    const node = await this.makeRepository(options);
    await node.start();
    return node;
  }

  async startDirectory(options: NodeOptions = {}): Promise<TestNode> {
    const node = await this.makeNode(["directory"], this.take("directory"), options);
    await node.start();
    return node;
  }

  /** Keys, certificate and settings of a daemon, in a folder of its own. */
  async makeNode(roles: string[], account: BaseWallet, options: NodeOptions = {}): Promise<TestNode> {
    const folder = mkdtempSync(join(this.folder, `${roles.join("-")}-`));
    const { address, privateKey } = account as Wallet;
    const key = await encryptKeystoreJson({ address, privateKey }, passphrase, { scrypt: { N: 2 } });
    await writeSecretFile(join(folder, "account.json"), key);
    const tls = { certFile: join(folder, "tls.pem"), keyFile: join(folder, "tls-key.pem") };
    await createTlsCertificate(tls, passphrase, { names: ["127.0.0.1"] });
    const configFile = join(folder, "node.json");
    writeFileSync(configFile, JSON.stringify(this.#settings(roles, options.settings ?? {})));
    const node = testNode(folder, configFile, account, options.hooks ?? {});
    this.#nodes.push(node);
    return node;
  }

  /** A certified querier, or the account that is given. */
  querier(account: BaseWallet = this.take("querier")): { account: BaseWallet; querier: Querier } {
    const { signer } = accountKeyOf(account);
    const randomness = new SystemRandomness();
    const { deployment, peers, ledger: chain } = this;
    const modules = { deployment, chain, signer, peers, clock: systemClock, randomness };
    return { account, querier: new Querier(modules) };
  }

  async discover(text = ""): Promise<Discovery> {
    return await discoverDatasets(text, this);
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
    await this.peers.close();
    await this.chain.close();
    await this.#stopChain();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #settings(roles: string[], changes: Record<string, unknown>): object {
    return nested({
      roles,
      name: `Test ${roles.join(" and ")}`,
      stateFolder: "state",
      "account.keyFile": "account.json",
      "tls.certificateFile": "tls.pem",
      "tls.keyFile": "tls-key.pem",
      "listen.port": 0,
      "chain.urls": [this.chainUrl],
      "chain.deploymentFile": this.deploymentFile,
      "chain.finalityDepth": 0,
      "chain.pollMs": 20,
      "anchoring.intervalSeconds": 0.5,
      "anchoring.countersignSecondsMax": 2,
      "questions.replySlotMs": 20,
      "limits.requestsPerMinute": 1_000_000,
      "limits.questionsPerMinute": 1_000_000,
      "catalogue.watchSeconds": 0.2,
      "log.level": "debug",
      ...changes,
    });
  }
}

interface World {
  chainUrl: string;
  deployment: Deployment;
  folder: string;
  council: BaseWallet[];
  vetters: BaseWallet[];
  author: BaseWallet;
  pools: Record<"repository" | "directory" | "querier" | "stranger", BaseWallet[]>;
  stopChain: () => Promise<void>;
}

export async function startNetwork(options: NetworkOptions = {}): Promise<Network> {
  const { repositories = 3, directories = 2, queriers = 3, strangers = 3 } = options;
  const accounts = (count: number): BaseWallet[] =>
    Array.from({ length: count }, () => new Wallet(Wallet.createRandom().privateKey));
  const council = accounts(3);
  const vetters = accounts(2);
  const [author, deployer] = accounts(2) as [BaseWallet, BaseWallet];
  const pools = {
    repository: accounts(repositories),
    directory: accounts(directories),
    querier: accounts(queriers),
    stranger: accounts(strangers),
  };
  const folder = mkdtempSync(join(tmpdir(), "itd-network-"));
  mkdirSync(join(folder, "chain"));
  const all = [...council, ...vetters, author, deployer, ...Object.values(pools).flat()];
  const local = await startLocalChain({
    folder: join(folder, "chain"),
    accounts: all.map(({ address }) => ({ address, balanceWei: 10n ** 21n })),
    heartbeatSeconds: 5,
    clock: systemClock,
  });
  const deployment = await deployContracts(local.url, local.chainId, deployer as Wallet, {
    members: council.map(({ address }) => address),
    threshold: 2,
    emergencyQuorum: 2,
    minDelaySeconds: councilDelaySeconds,
    requiredApprovals: 2,
  });
  const stopChain = () => local.close();
  const network = new Network({
    chainUrl: local.url,
    deployment,
    folder,
    council,
    vetters,
    author,
    pools,
    stopChain,
  });
  const rules = {
    rulesHash: sha256Hex("rules"),
    rulesUri: "https://example.org/rules",
    jurisdiction: "EU",
    levels: ["low", "high"],
  };
  const members = (["repository", "directory", "querier"] as const).flatMap((role) =>
    pools[role].map((account, i) => certifyAction(account, role, `${role}-group-${i}`)),
  );
  const actions = [
    registerFramework("eu", rules),
    certifyAction(author, "querier", "author-group"),
    ...vetters.map((account, i) => certifyAction(account, "vetter", `vetter-group-${i}`)),
    ...members,
  ];
  try {
    for (let i = 0; i < actions.length; i += actionsMax)
      await network.decide(...actions.slice(i, i + actionsMax));
  } catch (error) {
    await network.close();
    throw error;
  }
  return network;
}

/** 200 people, one row each. */
export async function wages(name = "wages", over: Partial<DatasetManifest> = {}) {
  const { datasetManifest } = await import("./repository-world.ts");
  const rows = Array.from({ length: 200 }, (_, i) =>
    [`person-${i}`, (5 + (i % 40) * 0.5).toFixed(2), 18 + (i % 50), i % 4 === 0 ? "yes" : "no"].join(","),
  );
  return {
    manifest: datasetManifest({ name, ...over }),
    csv: ["id,wage,age,member", ...rows, ""].join("\n"),
  };
}

function certifyAction(account: BaseWallet, role: MemberRole, controlGroup: string): CouncilAction {
  return certify(account.address.toLowerCase(), role, {
    framework: "eu",
    jurisdiction: "EU",
    controlGroup,
    maxGrade: 0,
    validFromS: 0,
    validUntilS: Date.UTC(2100, 0) / 1000,
    identityPolicyHash: sha256Hex("identity policy"),
    securityPolicyHash: sha256Hex("security policy"),
    privacyPolicyHash: sha256Hex("privacy policy"),
    dataClasses: role === "vetter" ? ["wages", "visits", "trips"] : [],
  });
}

function testNode(folder: string, configFile: string, account: BaseWallet, hooks: NodeHooks): TestNode {
  const log: string[] = [];
  const fatal: TrustedDataError[] = [];
  const node: TestNode = {
    folder,
    configFile,
    account,
    log,
    fatal,
    running: undefined,
    async start() {
      if (node.running !== undefined) return node.running;
      const config = loadConfig(configFile, { ITD_PASSPHRASE: passphrase });
      const stream = { write: (line: string) => void log.push(line) };
      const running = await startNode(config, {
        log: createLog(config.logLevel, stream),
        onFatal: (error) => fatal.push(error),
        ...hooks,
      });
      node.running = running;
      await until(
        async () => (await call(running.endpoint, "GET /ready")).status === 200,
        "the node is ready",
      );
      return running;
    },
    async stop() {
      const { running } = node;
      node.running = undefined;
      await running?.close();
    },
  };
  return node;
}

/** `{"a.b": 1}` to `{a: {b: 1}}`. */
function nested(flat: Record<string, unknown>): object {
  const document: Record<string, Record<string, unknown> | unknown> = {};
  for (const [path, value] of Object.entries(flat)) {
    const [first, second] = path.split(".") as [string, string?];
    if (second === undefined) document[first] = value;
    else document[first] = { ...(document[first] as object | undefined), [second]: value };
  }
  return document;
}
