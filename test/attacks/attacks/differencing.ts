/**
 * Differencing by trackers (Denning, Denning and Schwartz 1979): how many have the secret, and how many have it without counting the
 * target; the difference is the target's secret. Asked again and again as questions that differ in nothing that matters.
 */
import { type Attack, atMost } from "../support/attack.ts";
import { asked, coins, fresh, guesses, numberOf, peopleAlgorithm, peopleDataset } from "../support/cells.ts";
import { valuesOf } from "../support/reply.ts";
import { empiricalRho } from "../support/statistics.ts";

const microRho = 50_000;
const crowd = 3;
const everyone = peopleAlgorithm(
  "attack-everyone",
  "SELECT cell, COUNT(*) AS people FROM people WHERE fresh >= param.fresh AND secret >= 1 GROUP BY cell",
  { microRho },
);
const othersOnly = peopleAlgorithm(
  "attack-others-only",
  "SELECT cell, COUNT(*) AS people FROM people WHERE fresh >= param.fresh AND secret >= 1 AND target <= 0 GROUP BY cell",
  { microRho },
);

export const differencing: Attack = {
  name: "differencing",
  what: "pairs of questions that differ in one person, asked many times and averaged",
  bound: "empirical rho (Clopper-Pearson, Rényi) at most what was charged; false alarm 1e-6",
  async run(target, size) {
    const cells = size === "fast" ? 1_000 : 4_000;
    const pairs = size === "fast" ? 3 : 10;
    const secrets = coins(cells);
    const daemon = await target.daemon();
    const people = secrets.flatMap((secret, cell) => [
      ...Array.from({ length: crowd }, () => ({ cell })),
      { cell, target: 1, secret: Number(secret) },
    ]);
    const offer = await daemon.addDataset(peopleDataset(people, { cells }));
    const questions = Array.from({ length: pairs }, () => [
      asked(everyone, { fresh: fresh() }),
      asked(othersOnly, { fresh: fresh() }),
    ]).flat();
    const replies = await daemon.askAll(questions, offer);
    const counts = replies.map((reply) => valuesOf(reply)[0]!.map(numberOf));
    const charged = Number(replies.reduce((sum, reply) => sum + reply.chargeMicroRho, 0n)) / 1e6;
    const differenceOf = (cell: number) =>
      counts.reduce((sum, answer, i) => sum + (i % 2 === 0 ? answer[cell]! : -answer[cell]!), 0) / pairs;
    // Half way; where both are suppressed the difference is no number and counts as a miss.
    const counted = guesses(secrets, differenceOf, 0.5);
    const { inHits, inTrials, outHits, outTrials } = counted;
    return atMost(
      empiricalRho(counted),
      charged,
      "rho",
      `${inHits} of ${inTrials} secrets found, ${outHits} of ${outTrials} false, after ${replies.length} answers`,
    );
  },
};
