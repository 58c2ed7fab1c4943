/** Where a repository is reached, of which a receipt knows the account only. */
import type { Peer } from "../data-sharing/ports.ts";
import { TrustedDataError } from "../errors.ts";
import type { Hex } from "../primitives/hex.ts";
import type { Client } from "./context.ts";

/** @throws TrustedDataError `peer_unreachable` */
export async function peerOf(repository: Hex, { directory }: Client): Promise<Peer> {
  const entry = await directory.entry(repository, "repository");
  if (entry !== undefined) return entry;
  throw new TrustedDataError(
    "peer_unreachable",
    `The chain's directory does not know the repository ${repository} any more.`,
    { repository },
  );
}
