/** The checks of a receipt that need no chain: what was asked, planned, charged and answered fits together, and both sides signed it. */
import { TrustedDataError } from "../errors.ts";
import { promiseStruct, transcriptStruct } from "../ledger/audit-entry.ts";
import { decodeBudgetLines } from "../ledger/budget-line.ts";
import type { Deployment } from "../ledger/deployment.ts";
import { canonicalHash } from "../primitives/canonical-json.ts";
import { signerOf } from "../primitives/typed-data.ts";
import { permittingPurpose } from "./consent/purposes.ts";
import { isInBatch } from "./inclusion.ts";
import { algorithmHash } from "./manifests/algorithm-manifest.ts";
import { needsConsent } from "./manifests/dataset-manifest.ts";
import { compilePlan } from "./plan/compile-plan.ts";
import { planHash } from "./plan/plan-hash.ts";
import { datasetId, isSignedByQuerier } from "./question-request.ts";
import type { Receipt } from "./receipt.ts";
import { answerHash } from "./release/answer.ts";
import { checkAnswer } from "./release/check-answer.ts";
import { promiseBlocksMax, transcriptHash } from "./transcript.ts";

export interface ReceiptCheck {
  name: string;
  passed: boolean;
  detail: string;
}

/** `loadSqlParser` must have been awaited. */
export function documentChecks(receipt: Receipt, deployment: Deployment): ReceiptCheck[] {
  return [
    checkOutcome(receipt),
    checkRequest(receipt, deployment),
    checkAlgorithm(receipt),
    checkDataset(receipt),
    checkPlan(receipt),
    checkPurpose(receipt),
    checkCharge(receipt),
    checkReleasedAnswer(receipt),
    checkRepositorySignature(receipt, deployment),
    checkQuerierSignature(receipt, deployment),
    checkPromise(receipt, deployment),
    checkInclusion(receipt),
    checkBudget(receipt),
  ];
}

export function check(name: string, passed: boolean, passing: string, failing: string): ReceiptCheck {
  return { name, passed, detail: passed ? passing : failing };
}

function checkOutcome({ transcript: t, plan, answer, algorithm, dataset }: Receipt): ReceiptCheck {
  const isWhole = [plan, algorithm, dataset].every((part) => part !== null) && t.token !== null;
  const isEmpty = [plan, algorithm, dataset].every((part) => part === null) && t.token === null;
  const answered = t.refusal === null && isWhole && answer !== null;
  const refused = t.refusal !== null && answer === null && (isWhole || isEmpty);
  const passed = t.outcome === "answered" ? answered : refused;
  return check(
    "outcome",
    passed,
    `the question was ${t.outcome}`,
    `the fields do not fit a question that was ${t.outcome}`,
  );
}

function checkRequest(
  { transcript: { request, requestSignature } }: Receipt,
  deployment: Deployment,
): ReceiptCheck {
  const passed = isSignedByQuerier(deployment, { request, signature: requestSignature });
  const failing = "the querier did not sign this question for this chain and these contracts";
  return check("request-signature", passed, `${request.querier} signed the question`, failing);
}

function checkAlgorithm({ transcript, algorithm }: Receipt): ReceiptCheck {
  const passed = algorithm === null || algorithmHash(algorithm) === transcript.request.algorithm;
  const passing =
    algorithm === null
      ? "refused before an algorithm was read"
      : `${algorithm.name} is the algorithm that was asked`;
  return check("algorithm", passed, passing, "the algorithm is not the one that was asked");
}

function checkDataset({ transcript, dataset }: Receipt): ReceiptCheck {
  const isLogged = (dataset === null ? null : canonicalHash(dataset)) === transcript.manifest;
  const { repository, dataset: asked } = transcript.request;
  // A version of consents is there exactly where consent is needed.
  const isDated = dataset === null || needsConsent(dataset) === transcript.consentVersion > 0;
  const passed = isLogged && isDated && (dataset === null || datasetId(repository, dataset.name) === asked);
  const passing =
    dataset === null ? "refused before a plan was made" : `${dataset.name}, as declared when it was asked`;
  return check("dataset", passed, passing, "the dataset's manifest is not the one in the transcript");
}

/** The plan is what the vetted algorithm means on the declared dataset: compiled here again. */
function checkPlan({ transcript, plan, algorithm, dataset }: Receipt): ReceiptCheck {
  const name = "plan";
  const hash = plan === null ? null : planHash(plan);
  if (hash !== transcript.plan) return check(name, false, "", "the plan is not the one in the transcript");
  if (plan === null) return check(name, true, "refused before a plan was made", "");
  try {
    if (algorithm === null || dataset === null)
      return check(name, false, "", "what the plan was made from is missing");
    const passed = planHash(compilePlan(algorithm, transcript.request.parameters, dataset)) === hash;
    return check(
      name,
      passed,
      "the plan is what the algorithm means on this dataset",
      "the algorithm means another plan on this dataset",
    );
  } catch (error) {
    if (error instanceof TrustedDataError) return check(name, false, "", error.message);
    throw error;
  }
}

