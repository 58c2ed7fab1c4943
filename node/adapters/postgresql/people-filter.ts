/**
 * Who takes part, for datasets that need consent: PostgreSQL is given who of its own people does, and never the secret by which the
 * repository knows them. Which person is which enrolled number is found by going through the tables' people once, and then through rows that
 * were written since (covered-snapshot.ts). Where that cannot be told, as in views and foreign tables, it is through all again when more were
 * enrolled or after a while. Whoever is not found takes no part: never too many, for a while too few.
 *
 * Costs a hash for each person once; for each question a pass over the people, the same whoever takes part, and what person-places.ts says.
 */
import { personHash, personHashBytes } from "../../data-sharing/consent/person-hash.ts";
import type { PeopleFilter } from "../../data-sharing/ports.ts";
import { PersonNumbers } from "../duckdb/person-numbers.ts";
import {
  type CoveredSnapshot,
  continues,
  isSameMoment,
  sessionSnapshot,
  writtenSinceSql,
} from "./covered-snapshot.ts";
import type { Session } from "./database-connections.ts";
import { type DatasetSources, peopleSql } from "./dataset-tables.ts";
import { byBits, byList, hashBits, hashSql, type Places, placesOf, type TakesPart } from "./person-places.ts";

/** An enrolled person whose first row came since takes part after this at the latest. */
const knownMsMax = 600_000;

/** Everybody in the tables by `covered`, and maybe others; read at `readMs`, for so many enrolled. */
interface Reading {
  tables: string;
  people: TablePeople;
  covered: CoveredSnapshot | null;
  readMs: number;
  enrolled: number;
}

export class KnownPeople {
  readonly #dataset: string;
  readonly #secret: Uint8Array;
  #reading: Reading | undefined;

  constructor(dataset: string, secret: Uint8Array) {
    this.#dataset = dataset;
    this.#secret = secret;
  }

  /** To be called before the session's snapshot is taken: what is known now then is of an earlier moment than its rows. */
  prepare(people: PeopleFilter): (sources: DatasetSources, session: Session) => Promise<TakesPart> {
    const before = this.#reading;
    return async (sources, session) => {
      const hashes = people.hashes();
      const reading = await this.#upToDate(before, hashes, sources, session);
      this.#reading = reading;
      // Asked last, so that a withdrawal meanwhile counts.
      return reading.people.filter(hashes, people.takingPart(), reading.covered !== null);
    };
  }

  async #upToDate(
    before: Reading | undefined,
    hashes: Uint8Array,
    sources: DatasetSources,
    session: Session,
  ): Promise<Reading> {
    const tables = JSON.stringify([
      sources.personType,
      [...sources.tables.values()].map(({ from, person }) => [from, person.name]),
    ]);
    const covered = await sessionSnapshot(sources, session);
    const fresh = { tables, covered, readMs: performance.now(), enrolled: hashes.length / personHashBytes };
    if (before === undefined || before.tables !== tables || !continues(before.covered, covered)) {
      const people = new TablePeople(sources, this.#dataset, this.#secret);
      people.add(await readPeople(sources, session, null));
      return { ...fresh, people };
    }
    const { people } = before;
    const isKept =
      people.enrolledAreKnown(hashes, before.enrolled) && fresh.readMs - before.readMs <= knownMsMax;
    if (before.covered === null || covered === null) {
      if (isKept) return { ...before, enrolled: fresh.enrolled };
      people.add(await readPeople(sources, session, null));
    } else if (!isSameMoment(before.covered, covered)) {
      if (isKept && people.isRightForAll) return { ...before, enrolled: fresh.enrolled };
      people.add(await readPeople(sources, session, before.covered));
    }
    return { ...fresh, people };
  }
}

/** Persons with hashes; all of them, or those of rows that were written since. */
async function readPeople(
  sources: DatasetSources,
  session: Session,
  since: CoveredSnapshot | null,
): Promise<[string, number][]> {
  const hash = hashSql("person_", sources.personType, 2 ** hashBits);
  const written = since === null ? [] : [writtenSinceSql(since, "t")];
  const rows = await session.rows(peopleSql(sources, [hash], written));
  return rows.map(([person, hash]) => [person!, Number(hash)]);
}

/** People of the tables. They are added only: who is in no row any more is in no answer either. */
class TablePeople {
  readonly #type: DatasetSources["personType"];
  readonly #dataset: string;
  readonly #secret: Uint8Array;
  readonly #persons: string[] = [];
  readonly #known = new Set<string>();
  readonly #hashes: number[] = [];
  #personHashes = new Uint8Array(0);
  #numbers = PersonNumbers.of(new Uint8Array(0));
  #places: Places | undefined;

  constructor({ personType }: DatasetSources, dataset: string, secret: Uint8Array) {
    this.#type = personType;
    this.#dataset = dataset;
    this.#secret = secret;
  }

  add(rows: readonly [string, number][]): void {
    const added = rows.filter(([person]) => !this.#known.has(person));
    if (added.length === 0) return;
    const hashes = new Uint8Array(this.#personHashes.length + added.length * personHashBytes);
    hashes.set(this.#personHashes);
    for (const [person, hash] of added) {
      const at = this.#hashes.length * personHashBytes;
      hashes.set(personHash(this.#secret, this.#dataset, person), at);
      this.#persons.push(person);
      this.#known.add(person);
      this.#hashes.push(hash);
    }
    this.#personHashes = hashes;
    this.#numbers = PersonNumbers.of(hashes);
    this.#places = undefined;
  }

  /** Whether those enrolled since the first `from` are all among the people. */
  enrolledAreKnown(hashes: Uint8Array, from: number): boolean {
    return !this.#numbers.of(hashes).subarray(from).includes(0);
  }

  /** Whether `filter` takes nobody in who is not among the people, without all being known. */
  get isRightForAll(): boolean {
    return this.#placesNow().kind === "integers";
  }

  /** @param bits Who takes part, by enrolled number. */
  filter(hashes: Uint8Array, bits: Uint8Array, allAreKnown: boolean): TakesPart {
    const places = this.#placesNow();
    const numbers = this.#numbers.of(hashes);
    // Number 0 stands for those who are in no table.
    const taking = new Uint8Array(this.#hashes.length + 1);
    for (let i = 0; i < numbers.length; i++) taking[numbers[i]!]! |= (bits[i >> 3]! >> (i & 7)) & 1;
    const byPerson = taking.subarray(1);
    return allAreKnown || this.isRightForAll
      ? byBits(this.#type, places, byPerson, this.#persons)
      : byList(this.#type, byPerson, this.#persons);
  }

  #placesNow(): Places {
    this.#places ??= placesOf(this.#type, this.#persons, this.#hashes);
    return this.#places;
  }
}
