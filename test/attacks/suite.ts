/** Runs attacks on the product and on its bad builds, and says what came of it. */

import { attacks } from "./attacks.ts";
import type { BadBuild } from "./bad-builds/bad-build.ts";
import { badBuilds } from "./bad-builds/builds.ts";
import type { Attack, Finding, Size } from "./support/attack.ts";
import { Field } from "./support/field.ts";
import { Target } from "./support/target.ts";

export interface SuiteOptions {
  size: Size;
  /** Names of attacks; all by default. */
  only?: readonly string[];
  /** Names of builds, `good` among them; all by default. */
  builds?: readonly string[];
  onProgress?: (line: string) => void;
}

export interface Entry extends Finding {
  attack: string;
  /** Of the attack that could not be carried out: then nothing is known. */
  failure?: string;
  tookMs: number;
}

export interface BuildEntry {
  build: string;
  what: string;
  /** Attacks that had to catch it, and what they found. */
  findings: Entry[];
  caughtBy: string[];
}

export interface SuiteReport {
  size: Size;
  /** Of the product as it is. */
  attacks: Entry[];
  badBuilds: BuildEntry[];
  pass: boolean;
}

export const goodBuild = "good";
const queriers = 6;
/** Side by side: most of them wait most of the time. */
const lanes = 4;
/** Of one target: one that is shared, and those of attacks that need their own. */
const daemonsOfGood = 8;
const daemonsOfBad = 4;

export async function runSuite(options: SuiteOptions): Promise<SuiteReport> {
  const { size, only, onProgress = () => undefined } = options;
  const wanted = attacks
    .filter(({ name }) => only === undefined || only.includes(name))
    .toSorted((a, b) => Number(b.isPatient ?? false) - Number(a.isPatient ?? false));
  const isBuilt = (name: string) => options.builds === undefined || options.builds.includes(name);
  const bad = badBuilds
    .filter(({ name }) => isBuilt(name))
    .filter((build) => chosen(build, options).length > 0);
  const field = await Field.open({ daemons: daemonsOfGood + daemonsOfBad * bad.length, queriers });
  try {
    const good = new Target(field);
    const entries: Entry[] = [];
    const buildEntries: BuildEntry[] = [];
    const work = [
      ...(isBuilt(goodBuild) ? wanted : []).map((attack) => async () => {
        const entry = await carriedOut(attack, good, size);
        entries.push(entry);
        onProgress(
          `${entry.pass ? "held against" : "LOST TO"} ${attack.name}: ${entry.failure ?? entry.detail}`,
        );
      }),
      ...bad.map((build) => async () => {
        const entry = await attacked(build, field, options);
        buildEntries.push(entry);
        const missed = entry.findings.filter(({ attack }) => !entry.caughtBy.includes(attack));
        const said = missed.map(({ attack, failure, detail }) => `; not by ${attack}: ${failure ?? detail}`);
        onProgress(`${entry.build} is caught by ${entry.caughtBy.join(", ") || "NONE"}${said.join("")}`);
      }),
    ];
    await inLanes(work, lanes);
    await good.close();
    const byPlace = (a: Entry, b: Entry) => placeOf(a.attack) - placeOf(b.attack);
    entries.sort(byPlace);
    buildEntries.sort((a, b) => a.build.localeCompare(b.build));
    const pass =
      entries.every((entry) => entry.pass) &&
      buildEntries.every(({ findings, caughtBy }) => caughtBy.length === findings.length);
    return { size, attacks: entries, badBuilds: buildEntries, pass };
  } finally {
    await field.close();
  }
}

/** The attacks that must catch a build: all that it names in the full form, the cheapest in the fast one. */
function chosen({ caughtBy }: BadBuild, { size, only }: SuiteOptions): string[] {
  if (only !== undefined) return caughtBy.filter((name) => only.includes(name));
  return size === "fast" ? caughtBy.slice(0, 1) : caughtBy;
}

async function attacked(build: BadBuild, field: Field, options: SuiteOptions): Promise<BuildEntry> {
  const target = new Target(field, build);
  const findings: Entry[] = [];
  for (const name of chosen(build, options)) {
    const attack = attacks.find((one) => one.name === name);
    if (attack === undefined) throw new Error(`${build.name} names an attack that there is not: ${name}`);
    findings.push(await carriedOut(attack, target, options.size));
  }
  await target.close();
  // An attack that broke off has caught nothing.
  const caughtBy = findings.filter(({ pass, failure }) => !pass && failure === undefined);
  return { build: build.name, what: build.what, findings, caughtBy: caughtBy.map(({ attack }) => attack) };
}

async function carriedOut(attack: Attack, target: Target, size: Size): Promise<Entry> {
  const startedMs = performance.now();
  const tookMs = () => Math.round(performance.now() - startedMs);
  try {
    return { attack: attack.name, ...(await attack.run(target, size)), tookMs: tookMs() };
  } catch (error) {
    const failure = error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
    const nothing = { figure: Number.NaN, bound: Number.NaN, unit: "", pass: false, detail: "" };
    return { attack: attack.name, ...nothing, failure, tookMs: tookMs() };
  }
}

async function inLanes(work: readonly (() => Promise<void>)[], width: number): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < work.length) await work[next++]!();
  };
  await Promise.all(Array.from({ length: width }, lane));
}

function placeOf(name: string): number {
  return attacks.findIndex((attack) => attack.name === name);
}
