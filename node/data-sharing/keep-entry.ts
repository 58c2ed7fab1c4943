/** A member's own entry in RepositoryDirectory: where it is reached, with which certificate, and the hash of what it says about itself. */
import type { Hex } from "../primitives/hex.ts";
import type { DirectoryEntry, DirectoryReader } from "./ports.ts";

/** The chain, for a member that keeps its own entry. */
export interface DirectoryWriter {
  /** Waits until it is mined. @throws TrustedDataError `chain_rejected` if the member is not certified for the role. */
  setEntry(
    role: DirectoryEntry["role"],
    endpoint: string,
    tlsFingerprint: Hex,
    metadataHash: Hex,
  ): Promise<unknown>;
}

/** Writes the entry if the chain has another one or none. */
export async function keepEntry(
  entry: Omit<DirectoryEntry, "certified">,
  reader: DirectoryReader,
  writer: DirectoryWriter,
): Promise<void> {
  const { member, role, endpoint, tlsFingerprint, metadataHash } = entry;
  const standing = await reader.entry(member, role);
  const isRight =
    standing?.endpoint === endpoint &&
    standing.tlsFingerprint === tlsFingerprint &&
    standing.metadataHash === metadataHash;
  if (!isRight) await writer.setEntry(role, endpoint, tlsFingerprint, metadataHash);
}
