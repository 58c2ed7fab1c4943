// `npm test`: builds the contracts, checks types and style, then runs every suite; the last line sums all of them up.
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** The slowest step takes minutes; one that hangs must not hold up everything after it. */
const stepMsMax = 40 * 60_000;
const total: Tally = { passed: 0, failed: 0, skipped: 0 };
const reports = mkdtempSync(join(tmpdir(), "itd-tests-"));
const compiledFolder = fileURLToPath(new URL("../node_modules/.cache/itd", import.meta.url));
let steps = 0;

/** What it says is shown when it has ended, so that steps side by side do not talk at the same time. */
async function run(command: string, args: string[]): Promise<{ status: number; output: string }> {
  const file = join(reports, `${++steps}.log`);
  const log = openSync(file, "w");
  const startedMs = performance.now();
  const child = spawn(command, args, {
    // A file, as a pipe would stay open for as long as anything that the step left behind.
    stdio: ["ignore", log, log],
    env: { NODE_COMPILE_CACHE: compiledFolder, ...process.env, FORCE_COLOR: "0" },
  });
  closeSync(log);
  const late = setTimeout(() => child.kill("SIGKILL"), stepMsMax);
  const status = await new Promise<number>((resolve) => {
    child.once("exit", (code) => resolve(code ?? 1));
    child.once("error", (error) => {
      process.stdout.write(`${command} cannot be started: ${error.message}\n`);
      resolve(1);
    });
  });
  clearTimeout(late);
  const tookS = ((performance.now() - startedMs) / 1000).toFixed(0);
  const output = readFileSync(file, "utf8");
  process.stdout.write(`\n> ${command} ${args.join(" ")} (${tookS} s)\n${output}`);
  return { status, output };
}

/** A step that either passes or fails as a whole, such as the linter. */
async function check(command: string, args: string[]): Promise<void> {
  if ((await run(command, args)).status === 0) total.passed++;
  else total.failed++;
}

/** Hardhat's runner has no machine-readable report, so its own summary lines are read; no summary counts as a failure. */
async function contracts(): Promise<void> {
  const { status, output } = await run("hardhat", ["test"]);
  const sum = (word: string) =>
    [...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}\\b`, "gm"))].reduce(
      (n, match) => n + Number(match[1]),
      0,
    );
  const tally = { passed: sum("passing"), failed: sum("failing"), skipped: sum("(?:pending|skipped)") };
  if (tally.passed === 0 || (status !== 0 && tally.failed === 0)) tally.failed++;
  add(tally);
}

/** Those files of .mocharc.json that are not to be left out. */
async function mocha(name: string, ...leftOut: string[]): Promise<void> {
  const report = join(reports, `${name}.json`);
  const { status } = await run("mocha", [
    "--reporter",
    "json",
    "--reporter-option",
    `output=${report}`,
    ...leftOut.flatMap((files) => ["--ignore", files]),
  ]);
  try {
    const { stats, failures } = JSON.parse(readFileSync(report, "utf8"));
    for (const failure of failures)
      process.stdout.write(`FAILED ${failure.fullTitle}\n${failure.err.stack}\n`);
    const failed = status !== 0 && stats.failures === 0 ? 1 : stats.failures;
    // No file at all is a pattern that fits no more.
    add({ passed: stats.passes, failed: stats.tests === 0 ? 1 : failed, skipped: stats.pending });
  } catch {
    add({ passed: 0, failed: 1, skipped: 0 });
  }
}

function add(tally: Tally): void {
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
}

// Everything after it reads what it makes.
await check("hardhat", ["build"]);
// Two sides that take about as long. Scenarios wait half of their time for processes and the chain, so the other side gets the rest.
const scenarios = "test/scenarios/**";
const others = async () => {
  await check("biome", ["check", "."]);
  await check("tsc", ["--noEmit"]);
  await contracts();
  await mocha("units", scenarios, "test/attacks/**");
  await mocha("attacks", scenarios, "test/node/**", "test/structure/**");
};
await Promise.all([mocha("scenarios", "test/node/**", "test/structure/**", "test/attacks/**"), others()]);

rmSync(reports, { recursive: true });
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
