/**
 * Whether a signed question may be answered (step 2): querier and repository certified, algorithm vetted and not revoked now on the chain,
 * purpose permitted, parameters inside their domains, budget left. Nothing here looks at data.
 *
 * A refusal to a querier that the chain knows is logged; anybody else gets an error and leaves no trace, or strangers could fill the log.
 */
import { type ErrorCode, TrustedDataError } from "../errors.ts";
import type { Hex } from "../primitives/hex.ts";
import { commonPurposes, permittingPurpose } from "./consent/purposes.ts";
import {
  type AlgorithmManifest,
  algorithmHash,
  parseAlgorithmManifest,
} from "./manifests/algorithm-manifest.ts";
import type { DatasetManifest } from "./manifests/dataset-manifest.ts";
import { compilePlan } from "./plan/compile-plan.ts";
import { loadSqlParser } from "./plan/parse-sql.ts";
import type { Plan } from "./plan/plan.ts";
import type { AlgorithmSource, DatasetStore, QuestionStore } from "./ports.ts";
import { datasetId, type QuestionRequest, type SignedRequest } from "./question-request.ts";
import type { TrustStatement, TrustView } from "./trust-view.ts";

export interface Admission {
  dataset: DatasetManifest;
  plan: Plan;
  block: { number: number; hash: Hex };
}

/** A refusal that is logged: its code, its reason for people, and the block that it was decided at. */
export class Refusal {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly block: { number: number; hash: Hex };

  constructor(code: ErrorCode, reason: string, block: { number: number; hash: Hex }) {
    this.code = code;
    this.reason = reason;
    this.block = { number: block.number, hash: block.hash };
  }
}

export interface AdmissionModules {
  trust: TrustView;
  datasets: DatasetStore;
  algorithms: AlgorithmSource;
  questions: QuestionStore;
}

/** @throws TrustedDataError, unlogged: `querier_not_certified`, or what keeps this node from deciding, such as `chain_unavailable`. */
export async function admitQuestion(
  { request }: SignedRequest,
  modules: AdmissionModules,
): Promise<Admission | Refusal> {
  const trust = await modules.trust.statement(request.querier, request.algorithm);
  if (trust.querier !== "active") {
    throw new TrustedDataError(
      "querier_not_certified",
      `The querier is not certified (${trust.querier}); ask a trust council for the role "querier".`,
      { querier: request.querier, status: trust.querier },
    );
  }
  const { block } = trust;
  try {
    requireTrust(trust);
    const dataset = requireDataset(request, modules.datasets);
    const algorithm = await requireManifest(request.algorithm, modules.algorithms);
    requireFit(request, dataset, algorithm);
    await loadSqlParser();
    const plan = compilePlan(algorithm, request.parameters, dataset);
    requireBudget(request, dataset, plan, modules.questions);
    return { dataset, plan, block: { number: block.number, hash: block.hash } };
  } catch (error) {
    if (error instanceof TrustedDataError && isDecision(error)) {
      return new Refusal(error.code, error.message, block);
    }
    throw error;
  }
}

/** Of the errors that count as the node's own (5xx), those that are decided by the rules; else the node is in trouble, and may tell more later. */
const decided: ReadonlySet<ErrorCode> = new Set([
  "budget_not_reserved",
  "chain_stale",
  "repository_not_certified",
]);

function isDecision({ code, status }: TrustedDataError): boolean {
  // What chain and storage say of themselves, whatever the status, names machines and files: it is not for a signed document.
  const isOfNode = code.startsWith("chain_") || code.startsWith("storage_");
  return decided.has(code) || (status < 500 && !isOfNode);
}

function requireTrust({ fresh, repository, algorithm, block }: TrustStatement): void {
  if (!fresh) {
    throw new TrustedDataError(
      "chain_stale",
      `The chain has not been reachable for too long (last seen at block ${block.number}); ask again when it is back.`,
    );
  }
  if (repository !== "active") {
    throw new TrustedDataError(
      "repository_not_certified",
      `This repository is not certified now (${repository}).`,
    );
  }
  if (algorithm === "revoked") throw new TrustedDataError("algorithm_revoked", "The algorithm was revoked.");
  if (algorithm !== "approved") {
    throw new TrustedDataError(
      "algorithm_not_approved",
      algorithm === "none"
        ? "The algorithm is not published on the chain."
        : "The algorithm lacks valid approvals of independent vetters (none yet, expired or withdrawn).",
    );
  }
}

function requireDataset(request: QuestionRequest, datasets: DatasetStore): DatasetManifest {
  const found = datasets
    .manifests()
    .find(({ name }) => datasetId(request.repository, name) === request.dataset);
  if (found === undefined)
    throw new TrustedDataError("dataset_unknown", "This repository offers no such dataset.");
  return found;
}

async function requireManifest(hash: Hex, source: AlgorithmSource): Promise<AlgorithmManifest> {
  const text = await source.manifestText(hash);
  const manifest = text === undefined ? undefined : parseAlgorithmManifest(text);
  if (manifest === undefined || algorithmHash(manifest) !== hash) {
    throw new TrustedDataError(
      "algorithm_unknown",
      "No directory has the algorithm's manifest; publish it to one and ask again.",
      { algorithm: hash },
    );
  }
  return manifest;
}

function requireFit(request: QuestionRequest, dataset: DatasetManifest, algorithm: AlgorithmManifest): void {
  if (algorithm.dataClass !== dataset.dataClass) {
    throw new TrustedDataError(
      "data_class_mismatch",
      `The algorithm was vetted for data of class "${algorithm.dataClass}", the dataset is of class "${dataset.dataClass}".`,
    );
  }
  if (![dataset, algorithm].every(({ purposes }) => permittingPurpose(purposes, request.purpose))) {
    const permitted = commonPurposes(dataset.purposes, algorithm.purposes);
    throw new TrustedDataError(
      "purpose_not_permitted",
      `The purpose ${request.purpose} is not permitted; permitted here: ${permitted.join(", ") || "none"}.`,
    );
  }
}

/** An early word; the decision falls with the charge. A stored release stays free, so a plan that has one would pass there. */
function requireBudget(
  request: QuestionRequest,
  { budget }: DatasetManifest,
  plan: Plan,
  store: QuestionStore,
): void {
  const charge = BigInt(plan.microRho);
  if (charge > BigInt(budget.totalMicroRho)) {
    throw new TrustedDataError(
      "budget_exhausted",
      "One answer of this algorithm costs more than the dataset's whole budget.",
    );
  }
  if (charge > BigInt(budget.perQuerierMicroRho)) {
    throw new TrustedDataError(
      "budget_exhausted",
      "One answer of this algorithm costs more than the dataset's budget for one querier and purpose.",
    );
  }
  const ceiling = store.anchoredCeiling(request.dataset);
  if (charge > BigInt(budget.reservedMicroRho) && store.spent(request.dataset) + charge > ceiling) {
    throw new TrustedDataError(
      "budget_exhausted",
      "One answer of this algorithm costs more than the dataset reserves for the time between two batches (reservedMicroRho of its manifest).",
    );
  }
  if (ceiling === 0n) {
    throw new TrustedDataError(
      "budget_not_reserved",
      "The dataset's budget is not on the chain yet; ask again after the next batch.",
    );
  }
}
