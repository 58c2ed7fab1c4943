/**
 * Walks through rows that come person by person and bounds what each adds: the groups that count, chosen by a hash of the person and the
 * group under the dataset's secret, and in each so many rows' worth. What is chosen depends on that person's rows alone. Storing people
 * side by side makes this several times cheaper than grouping by person and key would be.
 */
import type { DuckDBDataChunk } from "@duckdb/node-api";
import { assert } from "../../primitives/assert.ts";
import { limitError } from "../engine-errors.ts";
import type { OpenGroups } from "./answer-groups.ts";
import type { AnswerReader, ExactVectors } from "./compiled-plan.ts";
import { itemsOf, type Slots, type Totals } from "./walk-totals.ts";

export interface WalkOptions {
  /** Of the dataset, drawn at random when it was imported. */
  seed: bigint;
  /** Groups of a person that count. */
  groupsMax: number;
  /** Declared ones; null with an open key. */
  groupCount: number | null;
  open: OpenGroups | null;
  /** With an open key, groups in which anyone may count. */
  openGroupsMax: number;
  /** Keys of open groups follow the person, one column each; else one column with the group's number. */
  keys: number;
  totals: readonly Totals[];
}

/** Groups of a person that are sorted to choose among them. */
const sortedFrom = 64;

export class PersonWalk implements AnswerReader {
  readonly #options: WalkOptions;
  readonly #seeds: [number, number];
  /** `hashes` by slot, while its person's groups are chosen. */
  readonly #slots: Slots & { hashes: Float64Array };
  /** Slots at which people end who are complete, and who they are. */
  readonly #ends: number[] = [];
  readonly #ended: number[] = [];
  /** By group, its slot in the present person, if that is the slot's group. */
  #slotOf: Int32Array;
  #person = -1;
  #start = 0;
  /** With open keys by group: a hash of the keys' values, if there is such a group, and whether anyone counts in it. */
  readonly #hashes: (number | undefined)[] = [];
  readonly #counts: boolean[] = [];
  #countedCount = 0;

