/**
 * People in many small cells, each with a crowd that the attacker knows and one target whom it does not: every answer that groups by
 * cell is an experiment on each target at once. A person lies in one cell, so an answer's charge holds for each of them.
 */
import { randomInt } from "node:crypto";
import {
  type AlgorithmManifest,
  algorithmManifestSchema,
} from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import {
  type DatasetManifest,
  datasetManifestSchema,
} from "../../../node/data-sharing/manifests/dataset-manifest.ts";
import type { Question } from "../../../node/data-sharing/querier.ts";
import { research } from "../../support/repository-world.ts";
import type { DatasetFile } from "./daemon.ts";
import type { Guesses } from "./statistics.ts";

/** As large as a manifest can have it: queriers who collude are bounded by what each attack charges, not by this. */
export const plentyMicroRho = "999999999999";
/** No row has less, so that "fresh at least n" is another plan for each n, and the same rows. */
const freshMax = 1_000_000_000;
export const valueMax = 100;

export interface Person {
  cell: number;
  /** 1 for the one whom the attack is about. */
  target?: number;
  secret?: number;
  value?: number;
  /** Of `extra` columns. */
  extra?: readonly number[];
  label?: number;
}

export interface PeopleOptions {
  cells: number;
  over?: Partial<DatasetManifest>;
  /** Rows of one person may share a name; by default everyone has one row. */
  nameOf?: (person: Person, row: number) => string;
  /** Bounds of `value`. */
  valueBounds?: [number, number];
  /** Further whole-number columns `x0`, `x1`, ... between -bound and bound. */
  extra?: { count: number; bound: number };
  /** A column without bounds, `label`: as a key its domain is open. */
  hasLabel?: boolean;
}

let datasets = 0;

export function peopleDataset(people: readonly Person[], options: PeopleOptions): DatasetFile {
  const { cells, over = {}, nameOf = (_, row) => `person-${row}`, valueBounds = [0, valueMax] } = options;
  const { hasLabel = false, extra: further = { count: 0, bound: 0 } } = options;
  const { count, bound } = further;
  const extraNames = Array.from({ length: count }, (_, i) => `x${i}`);
  const rows = people.map((person, row) => {
    const { cell, target = 0, secret = 1, value = 0, extra = extraNames.map(() => 0), label = 0 } = person;
    const open = hasLabel ? [label] : [];
    return [nameOf(person, row), cell, freshMax, target, secret, value, ...extra, ...open].join(",");
  });
  const extraColumn = { type: "integer", bounds: [-bound, bound] };
  const manifest = datasetManifestSchema.parse({
    name: `people-${++datasets}`,
    title: "People in cells",
    synthetic: true,
    dataClass: "wages",
    table: "people",
    person: "id",
    rowsPerPerson: 1,
    columns: {
      cell: { type: "integer", bounds: [0, cells - 1] },
      fresh: { type: "integer", bounds: [0, freshMax] },
      target: { type: "integer", bounds: [0, 1] },
      secret: { type: "integer", bounds: [0, 1] },
      value: { type: "integer", bounds: valueBounds },
      ...Object.fromEntries(extraNames.map((name) => [name, extraColumn])),
      ...(hasLabel && { label: { type: "integer" } }),
    },
    purposes: [research],
    budget: {
      totalMicroRho: plentyMicroRho,
      perQuerierMicroRho: plentyMicroRho,
      reservedMicroRho: plentyMicroRho,
    },
    minimumPeople: 0,
    ...over,
  });
  const names = ["id,cell,fresh,target,secret,value", ...extraNames, ...(hasLabel ? ["label"] : [])];
  return { manifest, csv: [names.join(","), ...rows, ""].join("\n") };
}

/** Fair coins: which of the targets are in. */
export function coins(count: number): boolean[] {
  return Array.from({ length: count }, () => randomInt(2) === 1);
}

/** A crowd in each cell, and the target where its coin says so. */
export function crowdsWith(
  targets: readonly boolean[],
  crowd: number,
  target: Partial<Person> = {},
): Person[] {
  return targets.flatMap((isIn, cell) => [
    ...Array.from({ length: crowd }, (): Person => ({ cell })),
    ...(isIn ? [{ target: 1, ...target, cell }] : []),
  ]);
}

export interface AlgorithmOptions {
  microRho: number;
  over?: Partial<AlgorithmManifest>;
}

const anInteger = { type: "integer", minimum: 0, maximum: freshMax } as const;

/** `sql` over people; `param.fresh` makes it another plan. */
export function peopleAlgorithm(
  name: string,
  sql: string,
  { microRho, over = {} }: AlgorithmOptions,
): AlgorithmManifest {
  const names = [...new Set([...sql.matchAll(/param\.([a-z_0-9]+)/g)].map((match) => match[1]!))];
  return algorithmManifestSchema.parse({
    name,
    title: "A question of an attack",
    description: "Asked by the attack suite.",
    version: 1,
    kind: "sql",
    dataClass: "wages",
    table: "people",
    sql,
    parameters: Object.fromEntries(names.map((parameter) => [parameter, anInteger])),
    microRho: String(microRho),
    purposes: [research],
    ...over,
  });
}

export function asked(algorithm: AlgorithmManifest, parameters: Record<string, number> = {}): Question {
  return { algorithm, parameters, purpose: research };
}

let freshest = 0;

/** The next number that no plan has had yet. */
export function fresh(): number {
  return ++freshest;
}

/** Counts guesses of who is in, by a score and a threshold that were chosen before looking. */
export function guesses(
  targets: readonly boolean[],
  score: (cell: number) => number,
  threshold: number,
): Guesses {
  const counted = { inTrials: 0, inHits: 0, outTrials: 0, outHits: 0 };
  for (const [cell, isIn] of targets.entries()) {
    const hit = score(cell) >= threshold;
    counted[isIn ? "inTrials" : "outTrials"]++;
    if (hit) counted[isIn ? "inHits" : "outHits"]++;
  }
  return counted;
}

/** A released value as a number; what is suppressed is known to be small, and whatever else is no number counts so too. */
export function numberOf(value: string | null | undefined): number {
  const number = Number(value ?? Number.NaN);
  return Number.isNaN(number) ? Number.NEGATIVE_INFINITY : number;
}
