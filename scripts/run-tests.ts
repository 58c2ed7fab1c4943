// `npm test`: builds the contracts, checks types and style, then runs every suite; the last line sums all of them up.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const total: Tally = { passed: 0, failed: 0, skipped: 0 };
const reports = mkdtempSync(join(tmpdir(), "itd-tests-"));

function run(command: string, args: string[]): { status: number; output: string } {
  process.stdout.write(`\n> ${command} ${args.join(" ")}\n`);
  const child = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    // The slowest step takes minutes; one that hangs must not hold up everything after it.
    timeout: 40 * 60_000,
    killSignal: "SIGKILL",
    env: { ...process.env, FORCE_COLOR: "0" },
  });
  process.stdout.write(child.stdout ?? "");
  process.stderr.write(child.stderr ?? "");
  return { status: child.status ?? 1, output: `${child.stdout ?? ""}${child.stderr ?? ""}` };
}

/** A step that either passes or fails as a whole, such as the linter. */
function check(command: string, args: string[]): void {
  if (run(command, args).status === 0) total.passed++;
  else total.failed++;
}

/** Hardhat's runner has no machine-readable report, so its own summary lines are read; no summary counts as a failure. */
function contracts(): void {
  const { status, output } = run("hardhat", ["test"]);
  const sum = (word: string) =>
    [...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}\\b`, "gm"))].reduce(
      (n, match) => n + Number(match[1]),
      0,
    );
  const tally = { passed: sum("passing"), failed: sum("failing"), skipped: sum("(?:pending|skipped)") };
  if (tally.passed === 0 || (status !== 0 && tally.failed === 0)) tally.failed++;
  add(tally);
}

function mocha(): void {
  const report = join(reports, "mocha.json");
  const { status } = run("mocha", ["--reporter", "json", "--reporter-option", `output=${report}`]);
  try {
    const { stats, failures } = JSON.parse(readFileSync(report, "utf8"));
    for (const failure of failures)
      process.stdout.write(`FAILED ${failure.fullTitle}\n${failure.err.stack}\n`);
    const failed = status !== 0 && stats.failures === 0 ? 1 : stats.failures;
    add({ passed: stats.passes, failed, skipped: stats.pending });
  } catch {
    add({ passed: 0, failed: 1, skipped: 0 });
  }
}

function add(tally: Tally): void {
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
}

check("hardhat", ["build"]);
check("biome", ["check", "."]);
check("tsc", ["--noEmit"]);
contracts();
mocha();

rmSync(reports, { recursive: true });
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
