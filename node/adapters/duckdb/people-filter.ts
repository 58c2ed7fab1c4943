/**
 * Plans over those alone who take part, at no cost a row. A bit looked up for each of 10 million rows would double the time of a plan, a join
 * triple it; so consent is folded into the rank, which every plan bounds anyway: in a copy of the data file each asked purpose has a
 * rank column of its own, in which the rows of people who take no part have no rank. A view of the table's name shows that column as `rank_`
 * and no other rows, so that whatever a plan is compiled to, it cannot see anybody else. Before each plan the column is brought up to
 * date: a person who has changed their mind costs about two milliseconds.
 */
import { DuckDBBitValue, type DuckDBConnection } from "@duckdb/node-api";
import type { PeopleFilter } from "../../data-sharing/ports.ts";
import { assert } from "../../primitives/assert.ts";
import { PersonNumbers } from "./person-numbers.ts";

/** The rank of a row that takes no part; no person has as many rows. */
const noRank = 2 ** 31 - 1;
/** More people than this are changed range by range, not by a list of their numbers. */
const listedMax = 1_000;
/** People of one range: some megabytes of rows, so that a change needs little memory, whatever the size of the data. */
const rangePeople = 1 << 16;

interface RankColumn {
  name: string;
  /** Bit p: whether person p of the data file has ranks in it. */
  takingPart: Uint8Array;
}

export class FilteredTables {
  readonly #connection: DuckDBConnection;
  readonly #tables: readonly string[];
  readonly #numbers: PersonNumbers;
  readonly #columns = new Map<string, RankColumn>();

  private constructor(connection: DuckDBConnection, tables: readonly string[], numbers: PersonNumbers) {
    this.#connection = connection;
    this.#tables = tables;
    this.#numbers = numbers;
  }

  /** Puts the tables of people out of the way, in a copy that is this process's own. The connection stays with them. */
  static async prepare(connection: DuckDBConnection): Promise<FilteredTables> {
    const found = await connection.runAndReadAll(
      `SELECT table_name FROM duckdb_columns() WHERE column_name IN ('person_', 'rank_') AND NOT internal
       GROUP BY table_name HAVING count(*) = 2 ORDER BY table_name`,
    );
    const tables = found.getRows().map(([name]) => String(name));
    assert(
      tables.length > 0 && tables.every((name) => /^[a-z][a-z0-9_]*$/.test(name)),
      "a data file has tables of ours",
    );
    for (const table of tables) await connection.run(`ALTER TABLE ${table} RENAME TO all_${table}`);
    return new FilteredTables(connection, tables, await PersonNumbers.read(connection));
  }

  /** Brings the purpose's ranks up to date, and gives the statements by which a connection sees those alone who take part. */
  async upToDate(people: PeopleFilter): Promise<string[]> {
    const column = this.#columns.get(people.purpose) ?? (await this.#addColumn(people.purpose));
    const wanted = this.#bitsOf(people);
    await this.#change(column, wanted);
    column.takingPart = wanted;
    return this.#tables.map(
      (table) =>
        `CREATE TEMP VIEW ${table} AS SELECT * REPLACE (${column.name} AS rank_) FROM all_${table} WHERE ${column.name} < ${noRank}`,
    );
  }

  async #addColumn(purpose: string): Promise<RankColumn> {
    const name = `rank${this.#columns.size}_`;
    for (const table of this.#tables)
      await this.#connection.run(`ALTER TABLE all_${table} ADD COLUMN ${name} INTEGER DEFAULT ${noRank}`);
    const column = { name, takingPart: new Uint8Array((this.#numbers.count >> 3) + 1) };
    this.#columns.set(purpose, column);
    return column;
  }

  /** By the people's numbers in the data file. Takes the same time whoever takes part. */
  #bitsOf(people: PeopleFilter): Uint8Array {
    const enrolled = people.takingPart();
    const numbers = this.#numbers.of(people.hashes());
    const bits = new Uint8Array((this.#numbers.count >> 3) + 1);
    for (let i = 0; i < numbers.length; i++) {
      const person = numbers[i]!;
      bits[person >> 3]! |= ((enrolled[i >> 3]! >> (i & 7)) & 1) << (person & 7);
    }
    // Number 0 stands for those who are in no data.
    bits[0]! &= ~1;
    return bits;
  }

  async #change(column: RankColumn, wanted: Uint8Array): Promise<void> {
    const changed: number[] = [];
    for (let byte = 0; byte < wanted.length && changed.length <= listedMax; byte++) {
      const difference = wanted[byte]! ^ column.takingPart[byte]!;
      for (let bit = 0; difference >> bit !== 0; bit++)
        if (((difference >> bit) & 1) === 1) changed.push(8 * byte + bit);
    }
    if (changed.length === 0) return;
    if (changed.length <= listedMax) await this.#changeListed(column.name, changed, wanted);
    else await this.#changeRanges(column, wanted);
  }

  async #changeListed(column: string, changed: readonly number[], wanted: Uint8Array): Promise<void> {
    const takesPart = (person: number) => ((wanted[person >> 3]! >> (person & 7)) & 1) === 1;
    const coming = changed.filter(takesPart);
    const going = changed.filter((person) => !takesPart(person));
    await this.#connection.run("BEGIN");
    for (const table of this.#tables) {
      const update = async (value: string | number, list: readonly number[]) => {
        if (list.length === 0) return;
        const sql = `UPDATE all_${table} SET ${column} = ${value} WHERE person_ IN (${list.join(", ")})`;
        await this.#connection.run(sql);
      };
      await update("rank_", coming);
      await update(noRank, going);
    }
    await this.#connection.run("COMMIT");
  }

  async #changeRanges({ name, takingPart }: RankColumn, wanted: Uint8Array): Promise<void> {
    for (let from = 0; from <= this.#numbers.count; from += rangePeople) {
      const [low, high] = [from >> 3, Math.min((from + rangePeople) >> 3, wanted.length)];
      const range = wanted.subarray(low, high);
      if (Buffer.compare(range, takingPart.subarray(low, high)) === 0) continue;
      const bits = bitStringOf(range);
      for (const table of this.#tables)
        await this.#connection.run(
          `UPDATE all_${table} SET ${name} = CASE WHEN get_bit($1, CAST(person_ - ${from} AS INTEGER)) = 1 THEN rank_ ELSE ${noRank} END
           WHERE person_ >= ${from} AND person_ < ${8 * high}`,
          [bits],
        );
    }
  }
}

/** DuckDB's bit strings begin with the count of padding bits, and have the first bit highest. */
function bitStringOf(bits: Uint8Array): DuckDBBitValue {
  const data = new Uint8Array(bits.length + 1);
  for (let i = 0; i < bits.length; i++) data[i + 1] = reversed(bits[i]!);
  return new DuckDBBitValue(data);
}

function reversed(byte: number): number {
  let turned = 0;
  for (let bit = 0; bit < 8; bit++) turned |= ((byte >> bit) & 1) << (7 - bit);
  return turned;
}
