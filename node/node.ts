/**
 * The daemon: joins nouns, adapters and api for the roles that its settings name. The one place that knows them all.
 *
 * It fails closed: a repository answers nothing before its log is known to be the newest one, and a state file that cannot be trusted
 * any more ends the process.
 */
import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import type { Logger } from "pino";
import { openChain } from "./adapters/ethereum/chain-connection.ts";
import { EthereumLedger } from "./adapters/ethereum/ethereum-ledger.ts";
import { EthereumSender } from "./adapters/ethereum/ethereum-sender.ts";
import { HttpsPeerClient } from "./adapters/https/peer-client.ts";
import { openAccountKey } from "./adapters/keys/account-key.ts";
import { readSecretFile } from "./adapters/keys/secret-file.ts";
import { openTlsCertificate } from "./adapters/keys/tls-certificate.ts";
import { openStateDatabase } from "./adapters/sqlite/state-database.ts";
import { systemClock } from "./adapters/system-clock.ts";
import { createLog, loggable } from "./api/log.ts";
import { Metrics } from "./api/metrics.ts";
import { operationsRoutes } from "./api/operations.ts";
import { listen } from "./api/server.ts";
import type { NodeConfig } from "./config.ts";
import { joinDirectory } from "./directory-role.ts";
import { TrustedDataError } from "./errors.ts";
import { type Deployment, deploymentSchema } from "./ledger/deployment.ts";
import type { Block } from "./ledger/ports.ts";
import type { Hex } from "./primitives/hex.ts";
import { parseStrictJson } from "./primitives/strict-json.ts";
import { joinRepository } from "./repository-role.ts";
import type { NodeParts, OwnPeer, Role } from "./role.ts";

export interface RunningNode {
  /** Where others reach it. */
  endpoint: string;
  /** SHA-256 of its TLS certificate. */
  fingerprint: Hex;
  /** The account it signs with. */
  address: Hex;
  /** Takes no more requests, lets those in flight end, stops its loops, closes its stores. */
  close(): Promise<void>;
}

export interface NodeHooks {
  log?: Logger;
  /** The state is not to be trusted any more; by default the process ends with 1. */
  onFatal?: (error: TrustedDataError) => void;
}

/** Requests in flight may end within this; more than the engine's default limit would keep a service manager waiting. */
const requestGraceMs = 10_000;
/**
 * Loops that wait for the chain are given up after this. A last batch that is closed here counts as such whether or not it is mined in time
 * (ledger/anchoring.ts).
 */
const loopGraceMs = 5_000;
const headWatchMs = 5_000;

/** @throws TrustedDataError what is wrong with settings, keys, state or port; then nothing is left running. */
export async function startNode(config: NodeConfig, hooks: NodeHooks = {}): Promise<RunningNode> {
  const cleanup = new AsyncDisposableStack();
  try {
    return await start(config, hooks, cleanup);
  } catch (error) {
    await cleanup.disposeAsync();
    throw error;
  }
}

