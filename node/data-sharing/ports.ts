/** What data sharing needs from the outside; `adapters/` implements it. */
import type { Block } from "../ledger/ports.ts";
import type { Hex } from "../primitives/hex.ts";
import type { SignedConsent } from "./consent/consent-receipt.ts";
import type { DatasetManifest } from "./manifests/dataset-manifest.ts";
import type { Plan } from "./plan/plan.ts";
import type { SignedRequest } from "./question-request.ts";

export interface Randomness {
  /** `count` bytes, uniform and unpredictable. Answers are only as private as this is. */
  bytes(count: number): Uint8Array;
}

/** The exact integers behind an answer. They never leave the repository: only `release` may see them. */
export interface ExactAnswer {
  /** With an open key the groups that rows have, each by its keys' labels; null where the plan's domains say which there are. */
  groups: string[][] | null;
  /**
   * `vectors[v][g * cells + c]`: cell c (of `cellsOf`) of vector v for group g. Declared groups count through the keys' domains, the last
   * key fastest; open ones in the order of `groups`.
   */
  vectors: bigint[][];
}

/**
 * Who takes part in an answer over a dataset that needs consent. People are numbered from 0 in the order in which they were enrolled, and a
 * number keeps its person for ever, so an engine may keep which of its rows belong to which number.
 */
export interface PeopleFilter {
  /** The asked purpose, as a name for what an engine keeps: two filters of one dataset and purpose are the same one at two moments. */
  readonly purpose: string;
  /** `personHash` (consent/person-hash.ts) of person i at bytes 16 i to 16 i + 15. Grows at its end only. */
  hashes(): Uint8Array;
  /**
   * Bit i % 8 (the lowest is 0) of byte i >> 3: whether person i takes part at this moment. To be asked when the plan starts, not
   * before it waits for its turn. People of the data who are in no filter take no part. Costs the same whoever consents to what.
   */
  takingPart(): Uint8Array;
}

export interface EngineLimits {
  timeMsMax: number;
  memoryBytesMax: number;
}

/** An engine runs plans over one custodian's data. All engines give equal integers. */
export interface PlanEngine {
  /**
   * Whether `plan` can be run over `dataset` now: the data is there and undamaged, and has the table and columns of the plan. Looks at
   * no row, so it may be told to anyone; asked before the charge, or a custodian's trouble would be paid for and answered with noise.
   * @throws TrustedDataError `dataset_unavailable`
   */
  requireAvailable(dataset: string, plan: Plan): Promise<void>;
  /**
   * Runs `plan` over `dataset`: over the rows of those in `people` alone, as if nobody else were in the data. A dataset that was imported
   * as needing consent is never run without `people`, nor any other with it: `engine_failed`.
   * @throws TrustedDataError `engine_limit` when a limit is hit, `engine_failed` for anything else; neither carries engine text.
   */
  execute(dataset: string, plan: Plan, limits: EngineLimits, people?: PeopleFilter): Promise<ExactAnswer>;
}

/** How far an import has come, as a share of the file; a file is read more than once. */
export interface ImportProgress {
  bytesRead: number;
  bytesTotal: number;
}

/**
 * What the custodian is told after a dataset was connected. Never leaves the custodian's side: it is exact. Of all tables together; columns
 * of further tables are called `table.column`.
 */
export interface ImportReport {
  rows: number;
  people: number;
  /** Rows left out because their person had more than the declared number. */
  rowsLeftOut: number;
  /** Per column where there are any: values that were moved to a bound, */
  clamped: Record<string, number>;
  /** values finer than the grid that were rounded to it, */
  rounded: Record<string, number>;
  /** and texts outside of the domain of a nullable column, taken as null. */
  madeNull: Record<string, number>;
  /** Of live tables: rows that are left out, by the column that names no person or holds no value that fits. */
  unfit?: Record<string, number>;
  /** Columns of the file that the manifest does not declare, as the file names them. */
  ignoredColumns: string[];
  /** Of a CSV file, that of the first table: comma, semicolon or tab. */
  delimiter: string | null;
  /** By table, where there is more than one. */
  tables?: Record<string, { rows: number; rowsLeftOut: number }>;
}

/** Keeps the custodian's datasets, each imported whole or not at all. */
export interface DatasetStore {
  /**
   * Reads a CSV or Parquet file into the store, replacing the dataset of this name.
   * @param furtherFiles By table, one for each further table of the manifest.
   * @throws TrustedDataError `data_file_*` with line numbers, `catalogue_too_large`; then nothing has changed.
   */
  importFile(
    file: string,
    manifest: DatasetManifest,
    onProgress?: (progress: ImportProgress) => void,
    furtherFiles?: Readonly<Record<string, string>>,
  ): Promise<ImportReport>;
  /** Manifests of all datasets here, by name. */
  manifests(): DatasetManifest[];
}

