/** A chain of one process: blocks, anchors with AuditAnchor's compare-and-swap, and statuses that a test sets. It can be taken down. */

import type { AlgorithmReader, AlgorithmStatus, PublishedAlgorithm } from "../../node/data-sharing/ports.ts";
import { TrustedDataError } from "../../node/errors.ts";
import type {
  AnchorChain,
  AnchoredBatch,
  AnchorWriter,
  BatchTerms,
  Block,
  Clock,
} from "../../node/ledger/ports.ts";
import { canonicalHash } from "../../node/primitives/canonical-json.ts";
import { type Hex, sha256Hex, zeroHash } from "../../node/primitives/hex.ts";
import type { CertificationStatus, MemberReader } from "../../node/trust-framework/ports.ts";
import type { MemberRole } from "../../node/trust-framework/roles.ts";

type History<T> = { block: number; value: T }[];

export class MemoryChain implements AnchorChain, MemberReader, AlgorithmReader {
  isDown = false;
  /** The next anchors land, but their confirmations are lost. */
  losesConfirmations = 0;
  /** Reads are answered, transactions are not. */
  refusesAnchors = false;
  readonly #clock: Clock;
  readonly #blocks: Block[] = [];
  readonly #anchors: AnchoredBatch[] = [];
  readonly #members = new Map<string, History<CertificationStatus>>();
  readonly #algorithms = new Map<Hex, History<AlgorithmStatus>>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.mine();
  }

  mine(): Block {
    const number = this.#blocks.length + 1;
    const block = {
      number,
      hash: sha256Hex(`block ${number}`),
      timestampS: Math.floor(this.#clock.nowMs() / 1000),
    };
    this.#blocks.push(block);
    return block;
  }

  setMember(member: Hex, role: MemberRole, value: CertificationStatus): void {
    push(this.#members, `${member} ${role}`, { block: this.mine().number, value });
  }

  setAlgorithm(hash: Hex, value: AlgorithmStatus): void {
    push(this.#algorithms, hash, { block: this.mine().number, value });
  }

  async head(): Promise<Block> {
    this.#requireUp();
    return this.#blocks.at(-1)!;
  }

  async blockAt(number: number): Promise<Block | undefined> {
    this.#requireUp();
    return this.#blocks[number - 1];
  }

  async latestAnchor(party: Hex): Promise<AnchoredBatch | undefined> {
    this.#requireUp();
    return this.#anchors.findLast((batch) => batch.party === party);
  }

  async anchorOf(party: Hex, sequence: number): Promise<AnchoredBatch | undefined> {
    this.#requireUp();
    return this.#anchors.find((batch) => batch.party === party && batch.sequence === sequence);
  }

  async verifyAnchor(batch: Omit<AnchoredBatch, "link">): Promise<boolean> {
    const found = await this.anchorOf(batch.party, batch.sequence);
    if (found === undefined) return false;
    const { link: _link, ...terms } = found;
    return canonicalHash(terms) === canonicalHash(batch);
  }

  writer(party: Hex): AnchorWriter {
    return {
      anchor: async ({ sequence, previousLink, root, entryCount, budgets }: BatchTerms) => {
        const terms = { sequence, previousLink, root, entryCount, budgets };
        if (this.refusesAnchors) throw unavailable();
        const standing = await this.anchorOf(party, sequence);
        if (standing !== undefined) {
          if (standing.root === root && standing.budgets === budgets) return standing;
          throw new TrustedDataError("anchor_conflict", "Another batch stands at this sequence.");
        }
        const previous = await this.anchorOf(party, sequence - 1);
        if ((previous?.link ?? zeroHash) !== previousLink)
          throw new TrustedDataError("anchor_conflict", "Another link.");
        const blockNumber = this.mine().number;
        const batch = { ...terms, party, blockNumber, link: canonicalHash({ ...terms, party, blockNumber }) };
        this.#anchors.push(batch);
        if (this.losesConfirmations > 0) {
          this.losesConfirmations--;
          throw unavailable();
        }
        return batch;
      },
    };
  }

  async certificationStatus(member: Hex, role: MemberRole, at: Block): Promise<CertificationStatus> {
    this.#requireUp();
    return valueAt(this.#members.get(`${member} ${role}`), at) ?? "none";
  }

  async membersOf(role: MemberRole): Promise<Hex[]> {
    this.#requireUp();
    return [...this.#members.keys()]
      .filter((key) => key.endsWith(` ${role}`))
      .map((key) => key.split(" ")[0]!);
  }

  async algorithmStatus(algorithm: Hex, at: Block): Promise<AlgorithmStatus> {
    this.#requireUp();
    return valueAt(this.#algorithms.get(algorithm), at) ?? "none";
  }

  async algorithm(hash: Hex): Promise<PublishedAlgorithm | undefined> {
    return (await this.algorithms()).find((algorithm) => algorithm.hash === hash);
  }

  async algorithms(): Promise<PublishedAlgorithm[]> {
    this.#requireUp();
    const facts = { author: zeroHash.slice(0, 42), dataClass: "wages", kind: "sql", uri: "", approvals: [] };
    return [...this.#algorithms].map(([hash, history]) => ({
      ...facts,
      hash,
      status: history.at(-1)!.value,
    }));
  }

  #requireUp(): void {
    if (this.isDown) throw unavailable();
  }
}

function unavailable(): TrustedDataError {
  return new TrustedDataError("chain_unavailable", "The chain does not answer.");
}

function push<T>(map: Map<string, History<T>>, key: string, item: History<T>[number]): void {
  map.set(key, [...(map.get(key) ?? []), item]);
}

function valueAt<T>(history: History<T> | undefined, at: Block): T | undefined {
  return history?.findLast(({ block }) => block <= at.number)?.value;
}
