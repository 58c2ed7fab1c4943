/**
 * What budgets say: charges, budget statements and the moment from which questions are refused, of data with and without the only person
 * whom the questions are about.
 */
import type { DatasetOffer } from "../../../node/data-sharing/discover.ts";
import { type Attack, atMost } from "../support/attack.ts";
import { asked, fresh, peopleAlgorithm } from "../support/cells.ts";
import type { Daemon } from "../support/daemon.ts";
import { neighbours } from "../support/neighbours.ts";

const microRho = 100_000;
const answers = 4;
const question = peopleAlgorithm(
  "attack-budget-channel",
  "SELECT cell, COUNT(*) AS people FROM people WHERE target >= 1 AND fresh >= param.fresh GROUP BY cell",
  { microRho },
);

export const budgetChannel: Attack = {
  name: "budget-channel",
  what: "charges, statements and refusals of questions about a person who is there or not",
  bound: "differences: 0; no false alarms",
  async run(target, size) {
    const budget = String(answers * microRho);
    const daemon = await target.daemon();
    const pair = await neighbours(daemon, [{ cell: 0 }, { cell: 1 }], [{ cell: 1 }], {
      cells: 2,
      over: {
        budget: { totalMicroRho: budget, perQuerierMicroRho: budget, reservedMicroRho: budget },
        minimumPeople: 10,
      },
    });
    const asks = (size === "fast" ? 2 : 4) + answers;
    const freshAt = Array.from({ length: asks }, fresh);
    const [here, there] = await Promise.all([
      observed(daemon, pair.with, freshAt),
      observed(daemon, pair.without, freshAt),
    ]);
    const different = here.filter((line, i) => line !== there[i]);
    return atMost(
      different.length,
      0,
      "differences",
      `${here.length} questions of both; ${different.length === 0 ? `the last: ${here.at(-1)}` : different[0]}`,
    );
  },
};

/** Each question, and then a repeat of it. */
async function observed(daemon: Daemon, offer: DatasetOffer, freshAt: number[]): Promise<string[]> {
  const account = daemon.field.queriers[0]!;
  const lines: string[] = [];
  for (const value of [...freshAt, ...freshAt]) {
    const reply = await daemon.ask(asked(question, { fresh: value }), offer, account);
    const { status, code, outcome, chargeMicroRho } = reply;
    lines.push([status, outcome, code ?? "", chargeMicroRho, await daemon.spent(offer)].join(" "));
  }
  return lines;
}
