/**
 * The people of a class of the lab's data, one after the other, as many as are wanted. Made-up people come from their generators. Real
 * ones are few: all of them come first, and further ones are drawn from them with replacement, each a person of its own.
 */
import type { DatasetManifest } from "../../node/data-sharing/manifests/dataset-manifest.ts";
import type { PersonRow, Tables } from "../../node/data-sharing/plan/evaluate.ts";
import { datasetLines } from "../../node/living-lab/content.ts";
import { SeededRandom } from "../../node/living-lab/data/seeded-random.ts";
import { datasetManifest, datasetNames, stored } from "../../test/node/living-lab/support/table.ts";

/** Changes all data, and with it all of the document. */
const seed = "usefulness";

/** Somebody's rows, for as many people as have the same ones. */
export interface People {
  rows: Tables;
  count: number;
}

export interface Population {
  /** Of the first of its datasets; where the lab split a class among organisations, the manifests differ in name only. */
  manifest: DatasetManifest;
  /** How many real people there are; null where they are made up. */
  real: number | null;
  /** Those after the first `from` up to the first `to`. To be called for one stretch after the other. */
  between(from: number, to: number): Iterable<People>;
}

export function populationOf(dataClass: string, peopleMax: number): Population {
  const datasets = datasetNames.map(datasetManifest).filter((manifest) => manifest.dataClass === dataClass);
  const [manifest] = datasets;
  if (manifest === undefined) throw new Error(`no dataset of the lab is of the class ${dataClass}`);
  const rows = datasets.map((one) => byPerson(datasetLines[one.name]!(peopleMax, seed), one));
  return manifest.synthetic ? madeUp(manifest, rows) : drawn(manifest, rows);
}

function madeUp(manifest: DatasetManifest, [people]: Iterable<PersonRow[]>[]): Population {
  const rest = people![Symbol.iterator]();
  function* between(from: number, to: number): Generator<People> {
    for (let number = from; number < to; number++)
      yield { rows: { [manifest.table]: rest.next().value! }, count: 1 };
  }
  return { manifest, real: null, between };
}

function drawn(manifest: DatasetManifest, halves: Iterable<PersonRow[]>[]): Population {
  const people = halves.flatMap((half) => [...half]);
  const random = new SeededRandom(`people/${seed}`);
  function* between(from: number, to: number): Generator<People> {
    const counts = people.map((_, place) => Number(place >= from && place < to));
    for (let number = Math.max(from, people.length); number < to; number++)
      counts[random.integer(0, people.length - 1)]!++;
    for (const [place, rows] of people.entries())
      if (counts[place]! > 0) yield { rows: { [manifest.table]: rows }, count: counts[place]! };
  }
  return { manifest, real: people.length, between };
}

/** All rows of a person lie together in the lab's data. */
function* byPerson(lines: Iterable<string>, manifest: DatasetManifest): Generator<PersonRow[]> {
  const columns = Object.entries(manifest.columns);
  let header: string[] | undefined;
  let own: PersonRow[] = [];
  for (const line of lines) {
    const fields = line.split(",");
    if (header === undefined) {
      header = fields;
      continue;
    }
    const place = (name: string) => fields[header!.indexOf(name)]!;
    const person = place(manifest.person);
    if (own.length > 0 && own[0]!.person !== person) {
      yield own;
      own = [];
    }
    own.push({
      person,
      columns: Object.fromEntries(columns.map(([name, column]) => [name, stored(place(name), column)])),
    });
  }
  yield own;
}
