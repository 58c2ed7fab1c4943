/**
 * Whether a reply is what the querier asked for and may sign: every field of the transcript is compared with what this side knows, has
 * computed or can look up. What does not agree is not countersigned.
 */
import { z } from "zod";
import { TrustedDataError } from "../errors.ts";
import { promiseStruct, signatureSchema, transcriptStruct } from "../ledger/audit-entry.ts";
import type { Deployment } from "../ledger/deployment.ts";
import type { AnchorChain, Clock } from "../ledger/ports.ts";
import { canonicalHash } from "../primitives/canonical-json.ts";
import type { Hex } from "../primitives/hex.ts";
import { signerOf } from "../primitives/typed-data.ts";
import type { DatasetOffer } from "./discover.ts";
import type { AlgorithmManifest } from "./manifests/algorithm-manifest.ts";
import { needsConsent } from "./manifests/dataset-manifest.ts";
import type { Plan } from "./plan/plan.ts";
import { planHash } from "./plan/plan-hash.ts";
import { planSchema } from "./plan/plan-schema.ts";
import { requestLifetimeSecondsMax, type SignedRequest } from "./question-request.ts";
import { promiseSchema } from "./receipt.ts";
import { answerHash, releasedAnswerSchema } from "./release/answer.ts";
import { checkAnswer } from "./release/check-answer.ts";
import {
  clockSlackS,
  promiseBlocksMax,
  replyAfterBlockSMax,
  type Transcript,
  transcriptHash,
  transcriptSchema,
} from "./transcript.ts";

export const replySchema = z.strictObject({
  transcript: transcriptSchema,
  repositorySignature: signatureSchema,
  promise: promiseSchema,
  plan: planSchema.nullable(),
  answer: releasedAnswerSchema.nullable(),
  reason: z.string().max(1_000).nullable(),
});

export type CheckedReply = z.infer<typeof replySchema>;

/** What this side knows before the reply comes. */
export interface Expected {
  offer: DatasetOffer;
  algorithm: AlgorithmManifest;
  signed: SignedRequest;
  /** SHA-256 of the token; null when refused before one was given. */
  token: Hex | null;
  /** Compiled here from the algorithm and the declared dataset; the repository must have run the same. */
  plan: Plan;
}

export interface AgreementModules {
  deployment: Deployment;
  clock: Clock;
  /** Looked at for the transcript's block; while it does not answer, the block is taken on trust, and the receipt's check will tell. */
  chain: Pick<AnchorChain, "blockAt">;
}

/** @throws TrustedDataError `transcript_mismatch` naming the field */
export async function requireAgreed(
  reply: CheckedReply,
  expected: Expected,
  modules: AgreementModules,
): Promise<void> {
  const field =
    differingFact(reply, expected) ??
    differingSignature(reply, expected.offer, modules.deployment) ??
    (await differingTime(reply.transcript, modules));
  if (field !== undefined) throw mismatch(expected.offer, field);
}

export function mismatch({ peer, repository }: DatasetOffer, field: string): TrustedDataError {
  return new TrustedDataError(
    "transcript_mismatch",
    `The repository ${peer.endpoint} claims something else than what was asked or sent (${field}); nothing is countersigned.`,
    { field, repository },
  );
}

function differingFact(reply: CheckedReply, { offer, signed, token, plan }: Expected): string | undefined {
  const { transcript: t, answer } = reply;
  const hash = reply.plan === null ? null : planHash(reply.plan);
  if (canonicalHash(t.request) !== canonicalHash(signed.request)) return "request";
  if (t.requestSignature !== signed.signature) return "requestSignature";
  if (t.token !== token) return "token";
  if (t.plan !== hash || (hash !== null && hash !== planHash(plan))) return "plan";
  if ((hash === null) !== (token === null) || (hash === null && answer !== null)) return "plan";
  if (t.manifest !== (hash === null ? null : canonicalHash(offer.manifest))) return "manifest";
  if (hash !== null && needsConsent(offer.manifest) !== t.consentVersion > 0) return "consentVersion";
  if (t.answer !== (answer === null ? null : answerHash(answer))) return "answer";
  if ((t.outcome === "answered") !== (answer !== null) || (t.refusal === null) !== (answer !== null))
    return "outcome";
  if (t.chargeMicroRho !== "0" && (answer === null || t.chargeMicroRho !== plan.microRho))
    return "chargeMicroRho";
  if (answer !== null) checkAnswer(plan, answer);
  return undefined;
}

function differingSignature(
  reply: CheckedReply,
  offer: DatasetOffer,
  deployment: Deployment,
): string | undefined {
  const { transcript, promise, repositorySignature } = reply;
  const hash = transcriptHash(transcript);
  if (signerOf(transcriptStruct(deployment, hash), repositorySignature) !== offer.repository)
    return "repositorySignature";
  if (signerOf(promiseStruct(deployment, hash, promise.byBlock), promise.signature) !== offer.repository)
    return "promise";
  return promise.byBlock > transcript.block.number + promiseBlocksMax ? "promise.byBlock" : undefined;
}

async function differingTime(
  { timeS, block, request }: Transcript,
  { clock, chain }: AgreementModules,
): Promise<string | undefined> {
  const fromS = request.expiresS - requestLifetimeSecondsMax - clockSlackS;
  if (timeS < fromS || timeS > clock.nowMs() / 1000 + clockSlackS) return "timeS";
  try {
    const found = await chain.blockAt(block.number);
    if (found?.hash !== block.hash) return "block";
    return timeS > found.timestampS + replyAfterBlockSMax ? "block" : undefined;
  } catch (error) {
    if (error instanceof TrustedDataError && error.code === "chain_unavailable") return undefined;
    throw error;
  }
}
