/** How many more answers like these a querier may expect, by what the repositories state about their budgets. */
import { answersLeft } from "../data-sharing/accounting/zcdp.ts";
import { budgetStatementSchema, isGenuineBudget } from "../data-sharing/budget-statement.ts";
import type { Ended } from "../data-sharing/querier.ts";
import { TrustedDataError } from "../errors.ts";
import type { Client } from "./context.ts";

/**
 * By answer, undefined where the repository does not say. All queriers share a dataset's budget, and one querier's part for one purpose is
 * bounded too: what others ask meanwhile makes it less.
 */
export async function answersLeftOf(
  answered: readonly Ended[],
  client: Client,
  onProblem: (error: unknown) => void,
): Promise<(bigint | undefined)[]> {
  return await Promise.all(
    answered.map(async ({ offer, plan, transcript, spentMicroRho: ownBefore }) => {
      try {
        const statement = budgetStatementSchema.safeParse(
          await client.peers.budget(offer.peer, offer.dataset),
        );
        if (!statement.success || !isGenuineBudget(client.deployment, offer.repository, statement.data))
          throw new TrustedDataError(
            "peer_answer_invalid",
            `${offer.publisher} does not state its budget as agreed.`,
          );
        const { totalMicroRho, spentMicroRho } = statement.data;
        const charge = BigInt(plan!.microRho);
        const left = answersLeft(BigInt(totalMicroRho), BigInt(spentMicroRho), charge);
        const ownSpent = BigInt(ownBefore ?? 0) + BigInt(transcript.chargeMicroRho);
        const own = answersLeft(BigInt(offer.manifest.budget.perQuerierMicroRho), ownSpent, charge);
        return left < own ? left : own;
      } catch (error) {
        onProblem(error);
        return undefined;
      }
    }),
  );
}
