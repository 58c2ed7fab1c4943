/** Reading logs: which parties anchor, what the chain has of a batch, and what its party shows of it. */
import type { DirectoryEntry } from "../data-sharing/ports.ts";
import { TrustedDataError } from "../errors.ts";
import type { AnchoredBatch } from "../ledger/ports.ts";
import { type PublishedBatch, readLeaves } from "../ledger/published-log.ts";
import type { Hex } from "../primitives/hex.ts";
import type { Client } from "./context.ts";
import { accountFrom } from "./names.ts";

export interface Party {
  address: Hex;
  name: string | null;
}

/** The party that was named, or all that are on the chain as repositories. */
export async function parties(client: Client, text: string | undefined): Promise<Party[]> {
  const addresses =
    text === undefined
      ? (await client.directory.entries("repository")).map(({ member }) => member)
      : [accountFrom(client, text)];
  return addresses.map((address) => ({ address, name: client.names.get(address) ?? null }));
}

/** @throws TrustedDataError `not_found`. */
export async function anchoredBatch(client: Client, party: Hex, sequence: number): Promise<AnchoredBatch> {
  const batch = await client.chain.anchorOf(party, sequence);
  if (batch !== undefined) return batch;
  const latest = await client.chain.latestAnchor(party);
  throw new TrustedDataError(
    "not_found",
    `The chain has no batch ${sequence} of ${party}; ${latest === undefined ? "it never anchored one" : `its newest is ${latest.sequence}`}.`,
    { party, sequence: String(sequence) },
  );
}

export async function entryOf(client: Client, party: Hex): Promise<DirectoryEntry | undefined> {
  return await client.directory.entry(party, "repository");
}

/** A node counts anew each minute. */
const limitedWaitMs = 5_000;
const limitedWaitsMax = 14;

/** What the party shows of a batch; undefined, and told of, where it does not. */
export async function shownLeaves(
  client: Client,
  peer: DirectoryEntry,
  { sequence, entryCount }: AnchoredBatch,
  onProblem: (error: unknown) => void,
): Promise<{ batch: PublishedBatch; leaves: Hex[] } | undefined> {
  try {
    const readPage = (offset: number) => patiently(client, () => client.peers.batch(peer, sequence, offset));
    return await readLeaves(peer.endpoint, readPage, entryCount);
  } catch (error) {
    onProblem(error);
    return undefined;
  }
}

/** A long log takes more pages than its party shows in a minute: then the rest comes in the next ones. */
async function patiently<T>({ clock }: Client, read: () => Promise<T>): Promise<T> {
  for (let waits = 0; ; waits++) {
    try {
      return await read();
    } catch (error) {
      const isLimit = error instanceof TrustedDataError && error.code === "rate_limited";
      if (!isLimit || waits === limitedWaitsMax) throw error;
      await clock.sleep(limitedWaitMs);
    }
  }
}
