/** For one class of the lab's data: each of its algorithms over growing numbers of people, the error of the noise beside that of sampling. */
import { microRhoWithin } from "../../node/data-sharing/accounting/micro-rho-within.ts";
import { epsilonOf } from "../../node/data-sharing/accounting/zcdp.ts";
import type { AlgorithmManifest } from "../../node/data-sharing/manifests/algorithm-manifest.ts";
import type { DatasetManifest } from "../../node/data-sharing/manifests/dataset-manifest.ts";
import { compilePlan } from "../../node/data-sharing/plan/compile-plan.ts";
import type { Tables } from "../../node/data-sharing/plan/evaluate.ts";
import type { Plan } from "../../node/data-sharing/plan/plan.ts";
import type { Randomness } from "../../node/data-sharing/ports.ts";
import { declaredLabels } from "../../node/data-sharing/release/labels.ts";
import { SeededRandom } from "../../node/living-lab/data/seeded-random.ts";
import { noiseErrors, type TrueGroup } from "./noise.ts";
import { type NumberOutput, type SampledNumber, sampledNumber } from "./numbers.ts";
import { type Population, populationOf } from "./population.ts";
import { Tally } from "./tally.ts";

export const epsilons = [0.1, 0.5, 1] as const;
export const delta = 1e-6;
export const sizes = [500, 5_000, 50_000, 1_000_000] as const;
export const releases = 200;
/** Up to here also without clamps, to see what these take away. */
const unclampedPeopleMax = 50_000;

/** A column of the answer; the buckets of a histogram are one. Errors in percent of the number, with 95%, of the median group. */
export interface SeriesError {
  name: string;
  sampling: number | null;
  /** By charge; infinite where most groups are not shown. */
  noise: number[];
}

export interface SizeError {
  /** As in the heading of the table; `people` is how many there are. */
  size: number;
  people: number;
  /** With anybody in them. */
  groups: number;
  series: SeriesError[];
  /** By charge: of those groups, in percent. */
  lost: number[];
}

export interface AlgorithmErrors {
  algorithm: AlgorithmManifest;
  /** Whether people were drawn from real ones. */
  isResampled: boolean;
  /** `epsilons`, then that of the algorithm's own charge. */
  epsilons: number[];
  sizes: SizeError[];
  /** By series: how far clamps move the number in the median group, in percent. */
  clamped: { name: string; percent: number }[];
}

/** Where a release's noise comes from: the same for each cell of a table, whichever others are measured. */
type RandomnessOf = (cell: string) => Randomness;

/** `loadSqlParser` must have been awaited. All algorithms are of the class. */
export function measureClass(
  dataClass: string,
  algorithms: readonly AlgorithmManifest[],
  upTo: number,
  progress: (line: string) => void,
  randomnessOf: RandomnessOf = seededRandomness,
): AlgorithmErrors[] {
  const population = populationOf(dataClass, upTo);
  const measured = algorithms.map((algorithm) => new Measured(algorithm, population));
  let people = 0;
  for (const size of sizes.filter((one) => one <= upTo)) {
    const to = size === sizes[0] ? (population.real ?? size) : size;
    progress(`${dataClass}: ${to} people`);
    let done = 0;
    for (const { rows, count } of population.between(people, to)) {
      for (const one of measured) one.add(rows, count, people);
      if (++done % 100_000 === 0) progress(`${dataClass}: ${done} added`);
    }
    people = to;
    for (const one of measured) one.measure(size, randomnessOf);
  }
  return measured.map((one) => one.errors);
}

class Measured {
  readonly errors: AlgorithmErrors;
  readonly #charges: Plan[];
  readonly #tally: Tally;
  readonly #unclamped: Tally | null;

  constructor(algorithm: AlgorithmManifest, { manifest, real }: Population) {
    const own = epsilonOf(BigInt(algorithm.microRho), delta);
    this.errors = {
      algorithm,
      isResampled: real !== null,
      epsilons: [...epsilons, own],
      sizes: [],
      clamped: [],
    };
    const charges = [
      ...epsilons.map((epsilon) => microRhoWithin(epsilon, delta)),
      BigInt(algorithm.microRho),
    ];
    this.#charges = charges.map((microRho) => planOf({ ...algorithm, microRho: String(microRho) }, manifest));
    this.#tally = new Tally(this.#charges[0]!);
    const hasClamps = Object.keys(algorithm.clamp).length > 0;
    this.#unclamped = hasClamps ? new Tally(planOf({ ...algorithm, clamp: {} }, manifest)) : null;
  }