export type AlgorithmStatus = "none" | "published" | "approved" | "revoked";

export interface PublishedAlgorithm {
  hash: Hex;
  author: Hex;
  dataClass: string;
  kind: string;
  uri: string;
  status: AlgorithmStatus;
  approvals: { vetter: Hex; expiresS: number; withdrawn: boolean; counts: boolean }[];
}

/** Which algorithms may run, at a block. Fails with `chain_unavailable` when no endpoint answers in time. */
export interface AlgorithmReader {
  algorithmStatus(algorithm: Hex, at: Block): Promise<AlgorithmStatus>;
  algorithm(algorithm: Hex): Promise<PublishedAlgorithm | undefined>;
  algorithms(): Promise<PublishedAlgorithm[]>;
}

/**
 * The registry, for an author, a vetter or whoever relays. Each call returns when the chain has it for good; what stands already is
 * not done twice. @throws TrustedDataError `chain_rejected` with the contract's reason in `fields.contractError`.
 */
export interface AlgorithmWriter {
  publish(algorithm: Hex, uri: string, kind: string, dataClass: string): Promise<void>;
  /** `signature` is the vetter's over `approvalStruct`. */
  approve(algorithm: Hex, vetter: Hex, expiresS: number, reviewHash: Hex, signature: Hex): Promise<void>;
  /** The caller's own. */
  withdrawApproval(algorithm: Hex): Promise<void>;
  /** Author only; the council decides on `revokeAlgorithm`. For good. */
  revoke(algorithm: Hex, reason: string): Promise<void>;
}

export interface DirectoryEntry {
  member: Hex;
  role: "repository" | "directory";
  endpoint: string;
  /** SHA-256 of the TLS certificate (DER); clients accept no other. */
  tlsFingerprint: Hex;
  metadataHash: Hex;
  certified: boolean;
}

export interface DirectoryReader {
  entries(role: DirectoryEntry["role"]): Promise<DirectoryEntry[]>;
  entry(member: Hex, role: DirectoryEntry["role"]): Promise<DirectoryEntry | undefined>;
}

/** The caller's own entries. An entry that stands already is not written again. */
export interface DirectoryWriter {
  setEntry(
    role: DirectoryEntry["role"],
    endpoint: string,
    tlsFingerprint: Hex,
    metadataHash: Hex,
  ): Promise<void>;
  removeEntry(role: DirectoryEntry["role"]): Promise<void>;
}

/** Manifests by content hash, from wherever they can be had; the reader checks the hash. */
export interface AlgorithmSource {
  /** The manifest's text, undefined if nobody has it. */
  manifestText(algorithm: Hex): Promise<string | undefined>;
}

/**
 * A question on its way: authorised (a token is out), charged (the budget is taken, nothing is released yet), answered (the exact reply
 * is stored). A refusal after authorisation ends it as refused, with its reply.
 */
export interface StoredQuestion {
  id: Hex;
  state: "authorised" | "charged" | "answered" | "refused";
  signed: SignedRequest;
  /** Name of the dataset here. */
  dataset: string;
  block: { number: number; hash: Hex };
  /** SHA-256 of the token. */
  token: Hex;
  tokenExpiresMs: number;
  plan: Plan;
  /** Hash of the dataset's manifest when it was authorised. */
  manifest: Hex;
  /** The exact bytes of the reply to authorisation, and of the reply to the question, once they exist. */
  authorisation: string;
  reply: string | undefined;
}

/** One logged outcome: the entry and the reply that goes with it become durable together. */
export interface Outcome {
  transcript: Hex;
  repositorySignature: Hex;
  promisedBlock: number;
  createdMs: number;
}

export interface BudgetLimits {
  totalMicroRho: bigint;
  perQuerierMicroRho: bigint;
  /** Under which the querier's sum is kept: the dataset's own that permits the request's; by default the request's. */
  purpose?: string | undefined;
}

export type ChargeRefusal = "budget_exhausted" | "querier_budget_exhausted" | "budget_not_reserved";

