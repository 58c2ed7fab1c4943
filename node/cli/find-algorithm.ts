/** Algorithms as a client sees them: statuses from the chain, manifests from the directories, each held to its hash. */
import { AlgorithmLookup } from "../data-sharing/algorithm-lookup.ts";
import {
  type AlgorithmManifest,
  parseAlgorithmManifest,
} from "../data-sharing/manifests/algorithm-manifest.ts";
import type { DirectoryStore, PublishedAlgorithm } from "../data-sharing/ports.ts";
import { TrustedDataError } from "../errors.ts";
import type { Client } from "./context.ts";
import { hashFrom } from "./names.ts";

export interface KnownAlgorithm {
  published: PublishedAlgorithm;
  /** Undefined if no directory that answers has it. */
  manifest: AlgorithmManifest | undefined;
}

/** An algorithm whose manifest is at hand. */
export interface ReadableAlgorithm extends KnownAlgorithm {
  manifest: AlgorithmManifest;
}

/** All on the chain, by name and version; those without a manifest last. */
export async function allAlgorithms(
  client: Client,
  onProblem: (error: unknown) => void,
): Promise<KnownAlgorithm[]> {
  const published = await client.algorithms.algorithms();
  const found = await manifestsOf(client, published, onProblem);
  return found.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

/**
 * The algorithm that is meant by a hash (or the beginning of one) or a name. Several versions of a name: the newest that is approved;
 * with `approvedOnly` false the newest of all.
 * @throws TrustedDataError `algorithm_unknown`, `algorithm_not_approved`, `algorithm_revoked`.
 */
export async function findAlgorithm(
  client: Client,
  text: string,
  approvedOnly: boolean,
  onProblem: (error: unknown) => void,
): Promise<KnownAlgorithm> {
  const published = await client.algorithms.algorithms();
  const hash = hashFrom(
    published.map((one) => one.hash),
    text,
  );
  if (hash !== undefined) {
    const chosen = published.filter((one) => one.hash === hash);
    const [found] = await manifestsOf(client, chosen, onProblem);
    return approvedOnly ? requireApproved(found!) : found!;
  }
  const known = await manifestsOf(client, published, onProblem);
  const named = known
    .filter(({ manifest }) => manifest?.name === text)
    .sort((a, b) => b.manifest!.version - a.manifest!.version);
  const approved = named.filter((one) => one.published.status === "approved");
  const chosen = approved[0] ?? named[0];
  if (chosen === undefined) throw unknownAlgorithm(text, known);
  const rivals = (approved.length > 0 ? approved : named).filter(
    (one) => one.manifest!.version === chosen.manifest!.version,
  );
  if (rivals.length > 1) {
    throw new TrustedDataError(
      "algorithm_unknown",
      `Several algorithms are called ${text} in version ${chosen.manifest!.version}; say which by its hash.`,
      Object.fromEntries(rivals.map(({ published: { hash, author } }) => [hash, `by ${author}`])),
    );
  }
  return approvedOnly ? requireApproved(chosen) : chosen;
}

/** @throws TrustedDataError `algorithm_unknown` where no directory has the manifest. */
export function readable(known: KnownAlgorithm): ReadableAlgorithm {
  if (known.manifest !== undefined) return { ...known, manifest: known.manifest };
  const { hash } = known.published;
  throw new TrustedDataError(
    "algorithm_unknown",
    `The algorithm ${hash} is on the chain, but no directory that answers has its manifest; try again later, or ask its author to publish it again.`,
    { algorithm: hash },
  );
}

function requireApproved(known: KnownAlgorithm): KnownAlgorithm {
  const { status, hash } = known.published;
  if (status === "approved") return known;
  const name = known.manifest?.name ?? hash;
  if (status === "revoked")
    throw new TrustedDataError(
      "algorithm_revoked",
      `The algorithm ${name} was revoked; no repository runs it.`,
      {
        algorithm: hash,
      },
    );
  throw new TrustedDataError(
    "algorithm_not_approved",
    `The algorithm ${name} is not approved yet: vetters of two independent organisations must sign it first (npx itd algorithm show ${name}).`,
    { algorithm: hash },
  );
}

async function manifestsOf(
  client: Client,
  published: readonly PublishedAlgorithm[],
  onProblem: (error: unknown) => void,
): Promise<KnownAlgorithm[]> {
  const directories = await client.directory.entries("directory");
  const lookup = new AlgorithmLookup({
    directory: { entries: async () => directories, entry: (...args) => client.directory.entry(...args) },
    peers: client.peers,
    store: forgetfulStore,
    onProblem,
  });
  return await Promise.all(
    published.map(async (one) => {
      const text = await lookup.manifestText(one.hash);
      return { published: one, manifest: text === undefined ? undefined : parseAlgorithmManifest(text) };
    }),
  );
}

/** One command looks each manifest up once. */
const forgetfulStore: DirectoryStore = {
  saveDescription: () => undefined,
  descriptions: () => [],
  saveManifest: () => undefined,
  manifest: () => undefined,
};

function unknownAlgorithm(text: string, known: readonly KnownAlgorithm[]): TrustedDataError {
  const names = [...new Set(known.flatMap(({ manifest }) => manifest?.name ?? []))].sort();
  const there = names.length === 0 ? "None is published." : `There are: ${names.join(", ")}.`;
  return new TrustedDataError(
    "algorithm_unknown",
    `No algorithm is called ${JSON.stringify(text)}. ${there}`,
    {
      algorithm: text,
    },
  );
}

function sortKey({ manifest, published }: KnownAlgorithm): string {
  return manifest === undefined
    ? `~${published.hash}`
    : `${manifest.name} ${String(manifest.version).padStart(8, "0")} ${published.hash}`;
}

/** What a directory's problem is, for stderr: each sentence once. */
export function problemNotes(note: (line: string) => void): (error: unknown) => void {
  const said = new Set<string>();
  return (error) => {
    if (!(error instanceof TrustedDataError)) throw error;
    if (said.has(error.message)) return;
    said.add(error.message);
    note(`Note: ${error.message} (${error.code})`);
  };
}
