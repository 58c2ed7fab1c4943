// Writes the tables of docs/usefulness.md and the pictures beside it: `npx node scripts/write-usefulness.ts`, one to three minutes.
// `--quick` measures up to 5,000 people, prints the tables and writes nothing. Names of algorithms after it: only these.
import { readFileSync, writeFileSync } from "node:fs";
import {
  type AlgorithmManifest,
  parseAlgorithmManifest,
} from "../node/data-sharing/manifests/algorithm-manifest.ts";
import { loadSqlParser } from "../node/data-sharing/plan/parse-sql.ts";
import { algorithmManifestUrl, algorithmNames } from "../node/living-lab/content.ts";
import { type AlgorithmErrors, measureClass, sizes } from "./usefulness/measure.ts";
import { plot } from "./usefulness/plot.ts";
import { marks, plotName, sections } from "./usefulness/tables.ts";

export const usefulnessDocsPath = "docs/usefulness.md";
const quickPeople = 5_000;

/** In the order of the lab; each class of data is gone through once. */
export async function measureUsefulness(
  names: readonly string[],
  upTo: number,
  progress: (line: string) => void,
): Promise<AlgorithmErrors[]> {
  await loadSqlParser();
  const algorithms = names.map((name) =>
    parseAlgorithmManifest(readFileSync(algorithmManifestUrl(name), "utf8")),
  );
  const measured = new Map<AlgorithmManifest, AlgorithmErrors>();
  for (const [dataClass, own] of Map.groupBy(algorithms, (algorithm) => algorithm.dataClass))
    for (const errors of measureClass(dataClass, own, upTo, progress)) measured.set(errors.algorithm, errors);
  return algorithms.map((algorithm) => measured.get(algorithm)!);
}

async function write(): Promise<void> {
  const [quick, ...names] = process.argv.slice(2);
  const begunMs = Date.now();
  const progress = (line: string) =>
    process.stderr.write(`${((Date.now() - begunMs) / 1000).toFixed(0).padStart(4)} s  ${line}\n`);
  const unknown = names.find((name) => !(algorithmNames as readonly string[]).includes(name));
  if ((quick !== undefined && quick !== "--quick") || unknown !== undefined) {
    process.stderr.write(
      `usage: npx node scripts/write-usefulness.ts [--quick [ALGORITHM ...]]; algorithms: ${algorithmNames.join(", ")}\n`,
    );
    process.exit(2);
  }
  if (quick === "--quick") {
    const all = await measureUsefulness(names.length > 0 ? names : algorithmNames, quickPeople, progress);
    process.stdout.write(`${sections(all)}\n`);
    return;
  }
  const all = await measureUsefulness(algorithmNames, sizes.at(-1)!, progress);
  const [before, , after] = splitDocument(readFileSync(usefulnessDocsPath, "utf8"));
  writeFileSync(usefulnessDocsPath, `${before}${marks.begin}\n\n${sections(all)}\n\n${marks.end}${after}`);
  for (const errors of all) writeFileSync(`docs/${plotName(errors.algorithm.name)}`, plot(errors));
  progress("done");
}

/** What stands before the marks, between them and after them. */
export function splitDocument(text: string): [before: string, between: string, after: string] {
  const [before, rest] = text.split(marks.begin);
  const [between, after] = (rest ?? "").split(marks.end);
  if (between === undefined || after === undefined)
    throw new Error(`${usefulnessDocsPath} has lost its marks`);
  return [before!, between, after];
}

if (import.meta.main) await write();
