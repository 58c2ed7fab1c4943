/**
 * What the chain says about a querier, this repository and an algorithm, all at one block (step 2: vetted and certified *now*).
 *
 * While the chain answers, it is asked for every question. When it does not, what was read at most `chainAgeMsMax` ago still counts;
 * all certified queriers and algorithms are therefore read again regularly, asked for or not. A chain whose newest block is older
 * than the bound counts as one that does not answer: it may be withheld.
 */
import { TrustedDataError } from "../errors.ts";
import type { AnchorChain, Block, Clock } from "../ledger/ports.ts";
import type { Hex } from "../primitives/hex.ts";
import type { CertificationStatus, MemberReader } from "../trust-framework/ports.ts";
import type { AlgorithmReader, AlgorithmStatus } from "./ports.ts";

export interface TrustStatement {
  block: Block;
  querier: CertificationStatus;
  repository: CertificationStatus;
  algorithm: AlgorithmStatus;
  /** False when the chain has not been seen for longer than the bound; then only good for logging a refusal. */
  fresh: boolean;
}

export interface TrustViewOptions {
  repository: Hex;
  chainAgeMsMax: number;
  /** How often what might be asked about is read ahead. */
  refreshMs: number;
}

interface TrustViewModules {
  chain: AnchorChain;
  members: MemberReader;
  algorithms: AlgorithmReader;
  clock: Clock;
}

type Parts = Pick<TrustStatement, "querier" | "repository" | "algorithm">;

/** Bounds what is read ahead and kept; more queriers or algorithms than this are looked up when they ask. */
const keptMax = 1_000;

export class TrustView {
  readonly #options: TrustViewOptions;
  readonly #modules: TrustViewModules;
  /** All entries were read at `#block`. */
  #members = new Map<Hex, CertificationStatus>();
  #algorithms = new Map<Hex, AlgorithmStatus>();
  #repository: CertificationStatus = "none";
  #block: Block | undefined;
  #seenMs = 0;
  /** Reads at the newest block, shared by questions that come side by side: what a block says never changes. */
  #reads: { block: Hex; statuses: Map<string, Promise<string>> } = { block: "", statuses: new Map() };

  constructor(options: TrustViewOptions, modules: TrustViewModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** @throws TrustedDataError `chain_unavailable` if the chain does not answer and nothing is known about the two. */
  async statement(querier: Hex, algorithm: Hex): Promise<TrustStatement> {
    try {
      const block = await this.#recentHead();
      const parts = await this.#read(querier, algorithm, block);
      if (block.hash === this.#block?.hash) this.#keep(querier, algorithm, parts);
      return { block, ...parts, fresh: true };
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      const kept = this.#kept(querier, algorithm);
      if (kept === undefined) throw error;
      return kept;
    }
  }

  /** Reads everything that may be asked about at the newest block. Run it every `refreshMs`. */
  async refresh(): Promise<void> {
    const block = await this.#recentHead();
    const { members, algorithms } = this.#modules;
    const memberStatuses = new Map<Hex, CertificationStatus>();
    for (const member of (await members.membersOf("querier")).slice(-keptMax)) {
      memberStatuses.set(member, await members.certificationStatus(member, "querier", block));
    }
    const algorithmStatuses = new Map<Hex, AlgorithmStatus>();
    for (const { hash } of (await algorithms.algorithms()).slice(-keptMax)) {
      algorithmStatuses.set(hash, await algorithms.algorithmStatus(hash, block));
    }
    this.#repository = await members.certificationStatus(this.#options.repository, "repository", block);
    this.#members = memberStatuses;
    this.#algorithms = algorithmStatuses;
    this.#block = block;
    this.#seenMs = this.#modules.clock.nowMs();
  }

  /** Refreshes until aborted; failures are told and tried again. */
  async run(signal: AbortSignal, onProblem: (error: unknown) => void): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.refresh();
      } catch (error) {
        onProblem(error);
      }
      await this.#modules.clock.sleep(this.#options.refreshMs, signal).catch(() => undefined);
    }
  }

  async #recentHead(): Promise<Block> {
    const head = await this.#modules.chain.head();
    const ageMs = this.#modules.clock.nowMs() - head.timestampS * 1000;
    if (ageMs > this.#options.chainAgeMsMax) {
      throw new TrustedDataError(
        "chain_unavailable",
        `The chain's newest block (${head.number}) is ${Math.round(ageMs / 1000)} s old; the repository answers only after a newer one.`,
      );
    }
    return head;
  }

  async #read(querier: Hex, algorithm: Hex, block: Block): Promise<Parts> {
    const { members, algorithms } = this.#modules;
    const { repository } = this.#options;
    const [querierStatus, repositoryStatus, algorithmStatus] = await Promise.all([
      this.#shared(block, `querier ${querier}`, () => members.certificationStatus(querier, "querier", block)),
      this.#shared(block, "repository", () => members.certificationStatus(repository, "repository", block)),
      this.#shared(block, `algorithm ${algorithm}`, () => algorithms.algorithmStatus(algorithm, block)),
    ]);
    return { querier: querierStatus, repository: repositoryStatus, algorithm: algorithmStatus };
  }

  #shared<T extends string>(block: Block, what: string, read: () => Promise<T>): Promise<T> {
    if (this.#reads.block !== block.hash) this.#reads = { block: block.hash, statuses: new Map() };
    const { statuses } = this.#reads;
    const known = statuses.get(what) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const status = read();
    status.catch(() => statuses.delete(what));
    if (statuses.size < keptMax) statuses.set(what, status);
    return status;
  }

  #keep(querier: Hex, algorithm: Hex, parts: Parts): void {
    keepStatus(this.#members, querier, parts.querier);
    keepStatus(this.#algorithms, algorithm, parts.algorithm);
    this.#seenMs = this.#modules.clock.nowMs();
  }

  #kept(querier: Hex, algorithm: Hex): TrustStatement | undefined {
    const [member, status] = [this.#members.get(querier), this.#algorithms.get(algorithm)];
    if (this.#block === undefined || member === undefined || status === undefined) return undefined;
    const ageMs = this.#modules.clock.nowMs() - this.#seenMs;
    const fresh = ageMs <= this.#options.chainAgeMsMax;
    return { block: this.#block, querier: member, repository: this.#repository, algorithm: status, fresh };
  }
}

/** Accounts and hashes that the chain does not know cost nothing to make up: they would fill the places of those that count. */
function keepStatus<T extends string>(kept: Map<Hex, T>, key: Hex, status: T): void {
  if (kept.has(key) || (status !== "none" && kept.size < keptMax)) kept.set(key, status);
}

function isUnavailable(error: unknown): boolean {
  return error instanceof TrustedDataError && error.code === "chain_unavailable";
}
