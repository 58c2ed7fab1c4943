/** Where repositories and directories are reached (contract RepositoryDirectory). */
import type { DirectoryEntry, DirectoryReader } from "../../data-sharing/ports.ts";
import type { Hex } from "../../primitives/hex.ts";
import type { ChainConnection } from "./chain-connection.ts";
import { encodeWord } from "./words.ts";

/** RepositoryDirectory.MAX_PAGE. */
const pageSize = 100;

interface EntryStruct {
  member: string;
  endpoint: string;
  tlsFingerprint: string;
  metadataHash: string;
  updatedBlock: bigint;
  certified: boolean;
}

export class EthereumDirectory implements DirectoryReader {
  readonly #chain: ChainConnection;

  constructor(chain: ChainConnection) {
    this.#chain = chain;
  }

  async entries(role: DirectoryEntry["role"]): Promise<DirectoryEntry[]> {
    // All pages at one block: removing an entry moves another into its place.
    const { number } = await this.#chain.newestBlock();
    const entries: DirectoryEntry[] = [];
    for (let offset = 0; ; offset += pageSize) {
      const args = [encodeWord(role), offset, pageSize];
      const page = (await this.#chain.readOne(
        "repositoryDirectory",
        "entriesOf",
        args,
        number,
      )) as EntryStruct[];
      for (const entry of page) entries.push(entryFrom(entry, role));
      if (page.length < pageSize) return entries;
    }
  }

  async entry(member: Hex, role: DirectoryEntry["role"]): Promise<DirectoryEntry | undefined> {
    const args = [member, encodeWord(role)];
    const entry = (await this.#chain.readOne("repositoryDirectory", "entryOf", args)) as EntryStruct;
    return entry.updatedBlock === 0n ? undefined : entryFrom(entry, role);
  }
}

function entryFrom(entry: EntryStruct, role: DirectoryEntry["role"]): DirectoryEntry {
  const { endpoint, tlsFingerprint, metadataHash, certified } = entry;
  return { member: entry.member.toLowerCase(), role, endpoint, tlsFingerprint, metadataHash, certified };
}
