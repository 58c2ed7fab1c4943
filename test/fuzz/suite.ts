/**
 * The fuzzing of what strangers send: every text ends in a plan or a manifest, or in a refusal that has a code, soon; every manifest that is
 * taken is the same after it is printed and read again; every statement that is taken means the same to the plan, DuckDB and PostgreSQL.
 */
import fc from "fast-check";
import { stringify } from "yaml";
import {
  algorithmManifestSchema,
  parseAlgorithmManifest,
} from "../../node/data-sharing/manifests/algorithm-manifest.ts";
import {
  datasetManifestSchema,
  parseDatasetManifest,
} from "../../node/data-sharing/manifests/dataset-manifest.ts";
import { loadSqlParser } from "../../node/data-sharing/plan/parse-sql.ts";
import type { Plan } from "../../node/data-sharing/plan/plan.ts";
import { planSchema } from "../../node/data-sharing/plan/plan-schema.ts";
import { errorStatus, TrustedDataError } from "../../node/errors.ts";
import { canonicalHash, canonicalJson } from "../../node/primitives/canonical-json.ts";
import { Draw } from "../node/data-sharing/plan/random/draw.ts";
import { refusalKind } from "./engine-refusals.ts";
import { type Engine, startDuckDb, startPostgreSql, type World } from "./engines.ts";
import { type ManifestKind, manifestText } from "./manifests.ts";
import { difference, expectationOf } from "./read-alike.ts";
import { statement, tokensOf } from "./statements.ts";
import { edgeTables, planFor, withParameters } from "./world.ts";

export interface FuzzOptions {
  cases: number;
  seed: number;
  onProgress?: (done: number, cases: number) => void;
}

export interface Finding {
  part: "sql" | "meaning" | ManifestKind;
  what: string;
  /** The least text that still shows it. */
  text: string;
}

interface Tally {
  cases: number;
  accepted: number;
  refused: Record<string, number>;
  slowestCpuMs: number;
}

export interface FuzzReport {
  seed: number;
  sql: Tally;
  manifests: Tally;
  /** Different statements whose rows were compared, by engine; `both` on each of them. */
  compared: { DuckDB: number; PostgreSQL: number; both: number };
  /** Taken by us and by no engine, or not by one of them: there is no second reading. By engine and kind. */
  engineRefusals: Record<string, number>;
  findings: Finding[];
  cpuMs: number;
}

/** Of CPU for one text: several times what the slowest of a statement's 8 KiB and of a manifest's 64 KiB take. */
const cpuMsMax = 2_000;
/** Cases between two looks at the engines. */
const chunk = 500;
const findingsMax = 10;
const people = 9;
const sqlShare = 0.6;