  add(rows: Tables, count: number, before: number): void {
    this.#tally.add(rows, count);
    if (before < unclampedPeopleMax) this.#unclamped?.add(rows, count);
  }

  measure(size: number, randomnessOf: RandomnessOf): void {
    const exact = this.#tally.exact();
    const outputs = numberOutputs(this.#tally.plan);
    const groups = sampledGroups(this.#tally);
    const trueGroups = groups.map(({ labels, numbers }): TrueGroup => {
      return { labels, values: numbers.map((number) => (number?.value ? number.value : null)) };
    });
    const noise = this.#charges.map((plan, place) => {
      const cell = [this.errors.algorithm.name, size, place].join("/");
      return noiseErrors(exact, plan, trueGroups, releases, randomnessOf(cell));
    });
    const series = seriesOf(outputs, this.#tally.plan).map(({ name, columns }): SeriesError => {
      const ofColumns = <T>(rows: (T | null)[][]) =>
        rows.flatMap((row) => columns.map((column) => row[column]!)).filter((one) => one !== null);
      const sampling = ofColumns(groups.map(({ numbers }) => numbers.map(samplingPercent)));
      return {
        name,
        sampling: sampling.length === 0 ? null : median(sampling),
        noise: noise.map(({ percents }) => median(ofColumns(percents))),
      };
    });
    const lost = noise.map(({ lostPercent }) => lostPercent);
    this.errors.sizes.push({ size, people: this.#tally.people, groups: groups.length, series, lost });
    if (size <= unclampedPeopleMax) this.#compareClamps();
  }

  #compareClamps(): void {
    if (this.#unclamped === null) return;
    const without = new Map(
      sampledGroups(this.#unclamped).map(({ labels, numbers }) => [labels.join("\n"), numbers]),
    );
    const groups = sampledGroups(this.#tally);
    this.errors.clamped = seriesOf(numberOutputs(this.#tally.plan), this.#tally.plan).map(
      ({ name, columns }) => {
        const moved = groups.flatMap(({ labels, numbers }) =>
          columns.flatMap((column) => {
            const [one, other] = [numbers[column], without.get(labels.join("\n"))?.[column]];
            return one && other?.value
              ? [(100 * Math.abs(one.value - other.value)) / Math.abs(other.value)]
              : [];
          }),
        );
        return { name, percent: moved.length === 0 ? 0 : median(moved) };
      },
    );
  }
}

function planOf(algorithm: AlgorithmManifest, manifest: DatasetManifest): Plan {
  return compilePlan(algorithm, {}, manifest);
}

function numberOutputs(plan: Plan): NumberOutput[] {
  return plan.outputs.filter((output): output is NumberOutput => output.shown && output.kind !== "key");
}

/** The columns of one error; places among `numberOutputs`. */
function seriesOf(outputs: NumberOutput[], plan: Plan): { name: string; columns: number[] }[] {
  const names = outputs.map((output) =>
    output.kind === "count" && plan.vectors[plan.releases[output.release]!.vector]!.kind === "buckets"
      ? output.name.replace(/_\d+$/, "")
      : output.name,
  );
  return [...new Set(names)].map((name) => ({
    name,
    columns: [...names.keys()].filter((column) => names[column] === name),
  }));
}

/** Those with anybody in them. */
function sampledGroups(tally: Tally): { labels: string[]; numbers: (SampledNumber | null)[] }[] {
  const { plan, people } = tally;
  const floor = plan.releases[plan.floor.release]!.vector;
  const { groups: labels } = tally.exact();
  return [...tally.groups.entries()]
    .filter(([, group]) => group !== undefined && group.sum(floor) > 0)
    .map(([place, group]) => ({
      labels: labels?.[place] ?? declaredLabels(plan, place),
      numbers: numberOutputs(plan).map((output) => sampledNumber(output, plan, group, people)),
    }));
}

function samplingPercent(number: SampledNumber | null): number | null {
  if (!number?.value || number.margin === null) return null;
  return (100 * number.margin) / Math.abs(number.value);
}

/** Of an even number the larger of the two in the middle. */
export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function seededRandomness(cell: string): Randomness {
  const random = new SeededRandom(`noise/${cell}`);
  return { bytes: (count) => Uint8Array.from({ length: count }, () => random.integer(0, 255)) };
}
