/** What a repository answers to a consent receipt that it has taken: its signature over the log entry, and its promise to anchor it. */
import { z } from "zod";
import { hash32Schema, signatureSchema } from "../../ledger/audit-entry.ts";
import { promiseSchema } from "../receipt.ts";

export const acknowledgementSchema = z.strictObject({
  version: z.literal("itd-consent-taken/1"),
  /** Hash of the receipt: the entry's transcript. */
  receipt: hash32Schema,
  repositorySignature: signatureSchema,
  promise: promiseSchema,
});

export type Acknowledgement = z.infer<typeof acknowledgementSchema>;
