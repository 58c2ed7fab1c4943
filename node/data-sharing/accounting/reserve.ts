/**
 * What a batch says about each dataset's budget (step 6): what is spent, and what may be spent until the next batch is on the chain. A
 * restored backup counts the whole reservation as spent, so it can never answer again with fresh noise.
 */
import type { BudgetLine } from "../../ledger/budget-line.ts";
import type { Hex } from "../../primitives/hex.ts";
import type { DatasetManifest } from "../manifests/dataset-manifest.ts";
import type { QuestionStore } from "../ports.ts";
import { datasetId } from "../question-request.ts";

/**
 * One line for each dataset that is offered or has a budget here: one that is off the offer for a while must not be forgotten. The ceiling
 * spent + reserved never falls from one batch to the next, whatever the manifest says now, as spending goes on under the old one while
 * a batch is on its way.
 */
export function budgetLines(
  repository: Hex,
  manifests: readonly DatasetManifest[],
  questions: Pick<QuestionStore, "spent" | "anchoredCeiling" | "budgetedDatasets">,
): BudgetLine[] {
  const offered = new Map(manifests.map(({ name, budget }) => [datasetId(repository, name), budget]));
  const datasets = new Set([...offered.keys(), ...questions.budgetedDatasets()]);
  return [...datasets].sort().map((dataset) => {
    const spent = questions.spent(dataset);
    const budget = offered.get(dataset);
    const left = budget === undefined ? 0n : BigInt(budget.totalMicroRho) - spent;
    const wanted = budget === undefined ? 0n : BigInt(budget.reservedMicroRho);
    const allowedNow = questions.anchoredCeiling(dataset) - spent;
    return { dataset, spent, reserved: largest(0n, left < wanted ? left : wanted, allowedNow) };
  });
}

function largest(...values: readonly bigint[]): bigint {
  return values.reduce((a, b) => (a > b ? a : b));
}
