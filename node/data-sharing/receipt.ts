/**
 * The receipt: all that anyone needs, besides a chain they trust, to check that a question was asked, vetted, charged, answered and
 * logged by the rules. Pending until the batch with its entry is anchored. Written as canonical JSON, so that each receipt has one text.
 */
import { z } from "zod";
import { hash32Schema, signatureSchema } from "../ledger/audit-entry.ts";
import type { BatchTrees } from "../ledger/batch-trees.ts";
import type { AuditStore } from "../ledger/ports.ts";
import { canonicalJson } from "../primitives/canonical-json.ts";
import { type Hex, toHex } from "../primitives/hex.ts";
import { algorithmManifestSchema } from "./manifests/algorithm-manifest.ts";
import { datasetManifestSchema } from "./manifests/dataset-manifest.ts";
import { planSchema } from "./plan/plan-schema.ts";
import { releasedAnswerSchema } from "./release/answer.ts";
import { transcriptSchema } from "./transcript.ts";

/** log2 of the largest batch, rounded up. */
const pathLengthMax = 17;

export const anchorSchema = z.strictObject({
  sequence: z.int().positive(),
  previousLink: hash32Schema,
  root: hash32Schema,
  entryCount: z.int().positive(),
  budgets: z.string().regex(/^0x(?:[0-9a-f]{96})*$/),
  blockNumber: z.int().nonnegative(),
  /** The entry's place in the batch, and its RFC 6962 inclusion proof from the sibling upwards. */
  index: z.int().nonnegative(),
  path: z.array(hash32Schema).max(pathLengthMax),
});

export const promiseSchema = z.strictObject({ byBlock: z.int().positive(), signature: signatureSchema });

export const receiptSchema = z.strictObject({
  version: z.literal("itd-receipt/1"),
  transcript: transcriptSchema,
  plan: planSchema.nullable(),
  /** From which the plan is compiled again; null without a plan. */
  algorithm: algorithmManifestSchema.nullable(),
  dataset: datasetManifestSchema.nullable(),
  answer: releasedAnswerSchema.nullable(),
  repositorySignature: signatureSchema,
  querierSignature: signatureSchema.nullable(),
  promise: promiseSchema,
  /** Null while pending. */
  anchor: anchorSchema.nullable(),
});

export type Receipt = z.infer<typeof receiptSchema>;
export type ReceiptAnchor = z.infer<typeof anchorSchema>;

export function receiptText(receipt: Receipt): string {
  return `${canonicalJson(receipt)}\n`;
}

/** What the repository tells about a logged entry; `anchor` is null until its batch is on the chain. */
export const entryStatusSchema = z.strictObject({
  querierSignature: signatureSchema.nullable(),
  anchor: anchorSchema.nullable(),
});

export type EntryStatus = z.infer<typeof entryStatusSchema>;

/** Looks an entry up in the log, with the proof that its batch contains it. Undefined if the log has no such entry. */
export function entryStatus(audit: AuditStore, trees: BatchTrees, transcript: Hex): EntryStatus | undefined {
  const stored = audit.entryOf(transcript);
  if (stored === undefined) return undefined;
  const { querierSignature } = stored.entry;
  const batch = stored.batch === undefined ? undefined : audit.batch(stored.batch.sequence);
  if (stored.batch === undefined || batch?.anchored === undefined) return { querierSignature, anchor: null };
  const { index } = stored.batch;
  const path = trees.of(batch.sequence).inclusionProof(index).map(toHex);
  const { sequence, previousLink, root, entryCount, budgets } = batch;
  const { blockNumber } = batch.anchored;
  return {
    querierSignature,
    anchor: { sequence, previousLink, root, entryCount, budgets, blockNumber, index, path },
  };
}