function checkPurpose({ transcript, algorithm, dataset }: Receipt): ReceiptCheck {
  const { purpose } = transcript.request;
  const permitted = [algorithm, dataset].every(
    (manifest) => manifest !== null && permittingPurpose(manifest.purposes, purpose) !== undefined,
  );
  const passed = transcript.outcome === "refused" || permitted;
  const passing = permitted ? `${purpose} is permitted by dataset and algorithm` : `asked for ${purpose}`;
  return check("purpose", passed, passing, `${purpose} is not permitted by dataset and algorithm`);
}

function checkCharge({ transcript: { chargeMicroRho, outcome }, plan }: Receipt): ReceiptCheck {
  const isFree = chargeMicroRho === "0";
  const passed = isFree || (outcome === "answered" && chargeMicroRho === plan?.microRho);
  const free =
    outcome === "refused" ? "a refusal costs nothing" : "free: a stored answer of this data version";
  return check(
    "charge",
    passed,
    isFree ? free : `${chargeMicroRho} micro-rho, as the plan costs`,
    "the charge is not what the plan costs",
  );
}

function checkReleasedAnswer({ transcript, plan, answer }: Receipt): ReceiptCheck {
  const name = "answer";
  if ((answer === null ? null : answerHash(answer)) !== transcript.answer) {
    return check(name, false, "", "the answer is not the one in the transcript");
  }
  if (answer === null) return check(name, true, "no answer was given", "");
  try {
    if (plan !== null) checkAnswer(plan, answer);
    return check(
      name,
      plan !== null,
      "the logged answer, with the noise that its plan asks for",
      "the answer has no plan",
    );
  } catch (error) {
    if (error instanceof TrustedDataError) return check(name, false, "", error.message);
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
    `${signer} signed the transcript`,
    "the repository did not sign this transcript",
  );
}

/** An entry that the querier never signed is the repository's word alone: it may be in the log, but it proves nothing about the querier. */
function checkQuerierSignature(
  { transcript, querierSignature }: Receipt,
  deployment: Deployment,
): ReceiptCheck {
  const name = "querier-signature";
  if (querierSignature === null)
    return check(name, false, "", "one-sided: the querier never signed the transcript");
  const signer = signerOf(transcriptStruct(deployment, transcriptHash(transcript)), querierSignature);
  const passed = signer === transcript.request.querier;
  return check(
    name,
    passed,
    "the querier signed the same transcript",
    "the querier did not sign this transcript",
  );
}

function checkPromise({ transcript, promise, anchor }: Receipt, deployment: Deployment): ReceiptCheck {
  const name = "promise";
  const signer = signerOf(
    promiseStruct(deployment, transcriptHash(transcript), promise.byBlock),
    promise.signature,
  );
  if (signer !== transcript.request.repository)
    return check(name, false, "", "the repository did not sign this promise");
  if (promise.byBlock > transcript.block.number + promiseBlocksMax)
    return check(name, false, "", "the promise is too far off to be one");
  if (anchor === null)
    return check(name, true, `the repository promised to anchor the entry by block ${promise.byBlock}`, "");
  const passed = anchor.blockNumber <= promise.byBlock;
  const detail = `promised by block ${promise.byBlock}, anchored in block ${anchor.blockNumber}`;
  return check(name, passed, detail, detail);
}

function checkInclusion({
  transcript,
  repositorySignature,
  querierSignature,
  anchor,
}: Receipt): ReceiptCheck {
  if (anchor === null)
    return check("inclusion", false, "", "pending: the entry is not in an anchored batch yet");
  const entry = { transcript: transcriptHash(transcript), repositorySignature, querierSignature };
  const passed = isInBatch(entry, anchor);
  return check(
    "inclusion",
    passed,
    `entry ${anchor.index + 1} of ${anchor.entryCount} in the batch`,
    "the entry is not in the batch",
  );
}

function checkBudget({ transcript, anchor }: Receipt): ReceiptCheck {
  if (anchor === null) return check("budget", false, "", "pending: the batch is not on the chain yet");
  const charge = BigInt(transcript.chargeMicroRho);
  const line = decodeBudgetLines(anchor.budgets)?.find(
    ({ dataset }) => dataset === transcript.request.dataset,
  );
  const passed = charge === 0n || (line !== undefined && line.spent >= charge);
  return check(
    "budget",
    passed,
    `the charge of ${charge} micro-rho is in the anchored budget`,
    "the anchored budget does not contain the charge",
  );
}
