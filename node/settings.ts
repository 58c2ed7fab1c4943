/**
 * The table of the daemon's settings: the file (YAML), the environment and docs/configuration.md are all read from it. Each has its
 * reason beside its default.
 */
import { z } from "zod";

export interface Setting<T> {
  /** Where it stands in the file, with dots; undefined for what may only come from the environment. */
  path: string | undefined;
  env: string;
  description: string;
  /** As it would be written in the file; undefined for a setting that must be given, null for one that may be left out. */
  default: string | number | boolean | null | undefined;
  schema: z.ZodType<T>;
  kind: "text" | "number" | "boolean" | "list" | "file";
}

const origin = (protocols: readonly string[]) =>
  z.string().refine(
    (text) => {
      const url = URL.parse(text);
      return url !== null && protocols.includes(url.protocol) && url.username === "" && url.hash === "";
    },
    `use a URL with ${protocols.join(" or ")}//`,
  );

const publicEndpoint = origin(["https:"]).refine(
  (text) => URL.parse(text)?.origin === text && text.length <= 256,
  "use scheme, host and port only, without a slash at the end",
);

export const settings = {
  roles: setting(
    "list",
    "roles",
    "ITD_ROLES",
    undefined,
    z.array(z.enum(["repository", "directory"])).min(1),
    "Roles that this node plays: repository, directory, or both.",
  ),
  name: setting(
    "text",
    "name",
    "ITD_NAME",
    undefined,
    z.string().min(1).max(200),
    "The organisation, as it is shown beside its datasets.",
  ),
  stateFolder: setting(
    "file",
    "stateFolder",
    "ITD_STATE_FOLDER",
    undefined,
    z.string().min(1),
    "Folder of the node's own state and data; one daemon at a time.",
  ),
  accountKeyFile: setting(
    "file",
    "account.keyFile",
    "ITD_ACCOUNT_KEY_FILE",
    undefined,
    z.string().min(1),
    "The account's encrypted key, with which the node signs.",
  ),
  passphraseFile: setting(
    "file",
    "account.passphraseFile",
    "ITD_PASSPHRASE_FILE",
    null,
    z.string().min(1).nullable(),
    "File whose first line opens the key. Either this or ITD_PASSPHRASE.",
  ),
  passphrase: setting(
    "text",
    undefined,
    "ITD_PASSPHRASE",
    null,
    z.string().min(1).nullable(),
    "Opens the key. Only in the environment, never in the file.",
  ),
  tlsCertificateFile: setting(
    "file",
    "tls.certificateFile",
    "ITD_TLS_CERTIFICATE_FILE",
    undefined,
    z.string().min(1),
    "The node's certificate (PEM). Its SHA-256 is put on the chain; peers accept no other.",
  ),
  tlsKeyFile: setting(
    "file",
    "tls.keyFile",
    "ITD_TLS_KEY_FILE",
    undefined,
    z.string().min(1),
    "The certificate's private key (PEM).",
  ),
  listenHost: setting(
    "text",
    "listen.host",
    "ITD_LISTEN_HOST",
    "127.0.0.1",
    z.string().min(1),
    "Address to listen on.",
  ),
  listenPort: setting(
    "number",
    "listen.port",
    "ITD_LISTEN_PORT",
    8443,
    z.int().min(0).max(65_535),
    "Port to listen on; 0 takes a free one.",
  ),
  endpoint: setting(
    "text",
    "endpoint",
    "ITD_ENDPOINT",
    null,
    publicEndpoint.nullable(),
    "Where others reach this node (https://host:port); without it, where it listens.",
  ),
  chainUrls: setting(
    "list",
    "chain.urls",
    "ITD_CHAIN_URLS",
    undefined,
    z
      .array(origin(["http:", "https:"]))
      .min(1)
      .max(8),
    "JSON-RPC endpoints of the chain; the first is preferred. They are believed, so run or trust them.",
  ),
  deploymentFile: setting(
    "file",
    "chain.deploymentFile",
    "ITD_DEPLOYMENT_FILE",
    undefined,
    z.string().min(1),
    "JSON file with chain id and contract addresses.",
  ),
  finalityDepth: setting(
    "number",
    "chain.finalityDepth",
    "ITD_FINALITY_DEPTH",
    12,
    z.int().min(0).max(1_000),
    "Blocks on top of one before it counts. 0 only where blocks are never taken back, as on the Living Lab's chain.",
  ),
  chainTimeoutMs: setting(
    "number",
    "chain.timeoutMs",
    "ITD_CHAIN_TIMEOUT_MS",
    3_000,
    z.int().min(100).max(60_000),
    "How long one call to the chain may take, all endpoints together (ms).",
  ),
  chainPollMs: setting(
    "number",
    "chain.pollMs",
    "ITD_CHAIN_POLL_MS",
    1_000,
    z.int().min(10).max(60_000),
    "How often the chain is asked whether a transaction is mined (ms).",
  ),
  chainAgeSecondsMax: setting(
    "number",
    "chain.ageSecondsMax",
    "ITD_CHAIN_AGE_SECONDS_MAX",
    600,
    z.int().min(1).max(3_600),
    "What was read from the chain longer ago counts no more; new questions are then refused (s).",
  ),
  anchorIntervalSeconds: setting(
    "number",
    "anchoring.intervalSeconds",
    "ITD_ANCHOR_INTERVAL_SECONDS",
    60,
    z.number().min(0.1).max(86_400),
    "How often a batch of the log is anchored, empty ones too (s).",
  ),
  countersignSecondsMax: setting(
    "number",
    "anchoring.countersignSecondsMax",
    "ITD_COUNTERSIGN_SECONDS_MAX",
    30,
    z.number().min(0).max(86_400),
    "How long an entry waits for the querier's signature before it is anchored without (s).",
  ),
  anchorWithinBlocks: setting(
    "number",
    "anchoring.withinBlocks",
    "ITD_ANCHOR_WITHIN_BLOCKS",
    100,
    z.int().min(1).max(1_000_000),
    "Blocks within which the node promises to anchor an entry.",
  ),
  replySlotMs: setting(
    "number",
    "questions.replySlotMs",
    "ITD_REPLY_SLOT_MS",
    250,
    z.int().min(1).max(60_000),
    "Answers leave at whole multiples of this, so that their time says little about the data (ms).",
  ),
  tokenLifetimeSeconds: setting(
    "number",
    "questions.tokenLifetimeSeconds",
    "ITD_TOKEN_LIFETIME_SECONDS",
    300,
    z.int().min(1).max(3_600),
    "How long a token may wait for its first use (s).",
  ),
  dataVersionSeconds: setting(
    "number",
    "questions.dataVersionSeconds",
    "ITD_DATA_VERSION_SECONDS",
    86_400,
    z.int().min(1).max(31_536_000),
    "How often the data version advances, whether or not data changed (s).",
  ),
  consentVersionSeconds: setting(
    "number",
    "questions.consentVersionSeconds",
    "ITD_CONSENT_VERSION_SECONDS",
    3_600,
    z.int().min(1).max(31_536_000),
    "How often the consent version advances, whether or not anybody gave or withdrew consent; until then repeats are free (s).",
  ),
  engineSecondsMax: setting(
    "number",
    "engine.secondsMax",
    "ITD_ENGINE_SECONDS_MAX",
    30,
    z.number().min(0.1).max(3_600),
    "Time limit of one plan; past it the answer is noise over an empty set, charged (s).",
  ),
  engineMemoryMiBMax: setting(
    "number",
    "engine.memoryMiBMax",
    "ITD_ENGINE_MEMORY_MIB_MAX",
    1_024,
    z.int().min(64).max(1_048_576),
    "Memory limit of the engine (MiB).",
  ),
  databaseConnectionsMax: setting(
    "number",
    "engine.databaseConnectionsMax",
    "ITD_DATABASE_CONNECTIONS_MAX",
    4,
    z.int().min(1).max(100),
    "Questions at a time over datasets that lie in PostgreSQL, and connections to each of these databases; one more looks at the catalogue.",
  ),
  requestsPerMinute: setting(
    "number",
    "limits.requestsPerMinute",
    "ITD_REQUESTS_PER_MINUTE",
    6_000,
    z.int().min(1),
    "Requests of one client address in a minute, of all kinds.",
  ),
  questionsPerMinute: setting(
    "number",
    "limits.questionsPerMinute",
    "ITD_QUESTIONS_PER_MINUTE",
    2_400,
    z.int().min(1),
    "Of these, requests that ask or answer a question or write to a directory.",
  ),
  connectionsMax: setting(
    "number",
    "limits.connectionsMax",
    "ITD_CONNECTIONS_MAX",
    4_096,
    z.int().min(8).max(65_535),
    "Open connections; for one more, the one is closed that has waited longest without sending a whole request.",
  ),
  connectionsPerAddressMax: setting(
    "number",
    "limits.connectionsPerAddressMax",
    "ITD_CONNECTIONS_PER_ADDRESS_MAX",
    512,
    z.int().min(1).max(65_535),
    "Open connections of one client address (of IPv6: of one /56). Behind a proxy all clients have its address.",
  ),
  metricsPublic: setting(
    "boolean",
    "metrics.public",
    "ITD_METRICS_PUBLIC",
    false,
    z.boolean(),
    "Whether /metrics is for everyone who reaches the node; else it is there for clients on this machine only.",
  ),
  catalogueRepeatSeconds: setting(
    "number",
    "catalogue.repeatSeconds",
    "ITD_CATALOGUE_REPEAT_SECONDS",
    300,
    z.number().min(1).max(86_400),
    "How often directories get the catalogue again, changed or not (s).",
  ),
  catalogueWatchSeconds: setting(
    "number",
    "catalogue.watchSeconds",
    "ITD_CATALOGUE_WATCH_SECONDS",
    2,
    z.number().min(0.1).max(3_600),
    "How often the datasets are looked at for changes (s).",
  ),
  peerSecondsMax: setting(
    "number",
    "peers.secondsMax",
    "ITD_PEER_SECONDS_MAX",
    10,
    z.number().min(0.1).max(600),
    "How long another node may take to answer (s).",
  ),
  logLevel: setting(
    "text",
    "log.level",
    "ITD_LOG_LEVEL",
    "info",
    z.enum(["trace", "debug", "info", "warn", "error", "silent"]),
    "Least severity that is logged, as JSON lines on standard error.",
  ),
} as const;

/** docs/configuration.md, made by scripts/write-configuration-docs.ts. */
export function renderSettings(): string {
  const rows = Object.values<Setting<unknown>>(settings).map((entry) => {
    const byDefault =
      entry.default === undefined ? "required" : entry.default === null ? "none" : `\`${entry.default}\``;
    const place = entry.path === undefined ? "environment only" : `\`${entry.path}\``;
    return `| ${place} | \`${entry.env}\` | ${byDefault} | ${entry.description} |`;
  });
  return [
    "<!-- Made by scripts/write-configuration-docs.ts from node/settings.ts. Do not edit. -->",
    "# Settings of `itd node`",
    "",
    "`itd node --config FILE` reads FILE, a YAML document in which a dot below is one level of nesting. A variable in the environment wins",
    "over the file; lists are separated by commas there. Paths in the file are relative to it. Unknown keys are refused.",
    "",
    "| in the file | in the environment | default | meaning |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function setting<T>(
  kind: Setting<T>["kind"],
  path: string | undefined,
  env: string,
  byDefault: Setting<T>["default"],
  schema: z.ZodType<T>,
  description: string,
): Setting<T> {
  return { path, env, description, default: byDefault, schema, kind };
}
