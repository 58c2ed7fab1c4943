/**
 * One entry of an audit log: that both sides of a question signed the same transcript hash. The transcript itself stays with the
 * two parties; its salt keeps the hash from being guessed.
 */
import { z } from "zod";
import { canonicalJson } from "../primitives/canonical-json.ts";
import { type Hex, hash32Pattern } from "../primitives/hex.ts";
import { type Hash, leafHash } from "../primitives/merkle.ts";
import { isCanonicalSignature, type TypedStruct } from "../primitives/typed-data.ts";
import { type Deployment, signingDomain } from "./deployment.ts";

export const signatureSchema = z.string().refine(isCanonicalSignature, "not a canonical signature");
export const hash32Schema = z.string().regex(hash32Pattern, "use 32 bytes in lower-case hexadecimal");

export const auditEntrySchema = z.strictObject({
  transcript: hash32Schema,
  repositorySignature: signatureSchema,
  /** Null where the querier never signed: anchored as such. */
  querierSignature: signatureSchema.nullable(),
});

export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** The leaf of the batch's tree (RFC 6962) is the hash of the entry's canonical JSON. */
export function entryLeaf(entry: AuditEntry): Hash {
  const { transcript, repositorySignature, querierSignature } = entry;
  return leafHash(Buffer.from(canonicalJson({ transcript, repositorySignature, querierSignature })));
}

/** What both sides sign. */
export function transcriptStruct(deployment: Deployment, transcript: Hex): TypedStruct {
  return {
    domain: signingDomain(deployment),
    types: { Transcript: [{ name: "transcript", type: "bytes32" }] },
    message: { transcript },
  };
}

/** The repository's promise that the entry stands in a batch anchored in block `byBlock` or before; a missing entry is then provable. */
export function promiseStruct(deployment: Deployment, transcript: Hex, byBlock: number): TypedStruct {
  return {
    domain: signingDomain(deployment),
    types: {
      AnchorPromise: [
        { name: "transcript", type: "bytes32" },
        { name: "byBlock", type: "uint64" },
      ],
    },
    message: { transcript, byBlock },
  };
}
