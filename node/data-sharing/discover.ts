/**
 * Finding data (step 1): directories are asked side by side; what they say counts only if the repository signed it and its hash is the one
 * on the chain. So a directory can leave something out, which another one makes good, but cannot alter anything unnoticed.
 */
import { TrustedDataError } from "../errors.ts";
import type { Deployment } from "../ledger/deployment.ts";
import type { Hex } from "../primitives/hex.ts";
import {
  type Catalogue,
  catalogueHash,
  isGenuineCatalogue,
  type SignedCatalogue,
  signedCatalogueSchema,
} from "./catalogue.ts";
import type { DatasetManifest } from "./manifests/dataset-manifest.ts";
import type { DirectoryEntry, DirectoryReader, Peer, PeerClient } from "./ports.ts";

export interface DatasetOffer {
  dataset: Hex;
  repository: Hex;
  publisher: string;
  peer: Peer;
  manifest: DatasetManifest;
}

export interface Discovery {
  offers: DatasetOffer[];
  /** What went wrong on the way, each a sentence with its code: directories that are down or that altered something. */
  problems: { directory: string; code: string; message: string }[];
}

export interface DiscoverModules {
  deployment: Deployment;
  directory: DirectoryReader;
  peers: PeerClient;
}

/** Datasets whose name, title, description, table or class contains `text` (all of them if it is empty), by repository and name. */
export async function discoverDatasets(text: string, modules: DiscoverModules): Promise<Discovery> {
  const [directories, repositories] = await Promise.all([
    modules.directory.entries("directory"),
    modules.directory.entries("repository"),
  ]);
  const certified = new Map(
    repositories.filter((entry) => entry.certified).map((entry) => [entry.member, entry]),
  );
  const discovery: Discovery = { offers: [], problems: [] };
  const found = new Map<Hex, DatasetOffer>();
  const problem = ({ endpoint }: DirectoryEntry, { code, message }: TrustedDataError) =>
    discovery.problems.push({ directory: endpoint, code, message });
  await Promise.all(
    directories
      .filter((entry) => entry.certified)
      .map(async (entry) => {
        try {
          for (const signed of await cataloguesOf(entry, text, modules)) {
            const repository = certified.get(signed.catalogue.repository);
            if (repository === undefined) continue;
            const altered = alteration(modules.deployment, signed, repository, entry);
            if (altered !== undefined) problem(entry, altered);
            else
              for (const offer of matching(signed.catalogue, repository, text))
                found.set(offer.dataset, offer);
          }
        } catch (error) {
          if (!(error instanceof TrustedDataError)) throw error;
          problem(entry, error);
        }
      }),
  );
  discovery.offers = [...found.values()].sort((a, b) =>
    `${a.publisher} ${a.manifest.name}` < `${b.publisher} ${b.manifest.name}` ? -1 : 1,
  );
  return discovery;
}

/** Whether a dataset is meant by `text`: every word of it occurs in what is declared. */
export function matchesDataset(
  { name, title, description, table, dataClass }: DatasetManifest,
  text: string,
): boolean {
  const declared = `${name} ${title} ${description} ${table} ${dataClass}`.toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => declared.includes(word));
}

async function cataloguesOf(
  directory: DirectoryEntry,
  text: string,
  { peers }: DiscoverModules,
): Promise<SignedCatalogue[]> {
  const answer = signedCatalogueSchema
    .array()
    .max(1_000)
    .safeParse(await peers.search(directory, text));
  if (answer.success) return answer.data;
  throw new TrustedDataError(
    "peer_answer_invalid",
    `The directory ${directory.endpoint} does not answer with catalogues.`,
  );
}

/** What is wrong with a catalogue, undefined if it is the repository's own and the one on the chain. */
function alteration(
  deployment: Deployment,
  signed: SignedCatalogue,
  entry: DirectoryEntry,
  directory: DirectoryEntry,
): TrustedDataError | undefined {
  if (isGenuineCatalogue(deployment, signed) && catalogueHash(signed.catalogue) === entry.metadataHash)
    return undefined;
  return new TrustedDataError(
    "catalogue_altered",
    `The directory ${directory.endpoint} shows a catalogue of ${entry.endpoint} that is not the one on the chain (altered, or out of date); it is ignored.`,
    { directory: directory.member, repository: entry.member },
  );
}

function matching(catalogue: Catalogue, entry: DirectoryEntry, text: string): DatasetOffer[] {
  return catalogue["dcat:dataset"]
    .filter(({ manifest }) => matchesDataset(manifest, text))
    .map(({ "dct:identifier": dataset, manifest }) => ({
      dataset,
      repository: entry.member,
      publisher: catalogue["dct:publisher"],
      peer: { endpoint: entry.endpoint, tlsFingerprint: entry.tlsFingerprint },
      manifest,
    }));
}
