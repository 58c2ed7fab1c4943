/**
 * What is left of a dataset's budget (step 1: what changes with each question is served separately, signed by the repository). The time is
 * signed too, so that an old statement cannot pass for a new one. Not promised: that the sum is right; the anchored budget shows that.
 */
import { z } from "zod";
import { hash32Schema, signatureSchema } from "../ledger/audit-entry.ts";
import { type Deployment, signingDomain } from "../ledger/deployment.ts";
import type { Clock, Signer } from "../ledger/ports.ts";
import type { Hex } from "../primitives/hex.ts";
import { signerOf, type TypedStruct } from "../primitives/typed-data.ts";
import { microRhoSchema } from "./manifests/dataset-manifest.ts";
import type { DatasetStore, QuestionStore } from "./ports.ts";
import { datasetId } from "./question-request.ts";

export const budgetStatementSchema = z.strictObject({
  dataset: hash32Schema,
  totalMicroRho: microRhoSchema,
  /** All queriers together; after a restored backup it may exceed the total. */
  spentMicroRho: z.string().regex(/^(?:0|[1-9]\d{0,19})$/, "use a whole number of micro-rho as text"),
  timeS: z.int().positive(),
  signature: signatureSchema,
});

export type SignedBudget = z.infer<typeof budgetStatementSchema>;

export interface BudgetModules {
  clock: Clock;
  signer: Signer;
  datasets: DatasetStore;
  questions: QuestionStore;
}

/** Undefined if the repository offers no such dataset. */
export async function signedBudget(
  dataset: Hex,
  deployment: Deployment,
  { clock, signer, datasets, questions }: BudgetModules,
): Promise<SignedBudget | undefined> {
  const manifest = datasets.manifests().find(({ name }) => datasetId(signer.address, name) === dataset);
  if (manifest === undefined) return undefined;
  const statement = {
    dataset,
    totalMicroRho: manifest.budget.totalMicroRho,
    spentMicroRho: questions.spent(dataset).toString(),
    timeS: Math.floor(clock.nowMs() / 1000),
  };
  return { ...statement, signature: await signer.sign(budgetStruct(deployment, statement)) };
}

export function isGenuineBudget(deployment: Deployment, repository: Hex, budget: SignedBudget): boolean {
  const { signature, ...statement } = budget;
  return signerOf(budgetStruct(deployment, statement), signature) === repository;
}

function budgetStruct(deployment: Deployment, statement: Omit<SignedBudget, "signature">): TypedStruct {
  return {
    domain: signingDomain(deployment),
    types: {
      BudgetStatement: [
        { name: "dataset", type: "bytes32" },
        { name: "totalMicroRho", type: "uint64" },
        { name: "spentMicroRho", type: "uint128" },
        { name: "timeS", type: "uint48" },
      ],
    },
    message: { ...statement },
  };
}
