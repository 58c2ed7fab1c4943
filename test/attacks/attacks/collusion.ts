/**
 * Queriers who collude: each within its own budget, all together after one person. The dataset's cap holds for all of them, and what they
 * learn by pooling their answers is within what they were charged together.
 */
import { type Attack, atMost } from "../support/attack.ts";
import {
  asked,
  coins,
  crowdsWith,
  fresh,
  guesses,
  numberOf,
  peopleAlgorithm,
  peopleDataset,
} from "../support/cells.ts";
import { empiricalRho } from "../support/statistics.ts";

const microRho = 50_000;
const answers = 10;
const answersEach = 5;
const crowd = 10;
const question = peopleAlgorithm(
  "attack-collusion",
  "SELECT cell, COUNT(*) AS people FROM people WHERE fresh >= param.fresh GROUP BY cell",
  { microRho },
);

export const collusion: Attack = {
  name: "collusion",
  what: "four queriers who ask for as much as each may, and pool their answers",
  bound: "answers over the cap of ten, and empirical rho over the cap: at most 1; false alarm 1e-6",
  async run(target, size) {
    const cells = size === "fast" ? 500 : 6_000;
    const targets = coins(cells);
    const daemon = await target.daemon();
    const total = String(answers * microRho);
    const offer = await daemon.addDataset(
      peopleDataset(crowdsWith(targets, crowd), {
        cells,
        over: {
          budget: {
            totalMicroRho: total,
            perQuerierMicroRho: String(answersEach * microRho),
            reservedMicroRho: total,
          },
        },
      }),
    );
    const replies = await Promise.all(
      daemon.field.queriers.slice(0, 4).map(async (account) => {
        const own = [];
        for (let i = 0; i < answersEach + 1; i++)
          own.push(await daemon.ask(asked(question, { fresh: fresh() }), offer, account));
        return own;
      }),
    );
    const answered = replies.flat().filter(({ outcome }) => outcome === "answered");
    const counts = answered.map(({ values }) => values[0]!.map(numberOf));
    const mean = (cell: number) =>
      counts.reduce((sum, answer) => sum + answer[cell]! - crowd, 0) / counts.length;
    const rho = empiricalRho(guesses(targets, mean, 0.5));
    const capRho = (answers * microRho) / 1e6;
    return atMost(
      Math.max(answered.length / answers, rho / capRho),
      1,
      "of the cap",
      `${answered.length} of ${replies.flat().length} answered, each querier's bound ${answersEach}, the cap ${answers}; pooled rho over ${rho.toPrecision(2)} of ${capRho}`,
    );
  },
};
