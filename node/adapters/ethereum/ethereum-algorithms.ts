/** Which algorithms may run (contract AlgorithmRegistry). */
import type { AlgorithmReader, AlgorithmStatus, PublishedAlgorithm } from "../../data-sharing/ports.ts";
import type { Block } from "../../ledger/ports.ts";
import { assert } from "../../primitives/assert.ts";
import type { Hex } from "../../primitives/hex.ts";
import type { ChainConnection } from "./chain-connection.ts";
import { statusNumberAt } from "./ethereum-history.ts";
import { inParallel } from "./in-parallel.ts";
import { decodeWord } from "./words.ts";

/** In the order of IAlgorithmRegistry.Status. */
const statuses: readonly AlgorithmStatus[] = ["none", "published", "approved", "revoked"];

interface AlgorithmStruct {
  author: string;
  kind: string;
  dataClass: string;
  uri: string;
  publishedBlock: bigint;
}

interface ApprovalStruct {
  vetter: string;
  expires: bigint;
  withdrawn: boolean;
  counts: boolean;
}

export class EthereumAlgorithms implements AlgorithmReader {
  readonly #chain: ChainConnection;

  constructor(chain: ChainConnection) {
    this.#chain = chain;
  }

  async algorithmStatus(algorithm: Hex, at: Block): Promise<AlgorithmStatus> {
    return statusFrom(await statusNumberAt(this.#chain, "algorithmRegistry", [algorithm], at));
  }

  async algorithm(algorithm: Hex): Promise<PublishedAlgorithm | undefined> {
    const [published, approvals, status] = await Promise.all([
      this.#read("algorithmOf", algorithm) as Promise<AlgorithmStruct>,
      this.#read("approvalsOf", algorithm) as Promise<ApprovalStruct[]>,
      this.#read("statusOf", algorithm),
    ]);
    if (published.publishedBlock === 0n) return undefined;
    return {
      hash: algorithm,
      author: published.author.toLowerCase(),
      dataClass: decodeWord(published.dataClass),
      kind: decodeWord(published.kind),
      uri: published.uri,
      status: statusFrom(Number(status)),
      approvals: approvals.map(({ vetter, expires, withdrawn, counts }) => ({
        vetter: vetter.toLowerCase(),
        expiresS: Number(expires),
        withdrawn,
        counts,
      })),
    };
  }

  async algorithms(): Promise<PublishedAlgorithm[]> {
    const count = Number(await this.#chain.readOne("algorithmRegistry", "algorithmCount", []));
    const found = await inParallel(Array(count).keys(), async (i) =>
      this.algorithm(String(await this.#chain.readOne("algorithmRegistry", "algorithmAt", [i]))),
    );
    return found.filter((algorithm) => algorithm !== undefined);
  }

  #read(view: string, algorithm: Hex): Promise<unknown> {
    return this.#chain.readOne("algorithmRegistry", view, [algorithm]);
  }
}

function statusFrom(number: number): AlgorithmStatus {
  const status = statuses[number];
  assert(status !== undefined, "the contract has four statuses of algorithms");
  return status;
}