export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  // As daemons have it. Mocha wants whole stacks, and those of 60,000 errors deep inside of a reader take minutes.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 10;
  try {
    return await fuzz(options);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function fuzz({ cases, seed, onProgress = () => undefined }: FuzzOptions): Promise<FuzzReport> {
  const before = process.cpuUsage();
  await loadSqlParser();
  const report: FuzzReport = {
    seed,
    sql: emptyTally(),
    manifests: emptyTally(),
    compared: { DuckDB: 0, PostgreSQL: 0, both: 0 },
    engineRefusals: {},
    findings: [],
    cpuMs: 0,
  };
  const sqlCases = Math.round(cases * sqlShare);
  const seen = new Set<string>();
  const worlds = (["INTEGER", "BIGINT", "INTEGER", "BIGINT"] as const).map((integerType, at): World => {
    return { tables: edgeTables(new Draw(seed + at), people), integerType };
  });
  const engines = await Promise.all([startDuckDb(), startPostgreSql()]);
  try {
    for (const engine of engines) await engine.load(worlds);
    for (let done = 0; done < sqlCases && report.findings.length < findingsMax; done += chunk) {
      const count = Math.min(chunk, sqlCases - done);
      const accepted = fuzzStatements(count, seed + done, report);
      const world = (done / chunk) % worlds.length;
      for (const sql of accepted) {
        if (seen.has(sql)) continue;
        seen.add(sql);
        await compareOn(engines, worlds, world, sql, report);
      }
      onProgress(done + count, cases);
    }
  } finally {
    for (const engine of engines) await engine.close();
  }
  for (let done = sqlCases; done < cases && report.findings.length < findingsMax; done += chunk) {
    const count = Math.min(chunk, cases - done);
    fuzzManifests((done / chunk) % 2 < 1 ? "algorithm" : "dataset", count, seed + done, report);
    onProgress(done + count, cases);
  }
  const { user, system } = process.cpuUsage(before);
  report.cpuMs = Math.round((user + system) / 1000);
  return report;
}

function emptyTally(): Tally {
  return { cases: 0, accepted: 0, refused: {}, slowestCpuMs: 0 };
}

/** The statements that became plans. */
function fuzzStatements(numRuns: number, seed: number, report: FuzzReport): Set<string> {
  const accepted = new Set<string>();
  check("sql", statement, numRuns, seed, report, (sql) => {
    const plan = withinLimit(report.sql, () => planFor(sql));
    if (plan === null) return;
    accepted.add(sql);
    const printed = canonicalJson(plan);
    if (canonicalJson(planSchema.parse(JSON.parse(printed))) !== printed)
      throw new Error("the plan is another one after it is printed and read");
    if (canonicalJson(planFor(sql)) !== printed) throw new Error("the same statement has two plans");
  });
  return accepted;
}

function fuzzManifests(kind: ManifestKind, numRuns: number, seed: number, report: FuzzReport): void {
  const [read, schema] =
    kind === "algorithm"
      ? [parseAlgorithmManifest, algorithmManifestSchema]
      : [parseDatasetManifest, datasetManifestSchema];
  check(kind, manifestText(kind), numRuns, seed, report, (text) => {
    const manifest = withinLimit(report.manifests, () => read(text));
    if (manifest === null) return;
    const hash = canonicalHash(manifest);
    const printed = {
      "canonical JSON": canonicalJson(manifest),
      JSON: JSON.stringify(manifest, null, 2),
      YAML: stringify(manifest, { aliasDuplicateObjects: false, lineWidth: 0 }),
    };
    for (const [form, again] of Object.entries(printed))
      if (canonicalHash(read(again)) !== hash)
        throw new Error(`it has another hash after it is printed as ${form}`);
    if (canonicalHash(schema.parse(manifest)) !== hash)
      throw new Error("it has another hash after it is checked again");
  });
}

function check<T>(
  part: Finding["part"],
  arbitrary: fc.Arbitrary<T>,
  numRuns: number,
  seed: number,
  report: FuzzReport,
  property: (value: T) => void,
): void {
  const details = fc.check(fc.property(arbitrary, property), { numRuns, seed, maxSkipsPerRun: 0 });
  if (!details.failed) return;
  const error = details.errorInstance as Error | undefined;
  report.findings.push({
    part,
    what: String(error?.stack ?? error),
    text: String(details.counterexample?.[0]),
  });
}

/** What `read` makes of a text, null where it refuses; throws where it fails in any other way, or takes too long. */
function withinLimit<T>(tally: Tally, read: () => T): T | null {
  tally.cases++;
  let cpuMs = Number.POSITIVE_INFINITY;
  // Again where it was slow: other work of the process, such as collecting garbage, is no fault of the text.
  for (let attempt = 0; attempt < 3 && cpuMs > cpuMsMax / 10; attempt++) {
    const before = process.cpuUsage();
    let answer: T | TrustedDataError;
    try {
      answer = read();
    } catch (error) {
      answer = knownRefusal(error);
    }
    const { user, system } = process.cpuUsage(before);
    cpuMs = Math.min(cpuMs, (user + system) / 1000);
    if (cpuMs > cpuMsMax / 10 && attempt < 2) continue;
    tally.slowestCpuMs = Math.max(tally.slowestCpuMs, Math.round(cpuMs));
    if (cpuMs > cpuMsMax) throw new Error(`it took ${Math.round(cpuMs)} ms of CPU`);
    if (answer instanceof TrustedDataError) {
      tally.refused[answer.code] = (tally.refused[answer.code] ?? 0) + 1;
      return null;
    }
    tally.accepted++;
    return answer;
  }
  throw new Error("not reached");
}

function knownRefusal(error: unknown): TrustedDataError {
  if (!(error instanceof TrustedDataError) || !Object.hasOwn(errorStatus, error.code)) throw error;
  if (errorStatus[error.code] >= 500) throw error;
  return error;
}

async function compareOn(
  engines: readonly Engine[],
  worlds: readonly World[],
  world: number,
  sql: string,
  report: FuzzReport,
): Promise<void> {
  let compared = 0;
  for (const engine of engines) {
    const outcome = await readingOf(engine, worlds, world, sql);
    if (outcome.kind === "same") {
      compared++;
      report.compared[engine.name]++;
    } else if (outcome.kind === "refused") {
      const name = `${engine.name}: ${outcome.what}`;
      report.engineRefusals[name] = (report.engineRefusals[name] ?? 0) + 1;
    } else if (report.findings.length < findingsMax) {
      const text = await least(sql, async (shorter) => {
        return (await readingOf(engine, worlds, world, shorter)).kind === outcome.kind;
      });
      const { what } = await readingOf(engine, worlds, world, text);
      report.findings.push({ part: "meaning", what: `${engine.name}: ${what}`, text });
    }
  }
  if (compared === engines.length) report.compared.both++;
}

type Outcome = { kind: "same" | "refused" | "different" | "unexpected" | "no plan"; what: string };

async function readingOf(
  engine: Engine,
  worlds: readonly World[],
  world: number,
  sql: string,
): Promise<Outcome> {
  let plan: Plan;
  try {
    plan = planFor(sql);
  } catch {
    return { kind: "no plan", what: "" };
  }
  let rows: Awaited<ReturnType<Engine["rows"]>>;
  try {
    rows = await engine.rows(world, withParameters(sql));
  } catch (error) {
    const { message } = error as Error;
    const kind = refusalKind(engine.name, message);
    return kind === null ? { kind: "unexpected", what: message } : { kind: "refused", what: kind };
  }
  const different = difference(expectationOf(worlds[world]!.tables, plan), rows);
  return different === null ? { kind: "same", what: "" } : { kind: "different", what: different };
}

/** The statement with as many tokens taken out as still show the same. */
async function least(sql: string, shows: (sql: string) => Promise<boolean>): Promise<string> {
  let tokens = tokensOf(sql);
  for (let size = Math.ceil(tokens.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < tokens.length; ) {
      const shorter = tokens.toSpliced(at, size);
      if (await shows(shorter.join(""))) tokens = shorter;
      else at += size;
    }
  }
  return tokens.join("");
}
