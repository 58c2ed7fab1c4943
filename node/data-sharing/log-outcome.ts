/** Ends a question (step 5): builds the transcript, signs it and the promise to anchor it, and gives the exact reply to be stored and sent. */
import { promiseStruct, transcriptStruct } from "../ledger/audit-entry.ts";
import type { Deployment } from "../ledger/deployment.ts";
import type { Clock, Signer } from "../ledger/ports.ts";
import { canonicalJson } from "../primitives/canonical-json.ts";
import { toHex } from "../primitives/hex.ts";
import type { Plan } from "./plan/plan.ts";
import type { Outcome, Randomness } from "./ports.ts";
import type { ReleasedAnswer } from "./release/answer.ts";
import { type Transcript, transcriptHash } from "./transcript.ts";

export interface QuestionReply {
  transcript: Transcript;
  repositorySignature: string;
  promise: { byBlock: number; signature: string };
  plan: Plan | null;
  answer: ReleasedAnswer | null;
  /** The refusal's sentence; null when answered. */
  reason: string | null;
}

export interface LogModules {
  clock: Clock;
  randomness: Randomness;
  signer: Signer;
}

export interface LogOptions {
  deployment: Deployment;
  /** Blocks after the one in the transcript by which the entry is promised to be anchored. */
  anchorWithinBlocks: number;
}

/** In UTF-16 units; receipts hold no longer ones. */
const reasonLengthMax = 900;

type Facts = Omit<Transcript, "version" | "timeS" | "salt">;

/** `timeMs` is what reply and log say of its time: of an answer the end of its slot, as else it would tell how long the plan took. */
export async function logOutcome(
  facts: Facts,
  shown: Pick<QuestionReply, "plan" | "answer" | "reason">,
  { deployment, anchorWithinBlocks }: LogOptions,
  { clock, randomness, signer }: LogModules,
  timeMs = clock.nowMs(),
): Promise<{ reply: string; outcome: Outcome }> {
  const transcript: Transcript = {
    version: "itd-transcript/1",
    ...facts,
    timeS: Math.floor(timeMs / 1000),
    salt: toHex(randomness.bytes(32)),
  };
  const hash = transcriptHash(transcript);
  const byBlock = facts.block.number + anchorWithinBlocks;
  const repositorySignature = await signer.sign(transcriptStruct(deployment, hash));
  const promise = { byBlock, signature: await signer.sign(promiseStruct(deployment, hash, byBlock)) };
  const reason = shown.reason === null ? null : shortened(shown.reason);
  const reply: QuestionReply = { transcript, repositorySignature, promise, ...shown, reason };
  return {
    reply: canonicalJson(reply),
    outcome: { transcript: hash, repositorySignature, promisedBlock: byBlock, createdMs: timeMs },
  };
}

function shortened(reason: string): string {
  if (reason.length <= reasonLengthMax) return reason;
  // Half of a pair at the cut would be no text.
  return `${reason.slice(0, reasonLengthMax - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
