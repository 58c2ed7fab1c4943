/**
 * Membership inference by likelihood ratios: with Gaussian noise the ratio rises with the sum of what all answers say of a cell, so its sum
 * is the best score there is. The advantage is how much more often those who are in are called in.
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
import { valuesOf } from "../support/reply.ts";
import { clopperPearson, falseAlarmMax } from "../support/statistics.ts";

const microRho = 50_000;
const crowd = 10;
const question = peopleAlgorithm(
  "attack-membership",
  "SELECT cell, COUNT(*) AS people FROM people WHERE fresh >= param.fresh GROUP BY cell",
  { microRho },
);

export const membership: Attack = {
  name: "membership",
  what: "who is in the data, by the likelihood ratio over many answers",
  bound: "advantage at most sqrt(rho / 2) of the whole charge (Pinsker); false alarm 1e-6",
  async run(target, size) {
    const cells = size === "fast" ? 1_500 : 6_000;
    const answers = size === "fast" ? 4 : 10;
    const daemon = await target.daemon();
    const targets = coins(cells);
    const offer = await daemon.addDataset(peopleDataset(crowdsWith(targets, crowd), { cells }));
    const questions = Array.from({ length: answers }, () => asked(question, { fresh: fresh() }));
    const replies = await daemon.askAll(questions, offer);
    const counts = replies.map((reply) => valuesOf(reply)[0]!.map(numberOf));
    const rho = Number(replies.reduce((sum, reply) => sum + reply.chargeMicroRho, 0n)) / 1e6;
    const score = (cell: number) => counts.reduce((sum, answer) => sum + answer[cell]! - crowd, 0) / answers;
    const { inHits, inTrials, outHits, outTrials } = guesses(targets, score, 0.5);
    const inside = clopperPearson(inHits, inTrials, falseAlarmMax / 2);
    const outside = clopperPearson(outHits, outTrials, falseAlarmMax / 2);
    return atMost(
      Math.max(0, inside.low - outside.high),
      Math.sqrt(rho / 2),
      "advantage",
      `called in: ${inHits} of ${inTrials} who are, ${outHits} of ${outTrials} who are not; ${answers} answers, rho ${rho}`,
    );
  },
};
