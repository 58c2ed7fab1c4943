/**
 * Checks a receipt against a chain that the verifier has chosen. Each check has a name, and every field is covered by at least one:
 * changing any character of any value fails a check. Chain and contracts come from the verifier's own configuration.
 *
 * A valid receipt shows that the rules were kept as far as documents and chain can show it: a vetted algorithm, its own plan, the charge, a
 * signed answer in the log. That the rows were what the custodian says, and that the data version is right, no receipt can show.
 */
import { TrustedDataError } from "../errors.ts";
import type { Deployment } from "../ledger/deployment.ts";
import type { AnchorChain, Block } from "../ledger/ports.ts";
import { parseStrictJson } from "../primitives/strict-json.ts";
import type { MemberReader } from "../trust-framework/ports.ts";
import { loadSqlParser } from "./plan/parse-sql.ts";
import type { AlgorithmReader } from "./ports.ts";
import { type Receipt, receiptSchema, receiptText } from "./receipt.ts";
import { check, documentChecks, type ReceiptCheck } from "./receipt-checks.ts";
import { anchorAfterReplySMax, clockSlackS, replyAfterBlockSMax } from "./transcript.ts";

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
  const receipt = readReceipt(text);
  if (typeof receipt === "string") return verdict([check("canonical-form", false, "", receipt)]);
  await loadSqlParser();
  const [block, anchorBlock] = await Promise.all([
    modules.chain.blockAt(receipt.transcript.block.number),
    receipt.anchor === null ? undefined : modules.chain.blockAt(receipt.anchor.blockNumber),
  ]);
  return verdict([
    check("canonical-form", true, "the receipt is the one text of its content", ""),
    ...documentChecks(receipt, modules.deployment),
    await checkAnchor(receipt, modules.chain),
    checkBlock(receipt, block),
    checkTime(receipt, block, anchorBlock),
    ...(await checkTrust(receipt, block, modules)),
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
  const isCanonical = receiptText(parsed.data) === text;
  return isCanonical ? parsed.data : "the text is not in canonical form (RFC 8785 and a line feed)";
}

function verdict(checks: ReceiptCheck[]): ReceiptVerdict {
  return { valid: checks.every(({ passed }) => passed), checks };
}

async function checkAnchor({ transcript, anchor }: Receipt, chain: AnchorChain): Promise<ReceiptCheck> {
  if (anchor === null) return check("anchor", false, "", "pending: the batch is not on the chain yet");
  const { index: _index, path: _path, ...terms } = anchor;
  const passed = await chain.verifyAnchor({ ...terms, party: transcript.request.repository });
  const passing = `batch ${anchor.sequence}, in block ${anchor.blockNumber}`;
  return check("anchor", passed, passing, "the chain has no such batch of this repository");
}

function checkBlock({ transcript }: Receipt, block: Block | undefined): ReceiptCheck {
  const passed = block?.hash === transcript.block.hash;
  const passing = `decided at block ${transcript.block.number}`;
  return check("block", passed, passing, "the chain has another block at this number, or none");
}

/** The reply came soon after the block it was decided at, and before the block that anchors it. */
function checkTime(
  { transcript: { timeS, request } }: Receipt,
  block?: Block,
  anchorBlock?: Block,
): ReceiptCheck {
  const name = "time";
  if (block === undefined) return check(name, false, "", "the chain has no such block");
  const isSoon = timeS >= block.timestampS - clockSlackS && timeS <= block.timestampS + replyAfterBlockSMax;
  const isAsked = block.timestampS <= request.expiresS + clockSlackS;
  const anchoredS = anchorBlock?.timestampS ?? timeS;
  const isBefore = timeS <= anchoredS + clockSlackS && anchoredS <= timeS + anchorAfterReplySMax;
  const passing = `ended at ${new Date(timeS * 1000).toISOString()}`;
  return check(
    name,
    isSoon && isAsked && isBefore,
    passing,
    "the times of request, block, reply and anchor do not fit together",
  );
}

async function checkTrust(
  { transcript }: Receipt,
  block: Block | undefined,
  { members, algorithms }: VerifierModules,
): Promise<ReceiptCheck[]> {
  const { request, outcome } = transcript;
  if (block === undefined) return [check("trust-status", false, "", "the chain has no such block")];
  const [querier, repository, algorithm] = await Promise.all([
    members.certificationStatus(request.querier, "querier", block),
    members.certificationStatus(request.repository, "repository", block),
    algorithms.algorithmStatus(request.algorithm, block),
  ]);
  // A refusal may have been given for exactly these reasons.
  const isRefusal = outcome === "refused";
  const at = `at block ${block.number}`;
  const told = (name: string, passed: boolean, detail: string) => check(name, passed, detail, detail);
  return [
    told("querier-certified", querier === "active", `the querier's certification ${at}: ${querier}`),
    told(
      "repository-certified",
      isRefusal || repository === "active",
      `the repository's certification ${at}: ${repository}`,
    ),
    told("algorithm-vetted", isRefusal || algorithm === "approved", `the algorithm ${at}: ${algorithm}`),
  ];
}
