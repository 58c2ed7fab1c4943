/** Publishes, approves and revokes algorithms (contract AlgorithmRegistry). */
import type { AlgorithmWriter } from "../../data-sharing/ports.ts";
import type { Hex } from "../../primitives/hex.ts";
import type { ChainConnection } from "./chain-connection.ts";
import { EthereumAlgorithms } from "./ethereum-algorithms.ts";
import type { EthereumSender } from "./ethereum-sender.ts";
import { unlessDone } from "./unless-done.ts";
import { encodeWord } from "./words.ts";

export class EthereumAlgorithmWriter implements AlgorithmWriter {
  readonly #algorithms: EthereumAlgorithms;
  readonly #sender: EthereumSender;

  constructor({ chain, sender }: { chain: ChainConnection; sender: EthereumSender }) {
    this.#algorithms = new EthereumAlgorithms(chain);
    this.#sender = sender;
  }

  publish(algorithm: Hex, uri: string, kind: string, dataClass: string): Promise<void> {
    const step = () => this.#send("publish", algorithm, uri, encodeWord(kind), encodeWord(dataClass));
    return unlessDone(["AlreadyPublished"], step, async () => {
      const there = await this.#algorithms.algorithm(algorithm);
      const isSame = there?.uri === uri && there.kind === kind && there.dataClass === dataClass;
      return isSame && there.author === this.#sender.address;
    });
  }

  approve(algorithm: Hex, vetter: Hex, expiresS: number, reviewHash: Hex, signature: Hex): Promise<void> {
    const step = () => this.#send("approve", algorithm, vetter, expiresS, reviewHash, signature);
    // A signature counts once: one that was replaced or withdrawn since is refused, and that must be heard.
    return unlessDone(["ApprovalAlreadyUsed"], step, async () => {
      const there = await this.#algorithms.algorithm(algorithm);
      return (
        there?.approvals.some((a) => a.vetter === vetter && a.expiresS === expiresS && !a.withdrawn) === true
      );
    });
  }

  withdrawApproval(algorithm: Hex): Promise<void> {
    return unlessDone(["AlreadyWithdrawn"], () => this.#send("withdrawApproval", algorithm));
  }

  revoke(algorithm: Hex, reason: string): Promise<void> {
    return unlessDone(["AlgorithmIsRevoked"], () => this.#send("revoke", algorithm, encodeWord(reason)));
  }

  #send(method: string, ...args: unknown[]): Promise<unknown> {
    return this.#sender.send("algorithmRegistry", method, args);
  }
}