  constructor(options: WalkOptions) {
    this.#options = options;
    const { seed } = options;
    this.#seeds = [Number(BigInt.asIntN(32, seed)), Number(BigInt.asIntN(32, seed >> 32n))];
    this.#slotOf = new Int32Array(options.groupCount ?? 1024);
    this.#slots = {
      ofRow: new Int32Array(2048),
      rowCount: 0,
      group: new Int32Array(4096),
      rows: new Float64Array(4096),
      taken: new Uint8Array(4096),
      hashes: new Float64Array(4096),
      end: 0,
      count: 0,
    };
  }

  take(chunk: DuckDBDataChunk): void {
    const slots = this.#slots;
    slots.rowCount = chunk.rowCount;
    this.#makeRoom(slots.count + slots.rowCount);
    this.#findSlots(itemsOf(chunk, 0, Float64Array), this.#groupsOf(chunk));
    for (const totals of this.#options.totals) totals.add(chunk, slots);
    this.#settle(this.#start);
  }

  answer(): ExactVectors {
    this.#settle(this.#slots.count);
    const { open, groupCount, totals } = this.#options;
    if (open === null) return { groups: null, vectors: totals.map((one) => one.answer(groupCount!)) };
    return this.#countedGroups(
      open,
      totals.map((one) => one.answer(open.values.length)),
    );
  }

  /** A group in which nobody counts is not there. */
  #countedGroups({ values }: OpenGroups, vectors: bigint[][]): ExactVectors {
    const counted = values.flatMap((_, group) => (this.#counts[group] ? [group] : []));
    return {
      groups: counted.map((group) => values[group]!),
      vectors: vectors.map((vector) => {
        const cells = values.length === 0 ? 0 : vector.length / values.length;
        return counted.flatMap((group) => vector.slice(group * cells, (group + 1) * cells));
      }),
    };
  }

  #groupsOf(chunk: DuckDBDataChunk): Int32Array {
    const { open, keys } = this.#options;
    if (open === null) return itemsOf(chunk, 1, Int32Array);
    const columns = Array.from({ length: keys }, (_, key) => chunk.getColumnVector(1 + key));
    const groups = new Int32Array(chunk.rowCount);
    const values = new Array<bigint>(keys);
    for (let row = 0; row < groups.length; row++) {
      for (let key = 0; key < keys; key++) values[key] = columns[key]!.getItem(row) as bigint;
      const group = open.numberOf(values);
      if (this.#hashes[group] === undefined) {
        this.#hashes[group] = hashOf(values);
        this.#counts[group] = false;
      }
      groups[row] = group;
    }
    return groups;
  }

  #findSlots(persons: Float64Array, groups: Int32Array): void {
    const { ofRow, rowCount, group, rows } = this.#slots;
    if (this.#hashes.length > this.#slotOf.length) {
      const before = this.#slotOf;
      this.#slotOf = new Int32Array(2 * this.#hashes.length);
      this.#slotOf.set(before);
    }
    const slotOf = this.#slotOf;
    let { count } = this.#slots;
    for (let row = 0; row < rowCount; row++) {
      const person = persons[row]!;
      if (person !== this.#person) {
        assert(person > this.#person, "rows come person by person");
        if (count > 0) {
          this.#ends.push(count);
          this.#ended.push(this.#person);
        }
        this.#person = person;
        this.#start = count;
      }
      const own = groups[row]!;
      let slot = slotOf[own]!;
      if (slot < this.#start || slot >= count || group[slot] !== own) {
        slot = count++;
        slotOf[own] = slot;
        group[slot] = own;
        rows[slot] = 0;
      }
      rows[slot]!++;
      ofRow[row] = slot;
    }
    this.#slots.count = count;
  }

  /** Everything before the slot `end` is complete. */
  #settle(end: number): void {
    const slots = this.#slots;
    const { group, rows, count } = slots;
    slots.end = end;
    let first = 0;
    this.#ends.forEach((next, at) => {
      this.#choose(this.#ended[at]!, first, next);
      first = next;
    });
    this.#choose(this.#person, first, end);
    this.#ends.length = 0;
    this.#ended.length = 0;
    if (this.#options.open !== null) this.#countGroups(this.#options.open, end);
    for (const totals of this.#options.totals) totals.settle(slots);
    group.copyWithin(0, end, count);
    rows.copyWithin(0, end, count);
    slots.count = count - end;
    this.#start = 0;
    for (let slot = 0; slot < slots.count; slot++) this.#slotOf[group[slot]!] = slot;
  }

  /**
   * Groups in which nobody counts are forgotten: were they to take room, their number would decide whether there is an answer, and of that one
   * person could make up any part.
   */
  #countGroups(open: OpenGroups, end: number): void {
    const { group, taken, count } = this.#slots;
    for (let slot = 0; slot < end; slot++) {
      const own = group[slot]!;
      if (taken[slot] !== 1 || this.#counts[own]) continue;
      this.#counts[own] = true;
      this.#countedCount++;
    }
    if (this.#countedCount > this.#options.openGroupsMax) throw limitError();
    const incomplete = new Set(group.subarray(end, count));
    for (let slot = 0; slot < end; slot++) {
      const own = group[slot]!;
      if (this.#counts[own] || this.#hashes[own] === undefined || incomplete.has(own)) continue;
      this.#hashes[own] = undefined;
      open.forget(own);
    }
  }

  /** Of a person's groups, those with the least hashes; any set of so many is equally likely. */
  #choose(person: number, first: number, end: number): void {
    const { group, taken } = this.#slots;
    const { groupsMax } = this.#options;
    const excess = end - first - groupsMax;
    if (excess <= 0) {
      for (let slot = first; slot < end; slot++) taken[slot] = 1;
      return;
    }
    const hashes = this.#slots.hashes;
    const own = mixed(person ^ this.#seeds[0]);
    for (let slot = first; slot < end; slot++)
      hashes[slot] = mixed(own ^ Math.imul(this.#hashOf(group[slot]!), 0x9e3779b1) ^ this.#seeds[1]);
    if (end - first > sortedFrom) {
      const order = Array.from({ length: end - first }, (_, at) => first + at);
      order.sort((a, b) => hashes[a]! - hashes[b]!);
      order.forEach((slot, at) => {
        taken[slot] = at < groupsMax ? 1 : 0;
      });
      return;
    }
    // The few that make the difference, one after the other.
    const isTaking = groupsMax < excess;
    for (let slot = first; slot < end; slot++) taken[slot] = isTaking ? 0 : 1;
    for (let round = isTaking ? groupsMax : excess; round > 0; round--) {
      let found = first;
      while (taken[found] !== (isTaking ? 0 : 1)) found++;
      for (let slot = found + 1; slot < end; slot++) {
        if (taken[slot] !== taken[found]) continue;
        if (isTaking ? hashes[slot]! < hashes[found]! : hashes[slot]! > hashes[found]!) found = slot;
      }
      taken[found] = isTaking ? 1 : 0;
    }
  }

  /** A number for the group that says nothing about other rows, as its place among open ones would. */
  #hashOf(group: number): number {
    return this.#options.open === null ? group : this.#hashes[group]!;
  }

  #makeRoom(count: number): void {
    const slots = this.#slots;
    if (slots.rowCount > slots.ofRow.length) slots.ofRow = new Int32Array(slots.rowCount);
    if (count <= slots.group.length) return;
    const { group, rows } = slots;
    slots.group = new Int32Array(2 * count);
    slots.group.set(group);
    slots.rows = new Float64Array(2 * count);
    slots.rows.set(rows);
    slots.taken = new Uint8Array(2 * count);
    slots.hashes = new Float64Array(2 * count);
  }
}

/** The finalizer of MurmurHash3, 32 bits, without its sign. */
function mixed(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function hashOf(values: readonly bigint[]): number {
  let hash = 0;
  for (const value of values)
    for (let shift = 0n; shift < 128n; shift += 32n)
      hash = mixed(hash ^ Number(BigInt.asIntN(32, value >> shift))) ^ 0x5bd1e995;
  return hash | 0;
}
