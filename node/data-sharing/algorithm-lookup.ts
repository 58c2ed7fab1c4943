/**
 * Manifests by content hash for a repository: its own copy first, then every directory on the chain, side by side. Whoever serves it, only a
 * text that has the hash counts; it is then kept, so that a vetted algorithm runs even when all directories are down.
 */
import { TrustedDataError } from "../errors.ts";
import type { Hex } from "../primitives/hex.ts";
import { algorithmHash, parseAlgorithmManifest } from "./manifests/algorithm-manifest.ts";
import type { AlgorithmSource, DirectoryReader, DirectoryStore, Peer, PeerClient } from "./ports.ts";

export interface AlgorithmLookupModules {
  directory: DirectoryReader;
  peers: PeerClient;
  store: DirectoryStore;
  onProblem: (error: unknown) => void;
}

export class AlgorithmLookup implements AlgorithmSource {
  readonly #modules: AlgorithmLookupModules;
  /** Many questions about a new algorithm share one search. */
  readonly #searches = new Map<Hex, Promise<string | undefined>>();

  constructor(modules: AlgorithmLookupModules) {
    this.#modules = modules;
  }

  async manifestText(algorithm: Hex): Promise<string | undefined> {
    const kept = this.#modules.store.manifest(algorithm);
    if (kept !== undefined) return kept;
    const underWay = this.#searches.get(algorithm);
    if (underWay !== undefined) return await underWay;
    const search = this.#search(algorithm).finally(() => this.#searches.delete(algorithm));
    this.#searches.set(algorithm, search);
    return await search;
  }

  async #search(algorithm: Hex): Promise<string | undefined> {
    const { directory, store } = this.#modules;
    const directories = (await directory.entries("directory")).filter(({ certified }) => certified);
    const found = await firstDefined(directories.map((entry) => this.#ask(entry, algorithm)));
    if (found !== undefined) store.saveManifest(algorithm, found);
    return found;
  }

  /** A directory that fails or serves another text is told of, and the others count. */
  async #ask(directory: Peer, algorithm: Hex): Promise<string | undefined> {
    try {
      const text = await this.#modules.peers.manifest(directory, algorithm);
      if (text === undefined || algorithmHash(parseAlgorithmManifest(text)) === algorithm) return text;
      throw new TrustedDataError(
        "peer_answer_invalid",
        `The directory ${directory.endpoint} serves a manifest that does not have the algorithm's hash.`,
        { directory: directory.endpoint, algorithm },
      );
    } catch (error) {
      this.#modules.onProblem(error);
      return undefined;
    }
  }
}

/** The first that is defined, without waiting for the slower ones; undefined when all are. */
function firstDefined<T>(attempts: readonly Promise<T | undefined>[]): Promise<T | undefined> {
  return new Promise((resolve) => {
    const answers = attempts.map(async (attempt) => {
      const answer = await attempt;
      if (answer !== undefined) resolve(answer);
    });
    void Promise.all(answers).then(() => resolve(undefined));
  });
}
