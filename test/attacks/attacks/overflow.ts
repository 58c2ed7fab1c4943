/**
 * One person who is as large as the dataset's bounds allow, or who has many rows, where an algorithm or a manifest promises that nobody
 * counts for more than a little: were the promise not kept, the sum would jump or overflow.
 */
import { type Attack, atMost } from "../support/attack.ts";
import { audited } from "../support/audit.ts";
import { coins, crowdsWith, peopleAlgorithm, peopleDataset } from "../support/cells.ts";

const microRho = 500_000;
const valueBound = 2 ** 47;
const clampedSum = peopleAlgorithm(
  "attack-clamped-sum",
  "SELECT cell, SUM(value) AS total FROM people WHERE fresh >= param.fresh GROUP BY cell",
  { microRho, over: { clamp: { value: [0, 1] } } },
);
const rowCount = peopleAlgorithm(
  "attack-row-count",
  "SELECT cell, COUNT(*) AS people FROM people WHERE fresh >= param.fresh GROUP BY cell",
  { microRho },
);
const rowsOfOne = 40;

export const overflow: Attack = {
  name: "overflow",
  what: "a person at the bounds of 2^47 under a clamp to 1, and one with 40 rows where one counts",
  bound: "empirical rho over charged rho at most 1; false alarm 1e-6",
  async run(target, size) {
    const cells = size === "fast" ? 400 : 4_000;
    const daemon = await target.daemon();
    const large = coins(cells);
    const outlier = peopleDataset(crowdsWith(large, 3, { value: valueBound }), {
      cells,
      valueBounds: [0, valueBound],
    });
    const many = coins(cells);
    const repeated = crowdsWith(many, 3).flatMap((person) =>
      person.target === 1 ? Array.from({ length: rowsOfOne }, () => person) : [person],
    );
    const crowded = peopleDataset(repeated, {
      cells,
      nameOf: ({ cell, target: isTarget }, row) => (isTarget === 1 ? `target-${cell}` : `person-${row}`),
    });
    const [ofValue, ofRows] = await Promise.all([
      audited(daemon, await daemon.addDataset(outlier), clampedSum, {
        targets: large,
        looks: 1,
        // Half way from nothing to the one step that a clamped value makes.
        scores: ([, totals]) => [{ of: (cell) => totals![cell]!, threshold: 2 }],
      }),
      audited(daemon, await daemon.addDataset(crowded), rowCount, {
        targets: many,
        looks: 1,
        scores: ([counts]) => [{ of: (cell) => counts![cell]!, threshold: 5 }],
      }),
    ]);
    return atMost(
      Math.max(ofValue.ratio, ofRows.ratio),
      1,
      "of the charge",
      `large values: ${ofValue.detail}; many rows: ${ofRows.detail}`,
    );
  },
};
