/**
 * The consent receipt: what a person permits or takes back, of which data, for which purposes, to whom. Fields after ISO/IEC TS 27560:2023
 * (consent record information structure); the words that would be the same in each are fixed here, so that neither side can put a promise
 * into the other's mouth. The person signs it (EIP-712, bound to one chain and its contracts), and signs its hash as a log entry, as the
 * repository does: so it stands in the anchored log like a question's transcript, and the hash says nothing without the receipt, of which
 * the record's id is 32 random bytes.
 */
import { z } from "zod";
import { hash32Schema, signatureSchema, transcriptStruct } from "../../ledger/audit-entry.ts";
import { type Deployment, signingDomain } from "../../ledger/deployment.ts";
import { canonicalHash } from "../../primitives/canonical-json.ts";
import { addressPattern, type Hex } from "../../primitives/hex.ts";
import { signerOf, type TypedStruct } from "../../primitives/typed-data.ts";
import { nameSchema } from "../manifests/dataset-manifest.ts";
import { purposeSchema } from "./purposes.ts";

/** Seconds are kept in 32 bits; the largest stands for no end. */
export const expiresSMax = 2 ** 32 - 2;

const addressSchema = z.string().regex(addressPattern, "use a lower-case address");

/** The same in all receipts of this version. */
export const consentTerms = {
  lawfulBasis: "dpv:Consent",
  collection: "collected by the controller before; nothing is collected under this receipt",
  storage: "kept by the controller alone; no row leaves it",
  processing: "vetted algorithms run where the data is; only answers with differentially private noise leave",
  recipients: "certified queriers, of answers only",
  withdrawal: "itd consent withdraw, at any time; in force at the next execution, answers that left stay",
} as const;

export const consentReceiptSchema = z.strictObject({
  version: z.literal("itd-consent/1"),
  /** Random, chosen by the person's side. */
  record: hash32Schema,
  /** The PII principal: the key to which the custodian has bound a person. */
  principal: addressSchema,
  /** The PII controller. */
  controller: z.strictObject({ repository: addressSchema, publisher: z.string().min(1).max(200) }),
  dataset: z.strictObject({ id: hash32Schema, name: nameSchema }),
  /** What the person was shown: the dataset's manifest, by its hash. */
  notice: z.strictObject({ reference: hash32Schema, language: z.string().regex(/^[a-z]{2,3}$/) }),
  /** None in a withdrawal of everything. */
  purposes: z
    .array(z.strictObject({ purpose: purposeSchema, lawfulBasis: z.literal(consentTerms.lawfulBasis) }))
    .max(32)
    .refine(
      (list) => new Set(list.map(({ purpose }) => purpose)).size === list.length,
      "a purpose appears twice",
    ),
  /** The PII category: the class of the data. */
  dataCategory: nameSchema,
  collection: z.literal(consentTerms.collection),
  storage: z.literal(consentTerms.storage),
  processing: z.literal(consentTerms.processing),
  recipients: z.literal(consentTerms.recipients),
  /** That for which the repository is certified; as the person's side read it on the chain. */
  jurisdiction: z.string().regex(/^[A-Za-z0-9-]{1,32}$/),
  withdrawal: z.literal(consentTerms.withdrawal),
  event: z.strictObject({ state: z.enum(["given", "withdrawn"]), timeMs: z.int().positive() }),
  /** From when on it counts no more; null without an end, and in a withdrawal. */
  expiresS: z.int().positive().max(expiresSMax).nullable(),
});

export type ConsentReceipt = z.infer<typeof consentReceiptSchema>;

export const signedConsentSchema = z
  .strictObject({
    receipt: consentReceiptSchema,
    signature: signatureSchema,
    /** Over the receipt's hash, as a log entry takes it. */
    entrySignature: signatureSchema,
  })
  .refine(
    ({ receipt: { event, purposes, expiresS } }) =>
      event.state === "given" ? purposes.length > 0 : expiresS === null,
    { path: ["receipt"], error: "consent is given for a purpose, and a withdrawal has no end" },
  );

export type SignedConsent = z.infer<typeof signedConsentSchema>;

export function consentHash(receipt: ConsentReceipt): Hex {
  return canonicalHash(receipt);
}

/** What the person signs; wallets show every field. */
export function consentStruct(deployment: Deployment, receipt: ConsentReceipt): TypedStruct {
  const { principal, controller, dataset, event, purposes, expiresS } = receipt;
  return {
    domain: signingDomain(deployment),
    types: {
      Consent: [
        { name: "receipt", type: "bytes32" },
        { name: "principal", type: "address" },
        { name: "repository", type: "address" },
        { name: "dataset", type: "bytes32" },
        { name: "state", type: "string" },
        { name: "purposes", type: "string" },
        { name: "timeMs", type: "uint64" },
        { name: "expiresS", type: "uint48" },
      ],
    },
    message: {
      receipt: consentHash(receipt),
      principal,
      repository: controller.repository,
      dataset: dataset.id,
      state: event.state,
      purposes: purposes.map(({ purpose }) => purpose).join(" "),
      timeMs: event.timeMs,
      expiresS: expiresS ?? 0,
    },
  };
}

/** Whether the key that the receipt names signed both it and its log entry. */
export function isSignedByPrincipal(
  deployment: Deployment,
  { receipt, signature, entrySignature }: SignedConsent,
): boolean {
  const entry = transcriptStruct(deployment, consentHash(receipt));
  return (
    signerOf(consentStruct(deployment, receipt), signature) === receipt.principal &&
    signerOf(entry, entrySignature) === receipt.principal
  );
}
