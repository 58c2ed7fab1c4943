/** A count whose condition takes an engine long for each row, and holds for no row; `value` of a row is at most 100. */
import type { AlgorithmManifest } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { peopleAlgorithm } from "./cells.ts";

/** Few enough that the plan is made in no time, against what it takes to run. */
const terms = 40;

export function slowCount(name: string, microRho: number): AlgorithmManifest {
  const condition = Array.from(
    { length: terms },
    (_, i) => `value * ${100 + i} + secret * ${7 + i} > ${100 * (100 + i) + 5}`,
  ).join(" OR ");
  const sql = `SELECT COUNT(*) AS people FROM people WHERE fresh >= param.fresh AND (${condition})`;
  return peopleAlgorithm(name, sql, { microRho });
}
