/** A network whose daemons are processes of their own; `close` ends them all, by their handles. */
import type { BaseWallet } from "ethers";
import type { DatasetOffer } from "../../node/data-sharing/discover.ts";
import type { AlgorithmManifest } from "../../node/data-sharing/manifests/algorithm-manifest.ts";
import type { Question } from "../../node/data-sharing/querier.ts";
import { completeReceipt } from "../../node/data-sharing/querier.ts";
import type { Receipt } from "../../node/data-sharing/receipt.ts";
import { receiptText } from "../../node/data-sharing/receipt.ts";
import { type ReceiptVerdict, verifyReceipt } from "../../node/data-sharing/verify-receipt.ts";
import { canonicalJson } from "../../node/primitives/canonical-json.ts";
import type { Hex } from "../../node/primitives/hex.ts";
import { until } from "./https-call.ts";
import { type Network, type NetworkOptions, type NodeOptions, startNetwork } from "./network.ts";
import { NodeProcess, type NodeProcessOptions } from "./node-process.ts";
import { WireQuestion } from "./wire-question.ts";

export class ProcessNetwork {
  readonly network: Network;
  readonly #processes: NodeProcess[] = [];

  private constructor(network: Network) {
    this.network = network;
  }

  static async start(options: NetworkOptions = {}): Promise<ProcessNetwork> {
    return new ProcessNetwork(await startNetwork(options));
  }

  /** Made, not started. */
  async repository(node: NodeOptions = {}, options: NodeProcessOptions = {}): Promise<NodeProcess> {
    return this.#keep(new NodeProcess(await this.network.makeRepository(node), options));
  }

  /** Made, not started. */
  async directory(node: NodeOptions = {}): Promise<NodeProcess> {
    const account = this.network.take("directory");
    return this.#keep(new NodeProcess(await this.network.makeNode(["directory"], account, node)));
  }

  /** Another process over the same files. */
  again({ node }: NodeProcess, options: NodeProcessOptions = {}): NodeProcess {
    return this.#keep(new NodeProcess(node, options));
  }

  /** On the chain, approved unless told otherwise, and its manifest in each of these directories. */
  async publish(
    manifest: AlgorithmManifest,
    directories: NodeProcess[],
    options: { approved?: boolean } = {},
  ): Promise<Hex> {
    const hash = await this.network.publishAlgorithm(manifest, options);
    for (const { peer } of directories)
      await this.network.peers.pushManifest(peer, hash, canonicalJson(manifest));
    return hash;
  }

  /** Once so many are found. */
  async offers(count: number, text = "wages"): Promise<DatasetOffer[]> {
    return await until(async () => {
      const { offers } = await this.network.discover(text);
      return offers.length === count && offers;
    }, `${count} datasets are found`);
  }

  async wireQuestion(question: Question, offer: DatasetOffer, account: BaseWallet): Promise<WireQuestion> {
    return await WireQuestion.make(question, offer, this.network.deployment, account);
  }

  /** Waits for the anchor, and checks the receipt against the chain. */
  async verified(receipt: Receipt, offer: DatasetOffer): Promise<ReceiptVerdict> {
    const complete = await until(
      () => completeReceipt(receipt, offer, this.network.peers),
      "the entry is anchored",
    );
    const { deployment, ledger: chain, members, algorithms } = this.network;
    return await verifyReceipt(receiptText(complete), { deployment, chain, members, algorithms });
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
    await this.network.close();
  }

  #keep(process: NodeProcess): NodeProcess {
    this.#processes.push(process);
    return process;
  }
}

/** What keeps a receipt from being valid. */
export function failedChecks({ checks }: ReceiptVerdict): unknown[] {
  return checks.filter(({ passed }) => !passed);
}