async function start(
  config: NodeConfig,
  hooks: NodeHooks,
  cleanup: AsyncDisposableStack,
): Promise<RunningNode> {
  const log = hooks.log ?? createLog(config.logLevel);
  let isClosing = false;
  const onFatal = (error: TrustedDataError) => {
    if (isClosing) return;
    log.fatal(loggable(error), "the state cannot be trusted any more");
    (hooks.onFatal ?? (() => process.exit(1)))(error);
  };
  const onProblem = (error: unknown) => {
    if (!isClosing) log.warn(loggable(error), "will be tried again");
  };

  const deployment = readDeployment(config.deploymentFile);
  const passphrase = await readPassphrase(config);
  const tlsFiles = { certFile: config.tlsCertificateFile, keyFile: config.tlsKeyFile };
  const [account, tls] = await Promise.all([
    openAccountKey(config.accountKeyFile, passphrase),
    openTlsCertificate(tlsFiles, passphrase),
  ]);
  const database = openStateDatabase(join(config.stateFolder, "state.sqlite"), { onFatal });
  cleanup.defer(() => database.close());
  const chain = openChain({
    urls: config.chainUrls,
    deployment,
    finalityDepth: config.finalityDepth,
    timeoutMs: config.chainTimeoutMs,
    pollMs: config.chainPollMs,
  });
  cleanup.defer(() => chain.close());
  const peers = new HttpsPeerClient({
    timeoutMs: config.peerSecondsMax * 1000,
    questionTimeoutMs: (config.peerSecondsMax + config.engineSecondsMax) * 1000,
  });
  cleanup.defer(() => peers.close());
  const ledger = new EthereumLedger(chain);
  const sender = new EthereumSender({}, { chain, key: account.wallet });
  const shared = { config, deployment, log, account, database, chain, ledger, sender, peers };
  const parts: NodeParts = { ...shared, onProblem, onFatal };

  const watch = new HeadWatch(ledger, config.chainAgeSecondsMax * 1000);
  let endpoint = config.endpoint ?? "";
  const metrics = new Metrics(() => watch.seen);
  const roles: Role[] = [];
  const openRole = (role: Role) => {
    cleanup.defer(() => role.close());
    roles.push(role);
  };
  if (config.roles.includes("repository"))
    openRole(joinRepository(parts, { endpoint: () => endpoint, metrics }));
  if (config.roles.includes("directory")) openRole(joinDirectory(parts));

  const notReadyReasons = () => [
    ...watch.notReadyReasons(),
    ...roles.flatMap((role) => role.notReadyReasons()),
  ];
  const routes = roles.flatMap((role) => role.routes);
  const operations = { notReadyReasons, metrics, areMetricsPublic: config.metricsPublic };
  const server = await listen(
    {
      host: config.listenHost,
      port: config.listenPort,
      tls: { certificate: tls.certPem, key: tls.keyPem },
      requestsPerMinute: config.requestsPerMinute,
      questionsPerMinute: config.questionsPerMinute,
      connectionsMax: config.connectionsMax,
      connectionsPerAddressMax: config.connectionsPerAddressMax,
    },
    { routes: [...routes, ...operationsRoutes(operations, routes)], log, metrics },
  );
  const { host, port } = server;
  endpoint ||= new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`).origin;

  const stop = new AbortController();
  const own = { endpoint, tlsFingerprint: tls.fingerprint };
  const loops = [...roles.flatMap((role) => role.loops), watch.loop(onProblem)];
  const running = Promise.allSettled(loops.map((loop) => loop(own, stop.signal)));
  cleanup.defer(async () => {
    await server.close(requestGraceMs);
    isClosing = true;
    stop.abort();
    await Promise.race([running, systemClock.sleep(loopGraceMs)]);
  });
  const { address } = account.signer;
  log.info({ endpoint, address, roles: config.roles, fingerprint: tls.fingerprint }, "the node is up");
  let closed: Promise<void> | undefined;
  return {
    endpoint,
    fingerprint: tls.fingerprint,
    address,
    close: () => {
      closed ??= cleanup.disposeAsync().then(() => log.info({ endpoint }, "the node is down"));
      return closed;
    },
  };
}

/** Remembers when the chain was last seen, and its head. */
class HeadWatch {
  readonly #ledger: EthereumLedger;
  readonly #ageMsMax: number;
  #head: Block | undefined;
  #seenMs: number | undefined;

  constructor(ledger: EthereumLedger, ageMsMax: number) {
    this.#ledger = ledger;
    this.#ageMsMax = ageMsMax;
  }

  get seen(): { head: Block; nowMs: number } | undefined {
    return this.#head && { head: this.#head, nowMs: systemClock.nowMs() };
  }

  notReadyReasons(): { code: string; reason: string }[] {
    const isFresh = this.#seenMs !== undefined && systemClock.nowMs() - this.#seenMs <= this.#ageMsMax;
    if (isFresh) return [];
    return [{ code: "chain_stale", reason: "The chain has not been reached, or not for too long." }];
  }

  loop(onProblem: (error: unknown) => void): (own: OwnPeer, signal: AbortSignal) => Promise<void> {
    return async (_own, signal) => {
      while (!signal.aborted) {
        try {
          this.#head = await this.#ledger.head();
          this.#seenMs = systemClock.nowMs();
        } catch (error) {
          onProblem(error);
        }
        await systemClock.sleep(headWatchMs, signal).catch(() => undefined);
      }
    };
  }
}

function readDeployment(file: string): Deployment {
  try {
    const parsed = deploymentSchema.safeParse(parseStrictJson(readFileSync(file, "utf8")));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0]!;
    throw new TrustedDataError(
      "config_invalid",
      `The deployment file ${file} is not usable: ${issue.path.join(".") || "document"}: ${issue.message}.`,
      { "chain.deploymentFile": issue.message },
    );
  } catch (error) {
    if (error instanceof TrustedDataError && error.code === "config_invalid") throw error;
    const reason =
      error instanceof TrustedDataError
        ? error.message
        : ((error as NodeJS.ErrnoException).code ?? "unknown");
    throw new TrustedDataError(
      "config_invalid",
      `The deployment file ${file} cannot be read (${reason}); copy it from whoever deployed the contracts.`,
      { "chain.deploymentFile": reason },
    );
  }
}

async function readPassphrase({ passphrase, passphraseFile }: NodeConfig): Promise<string> {
  if (passphrase !== null) return passphrase;
  if (passphraseFile !== null) return (await readSecretFile(passphraseFile)).split(/\r?\n/)[0]!;
  throw new TrustedDataError(
    "config_invalid",
    "No passphrase opens the keys: set ITD_PASSPHRASE, or account.passphraseFile in the file.",
    { "account.passphraseFile": "is missing" },
  );
}
