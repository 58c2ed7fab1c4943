/**
 * Each mechanism on neighbouring data: thousands of targets who are in or not, and the best guess from the released numbers. What is
 * measured may come close to the charge, and never above it.
 */
import type { AlgorithmManifest } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { type Attack, atMost } from "../support/attack.ts";
import { type AuditOptions, audited } from "../support/audit.ts";
import { coins, crowdsWith, peopleAlgorithm, peopleDataset, valueMax } from "../support/cells.ts";

const microRho = 500_000;
/** Half of them have the secret, so that the target tips the balance. */
const crowd = 4;

interface Mechanism {
  name: string;
  algorithm: AlgorithmManifest;
  looks: number;
  scores: AuditOptions["scores"];
}

function ask(name: string, aggregate: string): AlgorithmManifest {
  const sql = `SELECT cell, ${aggregate} AS released FROM people WHERE fresh >= param.fresh GROUP BY cell`;
  return peopleAlgorithm(`attack-audit-${name}`, sql, { microRho });
}

/** Targets have the largest value. Thresholds lie where a mechanism with half the noise is told best from a correct one. */
const mechanisms: Mechanism[] = [
  {
    name: "COUNT",
    algorithm: ask("count", "COUNT(*)"),
    looks: 2,
    // Noise of standard deviation 1.
    scores: ([counts]) => [2, 1].map((step) => ({ of: (cell) => counts![cell]!, threshold: crowd + step })),
  },
  {
    name: "SUM",
    algorithm: ask("sum", "SUM(value)"),
    looks: 2,
    // Half the charge each: noise of 1.41 persons and 1.41 largest values, which together weigh as one of 1.
    scores: ([counts, totals]) =>
      [2, 1].map((step) => ({
        of: (cell) => (counts![cell]! - crowd + totals![cell]! / valueMax) / 2,
        threshold: step,
      })),
  },
  {
    name: "AVG",
    algorithm: ask("avg", "AVG(value)"),
    looks: 2,
    // The sum is taken around the middle: the crowd's zeros count -50 each, the target 50.
    scores: ([counts, totals]) =>
      [2, 1].map((step) => ({
        of: (cell) => (counts![cell]! - crowd + totals![cell]! / (valueMax / 2) + crowd) / 2,
        threshold: step,
      })),
  },
  {
    name: "VARIANCE",
    algorithm: ask("variance", "VARIANCE(value)"),
    looks: 2,
    // Squares around the middle are 2,500 for all, and a third of the charge is for each.
    scores: ([counts, squares, totals]) =>
      [2, 1].map((step) => ({
        of: (cell) =>
          (counts![cell]! - crowd + squares![cell]! / (valueMax / 2) ** 2 + totals![cell]! / (valueMax / 2)) /
          3,
        threshold: step,
      })),
  },
  {
    name: "MEDIAN",
    algorithm: ask("median", "MEDIAN(secret)"),
    looks: 1,
    scores: ([, medians]) => [{ of: (cell) => medians![cell]!, threshold: 1 }],
  },
];

export const neighbourAudit: Attack = {
  name: "neighbour-audit",
  what: "COUNT, SUM, AVG, VARIANCE and MEDIAN with and without one person, guessed by the best score",
  bound: "empirical rho over charged rho at most 1, of each mechanism; false alarm 1e-6 each",
  async run(target, size) {
    const cells = size === "fast" ? 5_000 : 6_500;
    const daemon = await target.daemon();
    const targets = coins(cells);
    const people = crowdsWith(targets, crowd, { value: valueMax }).map((person, row) =>
      person.target === 1 ? person : { ...person, secret: row % 2 },
    );
    const offer = await daemon.addDataset(peopleDataset(people, { cells }));
    const audits = [];
    for (const { name, algorithm, looks, scores } of mechanisms)
      audits.push({ name, ...(await audited(daemon, offer, algorithm, { targets, looks, scores })) });
    return atMost(
      Math.max(...audits.map(({ ratio }) => ratio)),
      1,
      "of the charge",
      audits.map(({ name, detail }) => `${name} ${detail}`).join("; "),
    );
  },
};
