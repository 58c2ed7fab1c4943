/**
 * What a repository says about its datasets (step 1): DCAT 3 in JSON-LD, with the whole declared manifest beside the usual terms, so that
 * a querier can compile and hash the plan itself. Signed, and its hash is on the chain: a directory that alters it is caught.
 */
import { z } from "zod";
import { signatureSchema } from "../ledger/audit-entry.ts";
import { type Deployment, signingDomain } from "../ledger/deployment.ts";
import { canonicalHash } from "../primitives/canonical-json.ts";
import type { Hex } from "../primitives/hex.ts";
import { signerOf, type TypedStruct } from "../primitives/typed-data.ts";
import { type DatasetManifest, datasetManifestSchema } from "./manifests/dataset-manifest.ts";
import { addressSchema, datasetId } from "./question-request.ts";

/** One document must fit the limits of directories; a dataset takes about 2 KiB. */
export const catalogueDatasetsMax = 256;

const datasetSchema = z.strictObject({
  "@type": z.literal("dcat:Dataset"),
  "dct:identifier": z.string(),
  "dct:title": z.string(),
  "dct:description": z.string(),
  "dct:license": z.string().nullable(),
  "dct:source": z.string().nullable(),
  "dpv:hasPurpose": z.array(z.string()),
  manifest: datasetManifestSchema,
});

export const catalogueSchema = z.strictObject({
  "@context": z.strictObject({ dcat: z.string(), dct: z.string(), dpv: z.string() }),
  "@type": z.literal("dcat:Catalog"),
  version: z.literal("itd-catalogue/1"),
  repository: addressSchema,
  "dct:publisher": z.string().max(200),
  "dcat:dataset": z.array(datasetSchema).max(catalogueDatasetsMax),
});

export type Catalogue = z.infer<typeof catalogueSchema>;

export const signedCatalogueSchema = z.strictObject({
  catalogue: catalogueSchema,
  signature: signatureSchema,
});

export type SignedCatalogue = z.infer<typeof signedCatalogueSchema>;

export function catalogueOf(
  repository: Hex,
  publisher: string,
  manifests: readonly DatasetManifest[],
): Catalogue {
  const byName = [...manifests].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    "@context": {
      dcat: "http://www.w3.org/ns/dcat#",
      dct: "http://purl.org/dc/terms/",
      dpv: "https://w3id.org/dpv#",
    },
    "@type": "dcat:Catalog",
    version: "itd-catalogue/1",
    repository,
    "dct:publisher": publisher,
    "dcat:dataset": byName.map((manifest) => ({
      "@type": "dcat:Dataset",
      "dct:identifier": datasetId(repository, manifest.name),
      "dct:title": manifest.title,
      "dct:description": manifest.description,
      "dct:license": manifest.license ?? null,
      "dct:source": manifest.source ?? null,
      "dpv:hasPurpose": manifest.purposes,
      manifest,
    })),
  };
}

/** What stands in RepositoryDirectory. */
export function catalogueHash(catalogue: Catalogue): Hex {
  return canonicalHash(catalogue);
}

export function catalogueStruct(deployment: Deployment, catalogue: Catalogue): TypedStruct {
  return {
    domain: signingDomain(deployment),
    types: {
      Catalogue: [
        { name: "repository", type: "address" },
        { name: "catalogue", type: "bytes32" },
      ],
    },
    message: { repository: catalogue.repository, catalogue: catalogueHash(catalogue) },
  };
}

/** Whether the repository signed the catalogue, and the ids in it are its own. */
export function isGenuineCatalogue(
  deployment: Deployment,
  { catalogue, signature }: SignedCatalogue,
): boolean {
  return (
    signerOf(catalogueStruct(deployment, catalogue), signature) === catalogue.repository &&
    catalogue["dcat:dataset"].every(
      (d) => d["dct:identifier"] === datasetId(catalogue.repository, d.manifest.name),
    )
  );
}
