/** Writes a member's own entries (contract RepositoryDirectory). */
import type { DirectoryEntry, DirectoryWriter } from "../../data-sharing/ports.ts";
import type { Hex } from "../../primitives/hex.ts";
import type { ChainConnection } from "./chain-connection.ts";
import { EthereumDirectory } from "./ethereum-directory.ts";
import type { EthereumSender } from "./ethereum-sender.ts";
import { unlessDone } from "./unless-done.ts";
import { encodeWord } from "./words.ts";

export class EthereumDirectoryWriter implements DirectoryWriter {
  readonly #directory: EthereumDirectory;
  readonly #sender: EthereumSender;

  constructor({ chain, sender }: { chain: ChainConnection; sender: EthereumSender }) {
    this.#directory = new EthereumDirectory(chain);
    this.#sender = sender;
  }

  async setEntry(
    role: DirectoryEntry["role"],
    endpoint: string,
    tlsFingerprint: Hex,
    metadataHash: Hex,
  ): Promise<void> {
    const there = await this.#directory.entry(this.#sender.address, role);
    const isSame = there?.endpoint === endpoint && there.tlsFingerprint === tlsFingerprint;
    if (isSame && there.metadataHash === metadataHash) return;
    await this.#send("setEntry", encodeWord(role), endpoint, tlsFingerprint, metadataHash);
  }

  removeEntry(role: DirectoryEntry["role"]): Promise<void> {
    return unlessDone(["UnknownEntry"], () => this.#send("remove", encodeWord(role)));
  }

  #send(method: string, ...args: unknown[]): Promise<unknown> {
    return this.#sender.send("repositoryDirectory", method, args);
  }
}
