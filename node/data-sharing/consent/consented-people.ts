/**
 * Who has consented to what, in memory, so that a question over a million people learns it in milliseconds: per dataset and asked purpose
 * one number a person, the second from which consent counts no more.
 * The newest word counts; what was said under a former binding of a person counts for nothing.
 */
import type { Clock } from "../../ledger/ports.ts";
import type { Hex } from "../../primitives/hex.ts";
import type { PeopleFilter } from "../ports.ts";
import { effectOn } from "./effect.ts";
import { personHashBytes } from "./person-hash.ts";
import type { ConsentStatement, ConsentStore, EnrolmentReader } from "./ports.ts";

/** Consent without an end. */
const noEnd = 2 ** 32 - 1;
const firstRoom = 1024;

export interface ConsentedPeopleModules {
  clock: Pick<Clock, "nowMs">;
  enrolments: Pick<EnrolmentReader, "enrolmentsSince">;
  consents: Pick<ConsentStore, "statements" | "horizon">;
  /** A dataset's id, by its name here. */
  datasetIdOf: (name: string) => Hex;
}

export class ConsentedPeople {
  readonly #modules: ConsentedPeopleModules;
  readonly #datasets = new Map<string, DatasetPeople>();

  constructor(modules: ConsentedPeopleModules) {
    this.#modules = modules;
  }

  /** Live: what it says changes with each receipt and enrolment. */
  filter(dataset: string, purpose: string): PeopleFilter {
    const people = this.#dataset(dataset);
    return {
      purpose,
      hashes: () => people.hashes(),
      takingPart: () => people.takingPart(purpose),
    };
  }

  /** After the statement is in the store: in force from now on. */
  note(dataset: string, statement: ConsentStatement): void {
    this.#dataset(dataset).note(statement);
  }

  /** For the custodian alone: exact. */
  counts(
    dataset: string,
    purposes: readonly string[],
  ): { enrolled: number; consenting: Record<string, number> } {
    const people = this.#dataset(dataset);
    const counted = purposes.map((purpose) => [purpose, bitCount(people.takingPart(purpose))] as const);
    return { enrolled: people.hashes().length / personHashBytes, consenting: Object.fromEntries(counted) };
  }

  #dataset(name: string): DatasetPeople {
    const known = this.#datasets.get(name);
    if (known !== undefined) return known;
    const people = new DatasetPeople(name, this.#modules);
    this.#datasets.set(name, people);
    return people;
  }
}

class DatasetPeople {
  readonly #name: string;
  readonly #modules: ConsentedPeopleModules;
  #count = 0;
  #sequence = 0;
  #hashes = new Uint8Array(firstRoom * personHashBytes);
  #bindings = new Float64Array(firstRoom);
  /** By asked purpose: the second from which person i takes no part any more, 0 for none. Made when first asked for. */
  readonly #until = new Map<string, Uint32Array>();
  #horizon = 0;

  constructor(name: string, modules: ConsentedPeopleModules) {
    this.#name = name;
    this.#modules = modules;
  }

  hashes(): Uint8Array {
    this.#catchUp();
    return this.#hashes.subarray(0, this.#count * personHashBytes);
  }

  /** All people are looked at each time, so that the time it takes says nothing about who said what. */
  takingPart(purpose: string): Uint8Array {
    this.#catchUp();
    const until = this.#untilOf(purpose);
    const nowS = Math.floor(this.#modules.clock.nowMs() / 1000);
    const bits = new Uint8Array((this.#count + 7) >> 3);
    for (let i = 0; i < this.#count; i++) bits[i >> 3]! |= Number(until[i]! > nowS) << (i & 7);
    return bits;
  }

  note(statement: ConsentStatement): void {
    this.#catchUp();
    for (const [purpose, until] of this.#until) this.#apply(statement, purpose, until);
  }

  #untilOf(purpose: string): Uint32Array {
    const { consents, datasetIdOf } = this.#modules;
    const horizon = consents.horizon();
    if (horizon !== this.#horizon) this.#until.clear();
    this.#horizon = horizon;
    const known = this.#until.get(purpose);
    if (known !== undefined) return known;
    const until = new Uint32Array(this.#bindings.length);
    for (const statement of consents.statements(datasetIdOf(this.#name)))
      this.#apply(statement, purpose, until);
    this.#until.set(purpose, until);
    return until;
  }

  #apply(statement: ConsentStatement, asked: string, until: Uint32Array): void {
    const { person, binding, expiresS } = statement;
    if (person >= this.#count || this.#bindings[person] !== binding) return;
    const effect = effectOn(asked, statement);
    if (effect !== undefined) until[person] = effect === "given" ? (expiresS ?? noEnd) : 0;
  }

  /** Takes over who was enrolled, or got another key, since the last look. */
  #catchUp(): void {
    for (const { sequence, number, person, binding } of this.#modules.enrolments.enrolmentsSince(
      this.#name,
      this.#sequence,
    )) {
      if (number >= this.#bindings.length) this.#grow(number);
      this.#hashes.set(person, number * personHashBytes);
      this.#bindings[number] = binding;
      for (const until of this.#until.values()) until[number] = 0;
      this.#count = Math.max(this.#count, number + 1);
      this.#sequence = sequence;
    }
  }

  #grow(number: number): void {
    const room = Math.max(2 * this.#bindings.length, number + 1);
    this.#hashes = enlarged(this.#hashes, new Uint8Array(room * personHashBytes));
    this.#bindings = enlarged(this.#bindings, new Float64Array(room));
    for (const [purpose, until] of this.#until)
      this.#until.set(purpose, enlarged(until, new Uint32Array(room)));
  }
}

function enlarged<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function bitCount(bits: Uint8Array): number {
  let count = 0;
  for (let byte of bits) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}
