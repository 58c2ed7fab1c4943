/**
 * A consent receipt as the person keeps it: with the repository's acknowledgement and, once its batch is on the chain, the proof that it
 * stands in the log. Written as canonical JSON and a line feed, so that each has one text.
 */
import { z } from "zod";
import { promiseStruct, transcriptStruct } from "../../ledger/audit-entry.ts";
import type { Deployment } from "../../ledger/deployment.ts";
import type { AnchorChain } from "../../ledger/ports.ts";
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { parseStrictJson } from "../../primitives/strict-json.ts";
import { signerOf } from "../../primitives/typed-data.ts";
import { isInBatch } from "../inclusion.ts";
import { anchorSchema } from "../receipt.ts";
import { type Acknowledgement, acknowledgementSchema } from "./acknowledgement.ts";
import {
  consentHash,
  isSignedByPrincipal,
  type SignedConsent,
  signedConsentSchema,
} from "./consent-receipt.ts";

export const keptConsentSchema = z.strictObject({
  version: z.literal("itd-kept-consent/1"),
  signed: signedConsentSchema,
  /** Null until the repository has answered. */
  acknowledgement: acknowledgementSchema.nullable(),
  /** Null while pending. */
  anchor: anchorSchema.nullable(),
});

export type KeptConsent = z.infer<typeof keptConsentSchema>;

export function keptConsentText(kept: KeptConsent): string {
  return `${canonicalJson(kept)}\n`;
}

/** Undefined if the text is none. */
export function readKeptConsent(text: string): KeptConsent | undefined {
  try {
    const kept = keptConsentSchema.parse(parseStrictJson(text));
    return keptConsentText(kept) === text ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** By its time and record; both stay. */
export function keptConsentName({ signed: { receipt } }: KeptConsent): string {
  return `${receipt.event.timeMs}-${receipt.record.slice(2, 18)}.json`;
}

/** Whether this repository acknowledged this receipt. */
export function isAcknowledged(
  deployment: Deployment,
  signed: SignedConsent,
  said: Acknowledgement,
): boolean {
  const hash = consentHash(signed.receipt);
  const { repository } = signed.receipt.controller;
  const { byBlock, signature } = said.promise;
  return (
    said.receipt === hash &&
    signerOf(transcriptStruct(deployment, hash), said.repositorySignature) === repository &&
    signerOf(promiseStruct(deployment, hash, byBlock), signature) === repository
  );
}

/**
 * Whether both sides signed, and the entry stands in a batch of the repository that the chain has. Chain and contracts are the reader's own.
 * @throws TrustedDataError `chain_unavailable`
 */
export async function isAnchored(
  { signed, acknowledgement, anchor }: KeptConsent,
  { deployment, chain }: { deployment: Deployment; chain: Pick<AnchorChain, "verifyAnchor"> },
): Promise<boolean> {
  if (acknowledgement === null || anchor === null) return false;
  if (!isSignedByPrincipal(deployment, signed) || !isAcknowledged(deployment, signed, acknowledgement))
    return false;
  const entry = {
    transcript: consentHash(signed.receipt),
    repositorySignature: acknowledgement.repositorySignature,
    querierSignature: signed.entrySignature,
  };
  if (!isInBatch(entry, anchor)) return false;
  const { index: _index, path: _path, ...terms } = anchor;
  return await chain.verifyAnchor({ ...terms, party: signed.receipt.controller.repository });
}
