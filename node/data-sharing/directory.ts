/**
 * The directory's side (step 1): keeps the newest signed catalogue of each certified repository, and algorithms' manifests by content hash,
 * and takes only what the chain vouches for. A directory that lies is caught by its readers; this one does not even pass on a lie.
 */
import { z } from "zod";
import { TrustedDataError } from "../errors.ts";
import type { Deployment } from "../ledger/deployment.ts";
import type { Clock } from "../ledger/ports.ts";
import { canonicalJson } from "../primitives/canonical-json.ts";
import type { Hex } from "../primitives/hex.ts";
import { catalogueHash, isGenuineCatalogue, type SignedCatalogue } from "./catalogue.ts";
import { matchesDataset } from "./discover.ts";
import { algorithmHash, parseAlgorithmManifest } from "./manifests/algorithm-manifest.ts";
import type { AlgorithmReader, DirectoryReader, DirectoryStore } from "./ports.ts";
import { addressSchema } from "./question-request.ts";

export interface DirectoryModules {
  deployment: Deployment;
  clock: Clock;
  directory: DirectoryReader;
  algorithms: AlgorithmReader;
  store: DirectoryStore;
}

/** What a directory says about itself; its hash is on the chain. */
export const directoryDescriptionSchema = z.strictObject({
  version: z.literal("itd-directory/1"),
  directory: addressSchema,
  name: z.string().max(200),
});

export type DirectoryDescription = z.infer<typeof directoryDescriptionSchema>;

/** What one search may give; a client reads no more. Who searches for less text than this gets the first repositories by address. */
const searchBytesMax = 8 * 1024 * 1024;
/** Searches within this time share one look at the chain. */
const certifiedAgeMsMax = 1_000;

export class Directory {
  readonly #modules: DirectoryModules;
  /** Metadata hashes on the chain, by repository. */
  #certified: { readMs: number; hashes: Promise<Map<Hex, Hex>> } | undefined;
  /** What was read of stored descriptions, by repository; good for the same text only. */
  #read = new Map<Hex, ReadDescription>();

  constructor(modules: DirectoryModules) {
    this.#modules = modules;
  }

  /** @throws TrustedDataError `catalogue_invalid` unless its repository signed it, is certified, and has its hash on the chain. */
  async acceptCatalogue(signed: SignedCatalogue): Promise<void> {
    const { deployment, directory, store } = this.#modules;
    const { repository } = signed.catalogue;
    if (!isGenuineCatalogue(deployment, signed))
      refuse(repository, "its repository did not sign it, or names datasets of another one");
    const entry = await directory.entry(repository, "repository");
    if (entry?.certified !== true)
      refuse(repository, "its repository is not certified, or has no entry on the chain");
    if (entry.metadataHash !== catalogueHash(signed.catalogue))
      refuse(repository, "it is not the one whose hash its repository put on the chain");
    store.saveDescription(repository, canonicalJson(signed));
  }

  /** Catalogues with a dataset that `text` means, each as it was signed; only those that the chain vouches for now. */
  async search(text: string): Promise<SignedCatalogue[]> {
    const hashes = await this.#certifiedHashes();
    const found: SignedCatalogue[] = [];
    const read = new Map<Hex, ReadDescription>();
    for (const { repository, description } of this.#modules.store.descriptions()) {
      if (!hashes.has(repository)) continue;
      const known = this.#read.get(repository);
      read.set(repository, known?.text === description ? known : readDescription(description));
    }
    this.#read = read;
    let bytes = 0;
    for (const [repository, { signed, hash, byteCount }] of read) {
      if (hash !== hashes.get(repository)) continue;
      const datasets = signed.catalogue["dcat:dataset"];
      if (!datasets.some(({ manifest }) => matchesDataset(manifest, text))) continue;
      bytes += byteCount;
      if (bytes > searchBytesMax) break;
      found.push(signed);
    }
    return found;
  }

  /**
   * Keeps a manifest, as canonical JSON, whatever it was written in.
   * @throws TrustedDataError `manifest_invalid` if it does not hash to `algorithm`, `algorithm_unknown` if the chain has no such algorithm.
   */
  async acceptManifest(algorithm: Hex, text: string): Promise<void> {
    const manifest = parseAlgorithmManifest(text);
    const hash = algorithmHash(manifest);
    if (hash !== algorithm) {
      throw new TrustedDataError(
        "manifest_invalid",
        "The manifest does not have the hash under which it was sent.",
        {
          hash,
          expected: algorithm,
        },
      );
    }
    if ((await this.#modules.algorithms.algorithm(algorithm)) === undefined) {
      throw new TrustedDataError(
        "algorithm_unknown",
        "The chain has no algorithm of this hash; publish it there, then send its manifest.",
        { algorithm },
      );
    }
    this.#modules.store.saveManifest(algorithm, canonicalJson(manifest));
  }

  manifest(algorithm: Hex): string | undefined {
    return this.#modules.store.manifest(algorithm);
  }

  async #certifiedHashes(): Promise<Map<Hex, Hex>> {
    const nowMs = this.#modules.clock.nowMs();
    if (this.#certified === undefined || Math.abs(nowMs - this.#certified.readMs) > certifiedAgeMsMax) {
      const read = { readMs: nowMs, hashes: this.#readCertified() };
      this.#certified = read;
      read.hashes.catch(() => {
        if (this.#certified === read) this.#certified = undefined;
      });
    }
    return await this.#certified.hashes;
  }

  async #readCertified(): Promise<Map<Hex, Hex>> {
    const entries = await this.#modules.directory.entries("repository");
    return new Map(
      entries.filter(({ certified }) => certified).map(({ member, metadataHash }) => [member, metadataHash]),
    );
  }
}

interface ReadDescription {
  text: string;
  byteCount: number;
  signed: SignedCatalogue;
  hash: Hex;
}

function readDescription(text: string): ReadDescription {
  const signed = JSON.parse(text) as SignedCatalogue;
  return { text, byteCount: Buffer.byteLength(text), signed, hash: catalogueHash(signed.catalogue) };
}

function refuse(repository: Hex, reason: string): never {
  throw new TrustedDataError("catalogue_invalid", `The catalogue is not accepted: ${reason}.`, {
    repository,
    reason,
  });
}
