// `npm run attack [-- --fast] [--only NAME,...] [--build NAME,...] [--json]`: attacks the product and its bad builds (docs/attacks.md).
import { parseArgs } from "node:util";
import { attacks } from "./attacks.ts";
import { badBuilds } from "./bad-builds/builds.ts";
import { renderReport } from "./report.ts";
import { goodBuild, runSuite } from "./suite.ts";

const usage =
  "usage: npm run attack -- [--fast] [--only NAME,...] [--build NAME,...] [--json] (docs/attacks.md)";
const values = readOptions();
const only = named(
  values.only,
  attacks.map(({ name }) => name),
  "attack",
);
const builds = named(values.build, [goodBuild, ...badBuilds.map(({ name }) => name)], "build");
const startedMs = performance.now();
const report = await runSuite({
  size: values.fast ? "fast" : "full",
  ...(only && { only }),
  ...(builds && { builds }),
  onProgress: (line) =>
    console.error(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${line}`),
});
console.log(values.json ? JSON.stringify(report) : renderReport(report, process.stdout.isTTY));
process.exit(report.pass ? 0 : 1);

function readOptions() {
  try {
    return parseArgs({
      options: {
        fast: { type: "boolean" },
        json: { type: "boolean" },
        only: { type: "string" },
        build: { type: "string" },
      },
    }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    process.exit(2);
  }
}

/** Names separated by commas; undefined where none are given. */
function named(text: string | undefined, known: readonly string[], kind: string): string[] | undefined {
  if (text === undefined) return undefined;
  const names = text.split(",");
  for (const name of names) {
    if (known.includes(name)) continue;
    console.error(`There is no ${kind} "${name}"; there are: ${known.join(", ")}.`);
    process.exit(2);
  }
  return names;
}
