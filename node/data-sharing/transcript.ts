/**
 * The transcript (step 5): everything that was asked, decided and answered, in one document that both sides hash (SHA-256 over RFC 8785
 * canonical JSON) and sign. Refusals have one too. The hash alone is logged; the random salt keeps it from being guessed.
 */
import { z } from "zod";
import { hash32Schema, signatureSchema } from "../ledger/audit-entry.ts";
import { canonicalHash } from "../primitives/canonical-json.ts";
import type { Hex } from "../primitives/hex.ts";
import { microRhoSchema } from "./manifests/dataset-manifest.ts";
import { questionRequestSchema } from "./question-request.ts";

/** A promise further off than this many blocks is none; nodes may be set to at most as much. */
export const promiseBlocksMax = 1_000_000;
/** Clocks of parties and chains may differ by this much. */
export const clockSlackS = 600;
/** Between the block and the reply lie the bound on the chain's age and the token's lifetime, an hour each at most. */
export const replyAfterBlockSMax = 7_200;

/** Between the reply and its anchor lie the schedule of batches and the wait for the querier's signature, a day each at most. */
export const anchorAfterReplySMax = 259_200;

export const transcriptSchema = z.strictObject({
  version: z.literal("itd-transcript/1"),
  request: questionRequestSchema,
  requestSignature: signatureSchema,
  /** The block at which certification and vetting were looked up. */
  block: z.strictObject({ number: z.int().nonnegative(), hash: hash32Schema }),
  timeS: z.int().positive(),
  outcome: z.enum(["answered", "refused"]),
  /** The refusal's error code; null when answered. */
  refusal: z
    .string()
    .regex(/^[a-z][a-z0-9_]*$/)
    .max(64)
    .nullable(),
  /** SHA-256 of the token that was used; null when refused before one was given. */
  token: hash32Schema.nullable(),
  plan: hash32Schema.nullable(),
  /** Hash of the dataset's declared manifest, under which the plan was made; null without a plan. */
  manifest: hash32Schema.nullable(),
  dataVersion: z.int().nonnegative(),
  consentVersion: z.int().nonnegative(),
  /** What this question took from the budget; 0 for a refusal and for a stored release. */
  chargeMicroRho: microRhoSchema,
  answer: hash32Schema.nullable(),
  salt: hash32Schema,
});

export type Transcript = z.infer<typeof transcriptSchema>;

export function transcriptHash(transcript: Transcript): Hex {
  return canonicalHash(transcript);
}
