/**
 * What a walk through people (person-walk.ts) adds up for each vector: first by slot, which is one person in one group, then by group, once
 * the person is complete and known to take part there. Where all numbers of a person stay below 2^52 they are added as JavaScript's
 * numbers, which are exact there; the answer itself is of any size.
 */
import type { DuckDBDataChunk } from "@duckdb/node-api";
import { assert } from "../../primitives/assert.ts";

/** Slots of a piece of the walk; those below `end` are complete. */
export interface Slots {
  /** By row of the chunk. */
  ofRow: Int32Array;
  rowCount: number;
  /** By slot: the group, the rows, and whether the group is among those of the person that count. */
  group: Int32Array;
  rows: Float64Array;
  taken: Uint8Array;
  end: number;
  count: number;
}

export interface Totals {
  /** Adds the chunk's rows to their slots. */
  add(chunk: DuckDBDataChunk, slots: Slots): void;
  /** Adds the complete slots to their groups and moves the others to the front. */
  settle(slots: Slots): void;
  /** By group and cell. */
  answer(groups: number): bigint[];
}

/** Numbers up to here, and what is added to them, are exact. */
export const exactNumberBits = 52n;
const exactMax = 2 ** 52;

/** Whole numbers by place, added exactly. */
class Cells {
  #low = new Float64Array(64);
  readonly #high = new Map<number, bigint>();

