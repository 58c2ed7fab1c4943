/**
 * Checks a receipt against a chain that the verifier has chosen. Each check has a name, and every field is covered by at least one:
 * changing any character of any value fails a check. Chain and contracts come from the verifier's own configuration.
 *
 * A valid receipt shows that the rules were kept as far as documents and chain can show it; that the rows were what the custodian
 * says they were, no receipt can show.
 */
import { TrustedDataError } from "../errors.ts";
import { entryLeaf, promiseStruct, transcriptStruct } from "../ledger/audit-entry.ts";
import { decodeBudgetLines } from "../ledger/budget-line.ts";
import type { Deployment } from "../ledger/deployment.ts";
import type { AnchorChain, Block } from "../ledger/ports.ts";
import { fromHex, toHex } from "../primitives/hex.ts";
import { rootFromInclusionProof } from "../primitives/merkle.ts";
import { parseStrictJson } from "../primitives/strict-json.ts";
import { signerOf } from "../primitives/typed-data.ts";
import type { MemberReader } from "../trust-framework/ports.ts";
import { planHash } from "./plan/plan-hash.ts";
import type { AlgorithmReader } from "./ports.ts";
import { isSignedByQuerier } from "./question-request.ts";
import { type Receipt, receiptSchema, receiptText } from "./receipt.ts";
import { answerHash, checkAnswer } from "./release/answer.ts";
import { transcriptHash } from "./transcript.ts";

export interface ReceiptCheck {
  name: string;
  passed: boolean;
  detail: string;
}

export interface ReceiptVerdict {
  valid: boolean;
  checks: ReceiptCheck[];
}

export interface VerifierModules {
  deployment: Deployment;
  chain: AnchorChain;
  members: MemberReader;
  algorithms: AlgorithmReader;
}

/** A receipt of the largest batch and answer stays below this. */
export const receiptBytesMax = 8 * 1024 * 1024;

/** @throws TrustedDataError `chain_unavailable`: then nothing is said about the receipt. */
export async function verifyReceipt(text: string, modules: VerifierModules): Promise<ReceiptVerdict> {
  const read = readReceipt(text);
  if (typeof read === "string") return verdict([check("canonical-form", false, read)]);
  const block = await modules.chain.blockAt(read.transcript.block.number);
  return verdict([
    check("canonical-form", true, "the receipt is the one text of its content"),
    checkOutcome(read),
    checkRequest(read, modules.deployment),
    checkPlan(read),
    checkReleasedAnswer(read),
    checkRepositorySignature(read, modules.deployment),
    checkQuerierSignature(read, modules.deployment),
    checkPromise(read, modules.deployment),
    checkInclusion(read),
    await checkAnchor(read, modules.chain),
    checkBudget(read),
    checkBlock(read, block),
    ...(await checkTrust(read, block, modules)),
  ]);
}

/** The receipt, or why the text is none. */
export function readReceipt(text: string): Receipt | string {
  if (text.length > receiptBytesMax) return "the text is too long for a receipt";
  let json: unknown;
  try {
    json = parseStrictJson(text);
  } catch (error) {
    if (error instanceof TrustedDataError) return error.message;
    throw error;
  }
  const parsed = receiptSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    return `${issue.path.join(".") || "the document"}: ${issue.message}`;
  }
  return receiptText(parsed.data) === text
    ? parsed.data
    : "the text is not in canonical form (RFC 8785 and a line feed)";
}

function verdict(checks: ReceiptCheck[]): ReceiptVerdict {
  return { valid: checks.every(({ passed }) => passed), checks };
}

function check(name: string, passed: boolean, detail: string): ReceiptCheck {
  return { name, passed, detail };
}

function checkOutcome({ transcript: t, plan, answer }: Receipt): ReceiptCheck {
  const answered =
    t.refusal === null && t.token !== null && t.plan !== null && t.answer !== null && plan !== null;
  const refused = t.refusal !== null && t.answer === null && answer === null && t.chargeMicroRho === "0";
  const passed = t.outcome === "answered" ? answered && answer !== null : refused;
  return check(
    "outcome",
    passed,
    passed ? `the question was ${t.outcome}` : `the fields do not fit a question that was ${t.outcome}`,
  );
}

function checkRequest({ transcript }: Receipt, deployment: Deployment): ReceiptCheck {
  const passed = isSignedByQuerier(deployment, {
    request: transcript.request,
    signature: transcript.requestSignature,
  });
  return check(
    "request-signature",
    passed,
    passed
      ? `${transcript.request.querier} signed the question`
      : "the querier did not sign this question for this chain and these contracts",
  );
}

function checkPlan({ transcript, plan }: Receipt): ReceiptCheck {
  const passed = (plan === null ? null : planHash(plan)) === transcript.plan;
  return check(
    "plan",
    passed,
    passed ? "the plan is the logged one" : "the plan is not the one in the transcript",
  );
}

function checkReleasedAnswer({ transcript, plan, answer }: Receipt): ReceiptCheck {
  const name = "answer";
  if (answer === null) {
    return check(
      name,
      transcript.answer === null,
      transcript.answer === null ? "no answer was given" : "the answer is missing",
    );
  }
  if (answerHash(answer) !== transcript.answer)
    return check(name, false, "the answer is not the one in the transcript");
  try {
    if (plan !== null) checkAnswer(plan, answer);
    return check(name, plan !== null, "the answer is the logged one, with the noise that its plan asks for");
  } catch (error) {
    if (error instanceof TrustedDataError) return check(name, false, error.message);
    throw error;
  }
}

