/**
 * The signed question (data-sharing flow, step 2): which vetted algorithm over which dataset, with which parameters, for which purpose,
 * by whom, until when, and with which key the token will be used (EIP-712; RFC 9449 thumbprint).
 */
import { z } from "zod";
import { hash32Schema, signatureSchema } from "../ledger/audit-entry.ts";
import { type Deployment, signingDomain } from "../ledger/deployment.ts";
import { canonicalHash } from "../primitives/canonical-json.ts";
import { addressPattern, type Hex } from "../primitives/hex.ts";
import { signerOf, type TypedStruct } from "../primitives/typed-data.ts";
import { purposeSchema } from "./consent/purposes.ts";
import { identifierSchema } from "./manifests/dataset-manifest.ts";

/** A request signed for longer could be kept and used when it suits somebody else. */
export const requestLifetimeSecondsMax = 600;

export const addressSchema = z.string().regex(addressPattern, "use a lower-case address");

export const parametersSchema = z
  .record(identifierSchema, z.union([z.string().max(200), z.int()]))
  .refine((parameters) => Object.keys(parameters).length <= 32, "at most 32 parameters");

export type Parameters = z.infer<typeof parametersSchema>;

export const questionRequestSchema = z.strictObject({
  /** Random, chosen by the querier; names the question for ever. */
  question: hash32Schema,
  querier: addressSchema,
  repository: addressSchema,
  dataset: hash32Schema,
  algorithm: hash32Schema,
  parameters: parametersSchema,
  purpose: purposeSchema,
  /** RFC 7638 thumbprint (SHA-256) of the key that proves possession of the token. */
  keyThumbprint: z.string().regex(/^[A-Za-z0-9_-]{43}$/, "use a SHA-256 JWK thumbprint in base64url"),
  expiresS: z
    .int()
    .positive()
    .max(2 ** 48 - 1),
});

export const signedRequestSchema = z.strictObject({
  request: questionRequestSchema,
  signature: signatureSchema,
});

export type QuestionRequest = z.infer<typeof questionRequestSchema>;
export type SignedRequest = z.infer<typeof signedRequestSchema>;

/** What the querier signs; wallets show every field. */
export function requestStruct(deployment: Deployment, request: QuestionRequest): TypedStruct {
  const { parameters, ...rest } = request;
  return {
    domain: signingDomain(deployment),
    types: {
      Question: [
        { name: "question", type: "bytes32" },
        { name: "querier", type: "address" },
        { name: "repository", type: "address" },
        { name: "dataset", type: "bytes32" },
        { name: "algorithm", type: "bytes32" },
        { name: "parametersHash", type: "bytes32" },
        { name: "purpose", type: "string" },
        { name: "keyThumbprint", type: "string" },
        { name: "expiresS", type: "uint48" },
      ],
    },
    message: { ...rest, parametersHash: canonicalHash(parameters) },
  };
}

export function isSignedByQuerier(deployment: Deployment, { request, signature }: SignedRequest): boolean {
  return signerOf(requestStruct(deployment, request), signature) === request.querier;
}

/** A dataset's id: bound to the repository that offers it, so that no two parties share one. */
export function datasetId(repository: Hex, name: string): Hex {
  return canonicalHash({ repository, dataset: name });
}