/** The durable state of a repository. Every write is on disk when it returns; each call is one transaction. */
export interface QuestionStore {
  question(id: Hex): StoredQuestion | undefined;
  /** @throws TrustedDataError `question_conflict` if the id is taken. */
  saveAuthorised(question: StoredQuestion): void;
  /** A refusal before authorisation: only its log entry and the reply are kept, under the question's id. */
  saveRefused(id: Hex, request: SignedRequest, reply: string, outcome: Outcome): void;
  refusal(id: Hex): { signed: SignedRequest; reply: string } | undefined;
  /**
   * Takes the charge and moves the question from authorised to charged, or says why not and changes nothing. The charge is taken
   * only if total and querier's sums stay within `limits` and the total within what is anchored (spent + reserved).
   */
  charge(id: Hex, microRho: bigint, limits: BudgetLimits): ChargeRefusal | undefined;
  /** Ends a question: reply, log entry and (for a new release) the stored release under `releaseKey` in one transaction. */
  saveReply(
    id: Hex,
    state: "answered" | "refused",
    reply: string,
    outcome: Outcome,
    release?: { key: Hex; answer: string },
  ): void;
  release(key: Hex): string | undefined;
  /** Micro-rho spent, all queriers; and by this querier for this purpose. */
  spent(dataset: Hex): bigint;
  spentBy(dataset: Hex, querier: Hex, purpose: string): bigint;
  /** Datasets of which something was spent or reserved, offered now or not. */
  budgetedDatasets(): Hex[];
  /** The most that may have been spent before the next batch is anchored; 0 before the first. */
  anchoredCeiling(dataset: Hex): bigint;
  /** Remembers a DPoP proof until `expiresMs`; false if it was used before. */
  useProof(id: Hex, expiresMs: number): boolean;
  /** A secret of this repository, made once. */
  secret(name: string, byteCount: number): Uint8Array;
}

/** What a directory keeps: each repository's newest signed description, and manifests by content hash. Durable on return. */
export interface DirectoryStore {
  saveDescription(repository: Hex, description: string): void;
  descriptions(): { repository: Hex; description: string }[];
  saveManifest(algorithm: Hex, text: string): void;
  manifest(algorithm: Hex): string | undefined;
}

/** A reply of a repository as it came over the wire: the exact bytes, whether an authorisation, an answer or a logged refusal. */
export interface WireReply {
  outcome: "authorised" | "answered" | "refused";
  body: string;
}

/**
 * A repository or directory as a client sees it: HTTPS with the certificate pinned to the fingerprint on the chain.
 * @throws TrustedDataError `peer_unreachable`, `peer_certificate`, `peer_answer_invalid`, or the peer's own code.
 */
export interface PeerClient {
  /** `POST /v1/data-sharing/authorisations`; `proof` is made for that URL. */
  authorise(peer: Peer, signed: SignedRequest, proof: string): Promise<WireReply>;
  /** `POST /v1/data-sharing/answers` */
  answer(peer: Peer, token: string, proof: string): Promise<WireReply>;
  /** `POST /v1/data-sharing/questions/{question}/countersignature` */
  countersign(peer: Peer, question: Hex, signature: Hex): Promise<void>;
  /** `GET /v1/data-sharing/questions/{question}/entry`, an EntryStatus */
  entry(peer: Peer, question: Hex): Promise<unknown>;
  /** `POST /v1/data-sharing/consents`, an Acknowledgement */
  giveConsent(peer: Peer, signed: SignedConsent): Promise<unknown>;
  /** `GET /v1/data-sharing/consents/{receipt}/entry`, an EntryStatus */
  consentEntry(peer: Peer, receipt: Hex): Promise<unknown>;
  /** `GET /v1/data-sharing/catalogue`, a SignedCatalogue */
  catalogue(peer: Peer): Promise<unknown>;
  /** `GET /v1/data-sharing/datasets/{dataset}/budget`, a SignedBudget */
  budget(peer: Peer, dataset: Hex): Promise<unknown>;
  /** `GET /v1/directory/datasets?search=TEXT`: the catalogues with a dataset that matches, each a SignedCatalogue. */
  search(peer: Peer, text: string): Promise<unknown>;
  /** `POST /v1/directory/catalogues` */
  pushCatalogue(peer: Peer, catalogue: unknown): Promise<void>;
  /** `GET /v1/directory/algorithms/{hash}`, the manifest's text */
  manifest(peer: Peer, algorithm: Hex): Promise<string | undefined>;
  /** `PUT /v1/directory/algorithms/{hash}` */
  pushManifest(peer: Peer, algorithm: Hex, text: string): Promise<void>;
  /** `GET /v1/ledger/batches`, newest first: `publishedBatchesSchema` */
  batches(peer: Peer, offset: number, limit: number): Promise<unknown>;
  /** `GET /v1/ledger/batches/{sequence}`, with leaves from `offset` on: `publishedLeavesSchema` */
  batch(peer: Peer, sequence: number, offset: number): Promise<unknown>;
}

/** Where a peer is reached and which certificate (SHA-256 of its DER) it must show. */
export interface Peer {
  endpoint: string;
  tlsFingerprint: Hex;
}