function checkRepositorySignature(
  { transcript, repositorySignature }: Receipt,
  deployment: Deployment,
): ReceiptCheck {
  const signer = signerOf(transcriptStruct(deployment, transcriptHash(transcript)), repositorySignature);
  const passed = signer === transcript.request.repository;
  return check(
    "repository-signature",
    passed,
    passed ? `${signer} signed the transcript` : "the repository did not sign this transcript",
  );
}

function checkQuerierSignature(
  { transcript, querierSignature }: Receipt,
  deployment: Deployment,
): ReceiptCheck {
  const name = "querier-signature";
  if (querierSignature === null)
    return check(name, true, "the querier never signed the transcript; the entry is logged as such");
  const passed =
    signerOf(transcriptStruct(deployment, transcriptHash(transcript)), querierSignature) ===
    transcript.request.querier;
  return check(
    name,
    passed,
    passed ? "the querier signed the same transcript" : "the querier did not sign this transcript",
  );
}

function checkPromise({ transcript, promise, anchor }: Receipt, deployment: Deployment): ReceiptCheck {
  const signer = signerOf(
    promiseStruct(deployment, transcriptHash(transcript), promise.byBlock),
    promise.signature,
  );
  if (signer !== transcript.request.repository)
    return check("promise", false, "the repository did not sign this promise");
  if (anchor === null)
    return check("promise", true, `the repository promised to anchor the entry by block ${promise.byBlock}`);
  const kept = anchor.blockNumber <= promise.byBlock;
  return check(
    "promise",
    kept,
    `promised by block ${promise.byBlock}, anchored in block ${anchor.blockNumber}`,
  );
}

function checkInclusion({
  transcript,
  repositorySignature,
  querierSignature,
  anchor,
}: Receipt): ReceiptCheck {
  if (anchor === null) return check("inclusion", false, "pending: the entry is not in an anchored batch yet");
  const leaf = entryLeaf({ transcript: transcriptHash(transcript), repositorySignature, querierSignature });
  const root = rootFromInclusionProof(leaf, anchor.index, anchor.entryCount, anchor.path.map(fromHex));
  const passed = root !== undefined && toHex(root) === anchor.root;
  return check(
    "inclusion",
    passed,
    passed
      ? `entry ${anchor.index + 1} of ${anchor.entryCount} in the batch`
      : "the entry is not in the batch",
  );
}

async function checkAnchor({ transcript, anchor }: Receipt, chain: AnchorChain): Promise<ReceiptCheck> {
  if (anchor === null) return check("anchor", false, "pending: the batch is not on the chain yet");
  const { index: _index, path: _path, ...terms } = anchor;
  const passed = await chain.verifyAnchor({ ...terms, party: transcript.request.repository });
  return check(
    "anchor",
    passed,
    passed
      ? `batch ${anchor.sequence}, in block ${anchor.blockNumber}`
      : "the chain has no such batch of this repository",
  );
}

function checkBudget({ transcript, anchor }: Receipt): ReceiptCheck {
  if (anchor === null) return check("budget", false, "pending: the batch is not on the chain yet");
  const charge = BigInt(transcript.chargeMicroRho);
  const line = decodeBudgetLines(anchor.budgets)?.find(
    ({ dataset }) => dataset === transcript.request.dataset,
  );
  const passed = charge === 0n || (line !== undefined && line.spent >= charge);
  return check(
    "budget",
    passed,
    passed
      ? `the charge of ${charge} micro-rho is in the anchored budget`
      : "the anchored budget does not contain the charge",
  );
}

function checkBlock({ transcript }: Receipt, block: Block | undefined): ReceiptCheck {
  const passed = block?.hash === transcript.block.hash;
  return check(
    "block",
    passed,
    passed
      ? `decided at block ${transcript.block.number}`
      : "the chain has another block at this number, or none",
  );
}

async function checkTrust(
  { transcript }: Receipt,
  block: Block | undefined,
  { members, algorithms }: VerifierModules,
): Promise<ReceiptCheck[]> {
  const { request, outcome } = transcript;
  if (block === undefined) return [check("trust-status", false, "the chain has no such block")];
  const [querier, repository, algorithm] = await Promise.all([
    members.certificationStatus(request.querier, "querier", block),
    members.certificationStatus(request.repository, "repository", block),
    algorithms.algorithmStatus(request.algorithm, block),
  ]);
  // A refusal may have been given for exactly these reasons.
  const isRefusal = outcome === "refused";
  return [
    check(
      "querier-certified",
      querier === "active",
      `the querier's certification at block ${block.number}: ${querier}`,
    ),
    check(
      "repository-certified",
      isRefusal || repository === "active",
      `the repository's certification at block ${block.number}: ${repository}`,
    ),
    check(
      "algorithm-vetted",
      isRefusal || algorithm === "approved",
      `the algorithm at block ${block.number}: ${algorithm}`,
    ),
  ];
}
