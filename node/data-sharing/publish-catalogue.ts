/**
 * Keeps what others know of a repository true (step 1): signs the catalogue whenever the datasets change, puts its hash on the chain,
 * and sends it to every directory on the chain, first quickly and then less often while one is down, and again from time to time.
 */
import type { Deployment } from "../ledger/deployment.ts";
import type { Clock, Signer } from "../ledger/ports.ts";
import { canonicalHash } from "../primitives/canonical-json.ts";
import type { Hex } from "../primitives/hex.ts";
import { catalogueHash, catalogueOf, catalogueStruct, type SignedCatalogue } from "./catalogue.ts";
import type { DatasetStore, DirectoryEntry, DirectoryReader, DirectoryWriter, PeerClient } from "./ports.ts";

export interface PublishOptions {
  deployment: Deployment;
  publisher: string;
  /** How often the datasets are looked at. */
  watchMs: number;
  /** How often a directory gets the catalogue that it has already: it may have lost it. */
  repeatMs: number;
}

export interface PublishModules {
  clock: Clock;
  signer: Signer;
  datasets: DatasetStore;
  directory: DirectoryReader;
  writer: DirectoryWriter;
  peers: PeerClient;
  onProblem: (error: unknown) => void;
}

/** Where this node is reached: part of its entry on the chain. */
export interface OwnPeer {
  endpoint: string;
  tlsFingerprint: Hex;
}

interface Delivery {
  catalogue: Hex;
  failures: number;
  nextMs: number;
}

const retryMsMax = 60_000;
/** The entry on the chain is compared again after this, even if nothing changed here. */
const entryCheckMs = 60_000;

export class CataloguePublisher {
  readonly #options: PublishOptions;
  readonly #modules: PublishModules;
  #signed: { hash: Hex; catalogue: SignedCatalogue } | undefined;
  #entry: { hash: Hex; nextMs: number; failures: number } | undefined;
  readonly #deliveries = new Map<string, Delivery>();

  constructor(options: PublishOptions, modules: PublishModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Whether the entry on the chain is this repository's newest, as far as known. */
  get isPublished(): boolean {
    return this.#entry?.failures === 0;
  }

  /** The signed catalogue of the datasets as they are now. */
  async catalogue(): Promise<SignedCatalogue> {
    const { signer, datasets } = this.#modules;
    const { deployment, publisher } = this.#options;
    const catalogue = catalogueOf(signer.address, publisher, datasets.manifests());
    const hash = canonicalHash(catalogue);
    if (this.#signed?.hash !== hash) {
      const signature = await signer.sign(catalogueStruct(deployment, catalogue));
      this.#signed = { hash, catalogue: { catalogue, signature } };
    }
    return this.#signed.catalogue;
  }

  async run(own: OwnPeer, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.step(own).catch(this.#modules.onProblem);
      await this.#modules.clock.sleep(this.#options.watchMs, signal).catch(() => undefined);
    }
  }

  /** Does what is due: entry first, as directories compare with it. */
  async step(own: OwnPeer): Promise<void> {
    const signed = await this.catalogue();
    if (!(await this.#keepEntry(own, catalogueHash(signed.catalogue)))) return;
    const directories = await this.#modules.directory.entries("directory");
    const certified = directories.filter((entry) => entry.certified);
    await Promise.all(certified.map((entry) => this.#deliver(entry, signed)));
  }

  /** Whether the entry is right, as far as known. */
  async #keepEntry(own: OwnPeer, hash: Hex): Promise<boolean> {
    const { clock, writer, onProblem } = this.#modules;
    const nowMs = clock.nowMs();
    const known = this.#entry;
    if (known !== undefined && known.hash === hash && nowMs < known.nextMs) return known.failures === 0;
    try {
      await writer.setEntry("repository", own.endpoint, own.tlsFingerprint, hash);
      this.#entry = { hash, nextMs: nowMs + entryCheckMs, failures: 0 };
      return true;
    } catch (error) {
      const failures = (known?.failures ?? 0) + 1;
      this.#entry = { hash, nextMs: clock.nowMs() + retryDelayMs(failures), failures };
      onProblem(error);
      return false;
    }
  }

  async #deliver(directory: DirectoryEntry, signed: SignedCatalogue): Promise<void> {
    const { clock, peers, onProblem } = this.#modules;
    const key = `${directory.endpoint} ${directory.tlsFingerprint}`;
    const hash = catalogueHash(signed.catalogue);
    const last = this.#deliveries.get(key);
    if (last !== undefined && clock.nowMs() < last.nextMs && last.catalogue === hash) return;
    try {
      await peers.pushCatalogue(directory, signed);
      this.#deliveries.set(key, {
        catalogue: hash,
        failures: 0,
        nextMs: clock.nowMs() + this.#options.repeatMs,
      });
    } catch (error) {
      const failures = (last?.failures ?? 0) + 1;
      const nextMs = clock.nowMs() + retryDelayMs(failures);
      this.#deliveries.set(key, { catalogue: hash, failures, nextMs });
      onProblem(error);
    }
  }
}

/** 1 s, 2 s, 4 s, ... up to a minute. */
export function retryDelayMs(failures: number): number {
  return Math.min(retryMsMax, 1_000 * 2 ** Math.min(failures - 1, 6));
}