  add(place: number, amount: number): void {
    if (place >= this.#low.length) this.#low = grown(this.#low, place);
    const sum = this.#low[place]! + amount;
    if (sum < exactMax && sum > -exactMax) this.#low[place] = sum;
    else {
      // The sum itself may be rounded; its parts are not.
      this.addWide(place, BigInt(this.#low[place]!) + BigInt(amount));
      this.#low[place] = 0;
    }
  }

  addWide(place: number, amount: bigint): void {
    this.#high.set(place, (this.#high.get(place) ?? 0n) + amount);
  }

  answer(count: number): bigint[] {
    return Array.from({ length: count }, (_, at) => BigInt(this.#low[at] ?? 0) + (this.#high.get(at) ?? 0n));
  }
}

function grown<T extends Float64Array | Int32Array | Uint8Array>(array: T, place: number): T {
  const larger = new (array.constructor as new (length: number) => T)(Math.max(2 * array.length, place + 1));
  larger.set(array);
  return larger;
}

/** `total` of `rows` rows as `most` rows' worth, rounded toward zero; exact where total, and rows times most, are. */
export function scaledNumber(total: number, rows: number, most: number): number {
  if (rows <= most) return total;
  const rest = total % rows;
  const part = rest * most;
  return ((total - rest) / rows) * most + (part - (part % rows)) / rows;
}

export function scaledWide(total: bigint, rows: bigint, most: bigint): bigint {
  return rows <= most ? total : (total * most) / rows;
}

/** Persons, each once in a group. */
export class PeopleTotals implements Totals {
  readonly #cells = new Cells();

  add(): void {}

  settle({ end, taken, group }: Slots): void {
    for (let slot = 0; slot < end; slot++) if (taken[slot] === 1) this.#cells.add(group[slot]!, 1);
  }

  answer(groups: number): bigint[] {
    return this.#cells.answer(groups);
  }
}

/** Rows. */
export class RowTotals implements Totals {
  readonly #cells = new Cells();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(): void {}

  settle({ end, taken, group, rows }: Slots): void {
    for (let slot = 0; slot < end; slot++)
      if (taken[slot] === 1) this.#cells.add(group[slot]!, Math.min(rows[slot]!, this.#most));
  }

  answer(groups: number): bigint[] {
    return this.#cells.answer(groups);
  }
}

/** Sums of a column of doubles, whole numbers all. */
export class NumberTotals implements Totals {
  readonly #cells = new Cells();
  readonly #column: number;
  readonly #most: number;
  #totals = new Float64Array(4096);

  constructor(column: number, most: number) {
    [this.#column, this.#most] = [column, most];
  }

  add(chunk: DuckDBDataChunk, { ofRow, rowCount, count }: Slots): void {
    if (count > this.#totals.length) this.#totals = grown(this.#totals, count);
    const values = itemsOf(chunk, this.#column, Float64Array);
    const totals = this.#totals;
    for (let row = 0; row < rowCount; row++) totals[ofRow[row]!]! += values[row]!;
  }

  settle({ end, count, taken, group, rows }: Slots): void {
    const totals = this.#totals;
    for (let slot = 0; slot < end; slot++)
      if (taken[slot] === 1)
        this.#cells.add(group[slot]!, scaledNumber(totals[slot]!, rows[slot]!, this.#most));
    totals.copyWithin(0, end, count);
    totals.fill(0, count - end, count);
  }

  answer(groups: number): bigint[] {
    return this.#cells.answer(groups);
  }
}

/** Sums of a column of HUGEINT. */
export class WideTotals implements Totals {
  readonly #cells = new Cells();
  readonly #column: number;
  readonly #most: bigint;
  #totals: bigint[] = [];

  constructor(column: number, most: number) {
    [this.#column, this.#most] = [column, BigInt(most)];
  }

  add(chunk: DuckDBDataChunk, { ofRow, rowCount, count }: Slots): void {
    while (this.#totals.length < count) this.#totals.push(0n);
    const column = chunk.getColumnVector(this.#column);
    for (let row = 0; row < rowCount; row++) this.#totals[ofRow[row]!]! += column.getItem(row) as bigint;
  }

  settle({ end, taken, group, rows }: Slots): void {
    for (let slot = 0; slot < end; slot++)
      if (taken[slot] === 1)
        this.#cells.addWide(group[slot]!, scaledWide(this.#totals[slot]!, BigInt(rows[slot]!), this.#most));
    this.#totals = this.#totals.slice(end);
  }

  answer(groups: number): bigint[] {
    return this.#cells.answer(groups);
  }
}

/** Rows by bucket; the column is -1 where a row has none. */
export class BucketTotals implements Totals {
  readonly #cells = new Cells();
  readonly #column: number;
  readonly #buckets: number;
  readonly #most: number;
  /** By slot * buckets + bucket. */
  #totals = new Map<number, number>();

  constructor(column: number, buckets: number, most: number) {
    [this.#column, this.#buckets, this.#most] = [column, buckets, most];
  }

  add(chunk: DuckDBDataChunk, { ofRow, rowCount }: Slots): void {
    const values = itemsOf(chunk, this.#column, Int32Array);
    for (let row = 0; row < rowCount; row++) {
      if (values[row]! < 0) continue;
      const place = ofRow[row]! * this.#buckets + values[row]!;
      this.#totals.set(place, (this.#totals.get(place) ?? 0) + 1);
    }
  }

  settle({ end, taken, group, rows }: Slots): void {
    const open = new Map<number, number>();
    for (const [place, total] of this.#totals) {
      const slot = Math.floor(place / this.#buckets);
      if (slot >= end) open.set(place - end * this.#buckets, total);
      else if (taken[slot] === 1) {
        const cell = group[slot]! * this.#buckets + (place % this.#buckets);
        this.#cells.add(cell, scaledNumber(total, rows[slot]!, this.#most));
      }
    }
    this.#totals = open;
  }

  answer(groups: number): bigint[] {
    return this.#cells.answer(groups * this.#buckets);
  }
}

/** The column's numbers as they lie in memory; the statement leaves no null in them. */
export function itemsOf<T extends Float64Array | Int32Array | BigInt64Array>(
  chunk: DuckDBDataChunk,
  column: number,
  type: abstract new (...parts: never[]) => T,
): T {
  const { items } = chunk.getColumnVector(column) as unknown as { items: unknown };
  assert(items instanceof type, "the column has the type that was asked for");
  return items;
}
