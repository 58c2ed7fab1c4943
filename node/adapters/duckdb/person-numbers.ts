/**
 * From keyed hashes to the numbers that people have in one data file (`person_`, from 1): an open-addressing table over 32-bit words,
 * as a million hashes as keys of a Map would take seconds and ten times the memory.
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import { personHashBytes } from "../../data-sharing/consent/person-hash.ts";
import { assert } from "../../primitives/assert.ts";
import { hashColumns } from "./person-hash-sql.ts";

const words = personHashBytes / 4;

export class PersonNumbers {
  /** People of the data file. */
  readonly count: number;
  readonly #hashes: Uint32Array;
  /** Number of a person, 0 for a free place. */
  readonly #places: Int32Array;
  readonly #mask: number;
  /** By number of enrolment: the number in the data file, 0 for one who is not in it. */
  #known = new Int32Array(0);
  #knownCount = 0;

  private constructor(hashes: Uint32Array, count: number) {
    this.count = count;
    this.#hashes = hashes;
    this.#places = new Int32Array(2 ** Math.ceil(Math.log2(2 * count + 2)));
    this.#mask = this.#places.length - 1;
    for (let person = 1; person <= count; person++) {
      let place = hashes[(person - 1) * words]! & this.#mask;
      while (this.#places[place] !== 0) place = (place + 1) & this.#mask;
      this.#places[place] = person;
    }
  }

  /** Of people whose hashes stand one after the other. */
  static of(hashes: Uint8Array): PersonNumbers {
    const view = new DataView(hashes.buffer, hashes.byteOffset, hashes.byteLength);
    const read = Uint32Array.from({ length: hashes.length / 4 }, (_, at) => view.getUint32(4 * at));
    return new PersonNumbers(read, hashes.length / personHashBytes);
  }

  static async read(connection: DuckDBConnection): Promise<PersonNumbers> {
    const counted = await connection.runAndReadAll("SELECT count(*) FROM people_");
    const count = Number(counted.getRows()[0]![0]);
    const hashes = new Uint32Array(count * words);
    const rows = await connection.stream(`SELECT ${hashColumns.join(", ")} FROM people_ ORDER BY person_`);
    let person = 0;
    for (;;) {
      const chunk = await rows.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      for (let word = 0; word < words; word++) {
        const values = chunk.getColumnValues(word);
        for (let row = 0; row < chunk.rowCount; row++)
          hashes[(person + row) * words + word] = Number(values[row]);
      }
      person += chunk.rowCount;
    }
    assert(person === count, "people have numbers without gaps");
    return new PersonNumbers(hashes, count);
  }

  /** The numbers of enrolled people in their order. What was found out before is kept: hashes grow at their end only. */
  of(hashes: Uint8Array): Int32Array {
    const enrolled = hashes.length / personHashBytes;
    if (enrolled > this.#known.length) {
      const larger = new Int32Array(Math.max(enrolled, 2 * this.#known.length));
      larger.set(this.#known);
      this.#known = larger;
    }
    const view = new DataView(hashes.buffer, hashes.byteOffset, hashes.byteLength);
    for (; this.#knownCount < enrolled; this.#knownCount++)
      this.#known[this.#knownCount] = this.#numberOf(view, this.#knownCount * personHashBytes);
    return this.#known.subarray(0, enrolled);
  }

  #numberOf(view: DataView, offset: number): number {
    const [a, b, c, d] = [0, 4, 8, 12].map((at) => view.getUint32(offset + at)) as [
      number,
      number,
      number,
      number,
    ];
    for (let place = a & this.#mask; ; place = (place + 1) & this.#mask) {
      const person = this.#places[place]!;
      if (person === 0) return 0;
      const at = (person - 1) * words;
      const isSame =
        this.#hashes[at] === a &&
        this.#hashes[at + 1] === b &&
        this.#hashes[at + 2] === c &&
        this.#hashes[at + 3] === d;
      if (isSame) return person;
    }
  }
}
