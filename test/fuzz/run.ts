// `npm run fuzz [-- --cases N] [--seed S] [--json]`: random SQL and manifests against their readers, DuckDB and PostgreSQL (docs/attacks.md).
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { renderFuzzReport } from "./report.ts";
import { runFuzz } from "./suite.ts";

const usage = `usage: npm run fuzz -- [--cases N] [--seed S] [--json]

  --cases N  texts to try, 100,000 by default: three in five are SQL, the others manifests
  --seed S   repeats a run; a random one by default, which the report names
  --json     the report as one document
  --help     this text

The exit code is 1 where a text did what none may (docs/attacks.md). Progress is on standard error.`;
const seedMax = 2 ** 31 - 1;
const values = readOptions();
const cases = wholeNumber(values.cases ?? "100000", "--cases", 1);
const seed = values.seed === undefined ? randomInt(seedMax) : wholeNumber(values.seed, "--seed", 0);
const progress = showProgress();
const report = await runFuzz({ cases, seed, onProgress: progress.show });
progress.stop();
console.log(values.json ? JSON.stringify(report) : renderFuzzReport(report));
process.exit(report.findings.length === 0 ? 0 : 1);

function readOptions() {
  try {
    const { values: given } = parseArgs({
      options: {
        cases: { type: "string" },
        seed: { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
    if (!given.help) return given;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    process.exit(2);
  }
}

function wholeNumber(text: string, option: string, least: number): number {
  const number = Number(text);
  if (/^\d{1,10}$/.test(text) && number >= least && number <= seedMax) return number;
  console.error(`${option} takes a whole number from ${least} to ${seedMax}.\n${usage}`);
  process.exit(2);
}

/** A bar on a terminal, else a line for each tenth. */
function showProgress(): { show(done: number, all: number): void; stop(): void } {
  if (process.stderr.isTTY) {
    const bar = new SingleBar({
      stream: process.stderr,
      format: "[{bar}] {percentage}% {value} of {total} texts, seed {seed}",
      barsize: 24,
      hideCursor: true,
    });
    bar.start(cases, 0, { seed });
    return { show: (done) => bar.update(done), stop: () => bar.stop() };
  }
  let tenths = 0;
  return {
    show: (done, all) => {
      const reached = Math.floor((10 * done) / all);
      if (reached > tenths) console.error(`${done} of ${all} texts, seed ${seed}`);
      tenths = reached;
    },
    stop: () => undefined,
  };
}
