/**
 * Which keys an answer shows. Every key of a declared domain is there, whoever is in the data; which of them are suppressed is decided by
 * noisy counts, and so tells no more than the charge allows.
 */
import { type Attack, atMost } from "../support/attack.ts";
import { audited } from "../support/audit.ts";
import { asked, coins, crowdsWith, fresh, peopleAlgorithm, peopleDataset } from "../support/cells.ts";
import { valuesOf } from "../support/reply.ts";

const microRho = 50_000;
const minimumPeople = 10;
const question = peopleAlgorithm(
  "attack-key-set",
  "SELECT cell, COUNT(*) AS people FROM people WHERE fresh >= param.fresh GROUP BY cell",
  { microRho },
);

export const keySet: Attack = {
  name: "key-set",
  what: "which keys are there and which are suppressed, where one person makes nine or ten",
  bound: "declared keys missing: 0; empirical rho of being shown over the charge at most 1; false alarm 1e-6",
  async run(target, size) {
    const cells = size === "fast" ? 1_000 : 4_500;
    const daemon = await target.daemon();
    const targets = coins(cells);
    const people = crowdsWith(targets, minimumPeople - 1);
    // Nobody is in the upper half of the domain.
    const offer = await daemon.addDataset(
      peopleDataset(people, { cells: 2 * cells, over: { minimumPeople } }),
    );
    const audit = await audited(daemon, offer, question, {
      targets,
      looks: 1,
      scores: ([counts]) => [{ of: (cell) => Number(Number.isFinite(counts![cell])), threshold: 1 }],
    });
    const { length } = valuesOf(await daemon.ask(asked(question, { fresh: fresh() }), offer))[0]!;
    const missing = 2 * cells - length;
    return atMost(
      Math.max(audit.ratio, missing),
      1,
      "of the charge",
      `${length} of ${2 * cells} declared keys are there; shown: ${audit.detail}`,
    );
  },
};
