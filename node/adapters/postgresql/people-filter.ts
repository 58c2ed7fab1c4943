/**
 * Who takes part, for datasets that need consent: PostgreSQL is given the persons themselves, whom it has, and never the secret by which the
 * repository knows them. Which person is which enrolled number is found by going through the table's people once, and again when more were
 * enrolled or after a while, as rows are live. Whoever is not found takes no part: never too many, for a while too few.
 *
 * Costs, for each question, a list of those who take part; and going through the people, a hash for each.
 */
import { personHash, personHashBytes } from "../../data-sharing/consent/person-hash.ts";
import type { PeopleFilter } from "../../data-sharing/ports.ts";
import type { Session } from "./database-connections.ts";
import { type DatasetSources, type PersonType, personSql, somebodySql } from "./dataset-tables.ts";

export interface TakesPart {
  /** SQL that is true for a person, also as SQL, who takes part. */
  condition: (person: string) => string;
  /** The parameters in it; every statement with a table has them. */
  values: unknown[];
}

const memberSql: Record<PersonType, (person: string, list: string) => string> = {
  text: (person, list) => `${person} = ANY (${list})`,
  integer: (person, list) => `CAST(${person} AS bigint) = ANY (CAST(${list} AS bigint[]))`,
  uuid: (person, list) => `${person} = ANY (CAST(${list} AS uuid[]))`,
};

/** An enrolled person whose first row came since takes part after this at the latest. */
const knownMsMax = 600_000;

export class KnownPeople {
  readonly #dataset: string;
  readonly #secret: Uint8Array;
  /** By enrolled number, as far as the tables have them. */
  #persons = new Map<number, string>();
  #separator = "";
  #seen = "";
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(dataset: string, secret: Uint8Array) {
    this.#dataset = dataset;
    this.#secret = secret;
  }

  async filter(people: PeopleFilter, sources: DatasetSources, session: Session): Promise<TakesPart> {
    const hashes = people.hashes();
    // Hashes are added at the end only.
    const seen = [hashes.length, ...[...sources.tables.values()].map(({ from }) => from)].join(" ");
    if (seen !== this.#seen || performance.now() - this.#readMs > knownMsMax) {
      await this.#read(hashes, sources, session);
      this.#seen = seen;
      this.#readMs = performance.now();
    }
    // Asked last, so that a withdrawal meanwhile counts.
    const bits = people.takingPart();
    const taking: string[] = [];
    for (const [number, person] of this.#persons)
      if (((bits[number >> 3]! >> (number & 7)) & 1) === 1) taking.push(person);
    // A list that PostgreSQL knows when it plans is hashed: half the time of a join with it.
    const list = "string_to_array(CAST($1 AS text), CAST($2 AS text))";
    return {
      condition: (person) => memberSql[sources.personType](person, list),
      values: [taking.join(this.#separator), this.#separator],
    };
  }

  async #read(hashes: Uint8Array, sources: DatasetSources, session: Session): Promise<void> {
    const bytes = Buffer.from(hashes);
    const numbers = new Map<string, number>();
    for (let number = 0; number * personHashBytes < bytes.length; number++)
      numbers.set(bytes.toString("latin1", number * personHashBytes, (number + 1) * personHashBytes), number);
    const selects = [...sources.tables.values()].map((table) => {
      const conditions = somebodySql(table, "t");
      const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
      return `SELECT CAST(${personSql(table, sources.personType, "t")} AS text) FROM ${table.from} AS t${where}`;
    });
    const persons = new Map<number, string>();
    for (const [person] of await session.rows(
      `${selects.join(" UNION ")}${selects.length === 1 ? " GROUP BY 1" : ""}`,
    )) {
      const hash = Buffer.from(personHash(this.#secret, this.#dataset, person!)).toString("latin1");
      const number = numbers.get(hash);
      if (number !== undefined) persons.set(number, person!);
    }
    this.#persons = persons;
    this.#separator = separatorFor(persons.values());
  }
}

/** Of the control characters, one that no person's text has; then of all others. */
function separatorFor(persons: Iterable<string>): string {
  const used = new Set<string>();
  for (const person of persons) for (const character of person) used.add(character);
  for (let code = 1; code < 0xd800; code++) {
    const character = String.fromCharCode(code);
    if (!used.has(character)) return character;
  }
  throw new Error("the people's texts use every character");
}
