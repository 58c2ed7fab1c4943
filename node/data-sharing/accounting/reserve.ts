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
 * The ceiling spent + reserved never falls from one batch to the next, as spending goes on under the old one while a batch is on its way.
 * A manifest that lowers the total below what is spent reserves nothing more.
 */
export function budgetLines(
  repository: Hex,
  manifests: readonly DatasetManifest[],
  questions: Pick<QuestionStore, "spent">,
): BudgetLine[] {
  return manifests.map(({ name, budget }) => {
    const dataset = datasetId(repository, name);
    const spent = questions.spent(dataset);
    const left = BigInt(budget.totalMicroRho) - spent;
    const wanted = BigInt(budget.reservedMicroRho);
    return { dataset, spent, reserved: left < 0n ? 0n : left < wanted ? left : wanted };
  });
}
