/** Routes of a directory (step 1): it takes what the chain vouches for, and gives it to anyone. */
import { z } from "zod";
import { signedCatalogueSchema } from "../data-sharing/catalogue.ts";
import {
  type Directory,
  type DirectoryDescription,
  directoryDescriptionSchema,
} from "../data-sharing/directory.ts";
import { algorithmManifestSchema } from "../data-sharing/manifests/algorithm-manifest.ts";
import { TrustedDataError } from "../errors.ts";
import { hash32Schema } from "../ledger/audit-entry.ts";
import { json, jsonReply, jsonResponse, type Route, route } from "./route.ts";

/** A catalogue of 256 datasets, and a manifest with long texts, stay below this. */
export const documentBytesMax = 1024 * 1024;

const hashPath = z.strictObject({ hash: hash32Schema });

export function directoryRoutes(
  directory: Pick<Directory, "acceptCatalogue" | "search" | "acceptManifest" | "manifest">,
  description: DirectoryDescription,
): Route[] {
  return [
    route(
      "directory",
      "GET /v1/directory",
      "What this directory says about itself; the hash is on the chain",
      {
        responses: { 200: jsonResponse("The description.", directoryDescriptionSchema) },
        handle: () => jsonReply(description),
      },
    ),
    route("directory", "POST /v1/directory/catalogues", "A repository sends its signed catalogue", {
      body: { schema: signedCatalogueSchema, bytesMax: documentBytesMax },
      isCostly: true,
      responses: { 200: jsonResponse("Kept.", z.strictObject({})) },
      handle: async ({ body }) => {
        await directory.acceptCatalogue(body);
        return jsonReply({});
      },
    }),
    route("directory", "GET /v1/directory/datasets", "Catalogues with a dataset that the text means", {
      query: z.strictObject({ search: z.string().max(200).default("") }),
      responses: {
        200: jsonResponse(
          "Signed catalogues, at most 8 MiB; search for more words to get fewer.",
          signedCatalogueSchema.array(),
        ),
      },
      handle: async ({ query }) => jsonReply(await directory.search(query.search)),
    }),
    route("directory", "PUT /v1/directory/algorithms/:hash", "An author sends an algorithm's manifest", {
      path: hashPath,
      body: {
        // The same text as JSON and as YAML has one hash; it is parsed by its own reader, which is as strict.
        schema: z.string(),
        mediaTypes: ["application/yaml", "text/plain"],
        bytesMax: documentBytesMax,
      },
      isCostly: true,
      responses: { 200: jsonResponse("Kept.", z.strictObject({})) },
      handle: async ({ path, body }) => {
        await directory.acceptManifest(path.hash, body);
        return jsonReply({});
      },
    }),
    route("directory", "GET /v1/directory/algorithms/:hash", "An algorithm's manifest", {
      path: hashPath,
      responses: { 200: jsonResponse("The manifest in canonical JSON.", algorithmManifestSchema) },
      handle: ({ path }) => {
        const text = directory.manifest(path.hash);
        if (text === undefined)
          throw new TrustedDataError("algorithm_unknown", "This directory does not have the manifest.");
        return { status: 200, mediaType: json, body: text };
      },
    }),
  ];
}
