/**
 * Linear reconstruction (Dinur and Nissim 2003): how many of a random subset have the secret, for more subsets than there are people, and
 * the secrets that fit all answers best. A subset is a half-space: people whose public attributes, weighted at random, add up to 0 or more.
 */
import { randomInt } from "node:crypto";
import { type Attack, atMost } from "../support/attack.ts";
import { asked, numberOf, peopleAlgorithm, peopleDataset } from "../support/cells.ts";
import { leastSquares } from "../support/least-squares.ts";
import { valuesOf } from "../support/reply.ts";
import { rightGuessesMax } from "../support/statistics.ts";

const microRho = 4;
const dimensions = 8;
const reach = 1_000;
/** Always counted, so that no answer falls under the floor by its noise (standard deviation 354). */
const fillers = 3_000;

const weighted = Array.from({ length: dimensions }, (_, i) => `param.w${i} * x${i}`).join(" + ");
const weight = { type: "integer", minimum: -reach, maximum: reach } as const;
const subsetSum = peopleAlgorithm(
  "attack-subset-sum",
  `SELECT COUNT(*) AS people FROM people WHERE secret >= 1 AND (target >= 1 OR ${weighted} >= 0)`,
  {
    microRho,
    over: { parameters: Object.fromEntries(Array.from({ length: dimensions }, (_, i) => [`w${i}`, weight])) },
  },
);

export const reconstruction: Attack = {
  name: "reconstruction",
  what: "linear reconstruction from the counts of random subsets (Dinur and Nissim)",
  bound:
    "secrets guessed right: what the whole charge allows (Steinke, Nasr and Jagielski 2023); false alarm 1e-6",
  async run(target, size) {
    const count = size === "fast" ? 40 : 256;
    const asks = size === "fast" ? 64 : 2 * count;
    const people = Array.from({ length: count }, () => ({
      cell: 0,
      secret: randomInt(2),
      extra: Array.from({ length: dimensions }, () => randomInt(-reach, reach + 1)),
    }));
    const filling = Array.from({ length: fillers }, () => ({ cell: 0, target: 1 }));
    const daemon = await target.daemon();
    const offer = await daemon.addDataset(
      peopleDataset([...people, ...filling], { cells: 1, extra: { count: dimensions, bound: reach } }),
    );
    const subsets = Array.from({ length: asks }, () =>
      Array.from({ length: dimensions }, () => randomInt(-reach, reach + 1)),
    );
    const questions = subsets.map((weights) =>
      asked(subsetSum, Object.fromEntries(weights.map((value, i) => [`w${i}`, value]))),
    );
    const replies = await daemon.askAll(questions, offer);
    const rho = Number(replies.reduce((sum, reply) => sum + reply.chargeMicroRho, 0n)) / 1e6;
    const rows = subsets.map((weights) =>
      people.map(({ extra }) => Number(extra.reduce((sum, x, i) => sum + x * weights[i]!, 0) >= 0)),
    );
    const sums = replies.map((reply) => {
      const sum = numberOf(valuesOf(reply)[0]![0]);
      return Number.isFinite(sum) ? sum - fillers : 0;
    });
    const guessed = leastSquares(rows, sums);
    const right = people.filter(({ secret }, i) => (guessed[i]! >= 0.5 ? 1 : 0) === secret).length;
    return atMost(
      right,
      rightGuessesMax(count, rho),
      "secrets",
      `${right} of ${count} right from ${asks} answers, rho ${rho} in all; chance is ${count / 2}`,
    );
  },
};
