/**
 * From an algorithm and a dataset's manifest to the plan, its canonical JSON and its hash: CPU per question, over the lab's algorithms and
 * three of kinds that the lab has not. The worst of them is told, too.
 */
import { readFileSync } from "node:fs";
import { parseAlgorithmManifest } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { parseDatasetManifest } from "../../../node/data-sharing/manifests/dataset-manifest.ts";
import { compilePlan } from "../../../node/data-sharing/plan/compile-plan.ts";
import { loadSqlParser } from "../../../node/data-sharing/plan/parse-sql.ts";
import { planHash } from "../../../node/data-sharing/plan/plan-hash.ts";
import {
  algorithmManifestUrl,
  algorithmNames,
  datasetLines,
  datasetManifestUrl,
} from "../../../node/living-lab/content.ts";
import { canonicalJson } from "../../../node/primitives/canonical-json.ts";
import { cpuMsOf } from "../cpu.ts";

const [rounds, roundsToWarm] = [60, 40];

const otherKinds = [
  `SELECT w.ward, AVG(v.cost) AS cost, STDDEV(v.cost) AS spread FROM visits v JOIN wards w ON v.department = w.department
   WHERE v.age BETWEEN 18 AND 64 GROUP BY w.ward HAVING COUNT(*) > 100 ORDER BY cost DESC LIMIT 3`,
  `SELECT CASE WHEN age < 18 THEN 'child' WHEN age < 65 THEN 'adult' ELSE 'old' END AS band, sex, COUNT(DISTINCT person) AS people,
   PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY cost) AS high FROM visits WHERE department LIKE '%ology' GROUP BY band, sex`,
  `SELECT p.n, COUNT(*) AS visits, SUM(GREATEST(v.cost - p.least, 0)) AS above FROM visits v
   JOIN (SELECT person, COUNT(*) AS n, MIN(cost) AS least FROM visits GROUP BY person) p USING (person) GROUP BY p.n`,
];
const wards = {
  columns: [
    { name: "department", type: "text" },
    { name: "ward", type: "text" },
  ],
  rows: [
    ["emergency", "a"],
    ["surgery", "a"],
    ["cardiology", "b"],
    ["oncology", "b"],
  ],
};

export async function benchCompilePlan(): Promise<Record<string, number>> {
  await loadSqlParser();
  const datasets = Object.keys(datasetLines).map((name) =>
    parseDatasetManifest(readFileSync(datasetManifestUrl(name), "utf8")),
  );
  const lab = algorithmNames.map((name) =>
    parseAlgorithmManifest(readFileSync(algorithmManifestUrl(name), "utf8")),
  );
  const visits = lab.find(({ table }) => table === "visits")!;
  const others = otherKinds.map((sql) =>
    parseAlgorithmManifest(
      JSON.stringify({ ...visits, sql, parameters: {}, clamp: {}, candidates: {}, publicTables: { wards } }),
    ),
  );
  const questions = [...lab, ...others].map((algorithm) => {
    const dataset = datasets.find(
      ({ table, dataClass }) => table === algorithm.table && dataClass === algorithm.dataClass,
    )!;
    const parameters = Object.fromEntries(
      Object.entries(algorithm.parameters).map(([name, parameter]) => {
        const least = parameter.type === "text" ? parameter.values[0]! : parameter.minimum;
        return [name, parameter.default ?? least];
      }),
    );
    return () => {
      const plan = compilePlan(algorithm, parameters, dataset);
      return [canonicalJson(plan), planHash(plan)];
    };
  });
  // All warm before the first is measured, as they share the code.
  for (let round = 0; round < roundsToWarm; round++) for (const question of questions) question();
  const timesMs: number[] = [];
  for (const question of questions) {
    const cpuMs = await cpuMsOf(() => {
      for (let round = 0; round < rounds; round++) question();
    });
    timesMs.push(cpuMs / rounds);
  }
  const inOrder = timesMs.sort((a, b) => a - b);
  return { compilePlanCpuMs: inOrder[inOrder.length >> 1]!, compilePlanCpuMsMost: inOrder.at(-1)! };
}
