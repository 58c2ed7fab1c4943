/**
 * Bits for a table's people, in which PostgreSQL looks up at each row whether its person takes part: some 50 ns, where a look into a list of
 * a million costs ten times that.
 *
 * Integers that lie close together have a bit each, so that nobody else has it. All others share the bit of their hash: it is set where
 * everybody known who has it takes part, and those of a shared bit who do where another does not are listed by name. That is right for people
 * who are known, and says nothing of others.
 */
import type { PersonType } from "./dataset-tables.ts";
import { binaryTextArray } from "./text-array.ts";

export interface TakesPart {
  /** SQL that is true for a person, also as SQL, who takes part. */
  condition: (person: string) => string;
  /** The parameters in it; every statement with a table has them. */
  values: unknown[];
}

/** Of a person's hash, what is kept. */
export const hashBits = 30;
/** Bits for each person, so that few share one. */
const hashedBitsPerPerson = 16;
/** Integers may lie so far apart: a megabyte for a million people is 8. */
const integerBitsPerPerson = 64;
const bitsMin = 1 << 16;
const bitsMax = 2 ** hashBits;

export interface Places {
  kind: "integers" | "hashes";
  /** The person of the first bit. */
  low: number;
  bits: number;
  /** By person. */
  places: Uint32Array;
}

const hashFunctions: Record<PersonType, (person: string) => string> = {
  text: (person) => `hashtextextended(${person}, 0)`,
  integer: (person) => `hashint8extended(CAST(${person} AS bigint), 0)`,
  uuid: (person) => `uuid_hash_extended(${person}, 0)`,
};

/** The least bits of the hash by which PostgreSQL partitions. */
export function hashSql(person: string, type: PersonType, bits: number): string {
  return `(${hashFunctions[type](person)} & ${bits - 1})`;
}

const memberSql: Record<PersonType, (person: string, list: string) => string> = {
  text: (person, list) => `${person} = ANY (CAST(${list} AS text[]))`,
  integer: (person, list) => `CAST(${person} AS bigint) = ANY (CAST(CAST(${list} AS text[]) AS bigint[]))`,
  uuid: (person, list) => `${person} = ANY (CAST(CAST(${list} AS text[]) AS uuid[]))`,
};

/** @param hashes By person: `hashBits` of them. */
export function placesOf(type: PersonType, persons: readonly string[], hashes: readonly number[]): Places {
  return (type === "integer" && integerPlaces(persons)) || hashPlaces(hashes);
}

function integerPlaces(persons: readonly string[]): Places | undefined {
  const count = persons.length;
  const integers = new Float64Array(count);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const [at, person] of persons.entries()) {
    const integer = Number(person);
    if (!Number.isSafeInteger(integer)) return undefined;
    integers[at] = integer;
    if (integer < low) low = integer;
    if (integer > high) high = integer;
  }
  if (count === 0) return undefined;
  const bits = high - low + 1;
  if (bits > Math.min(bitsMax, Math.max(bitsMin, integerBitsPerPerson * count))) return undefined;
  return { kind: "integers", low, bits, places: Uint32Array.from(integers, (integer) => integer - low) };
}

function hashPlaces(hashes: readonly number[]): Places {
  const bits = Math.min(
    bitsMax,
    Math.max(bitsMin, 2 ** Math.ceil(Math.log2(hashedBitsPerPerson * hashes.length + 1))),
  );
  return { kind: "hashes", low: 0, bits, places: Uint32Array.from(hashes, (hash) => hash & (bits - 1)) };
}

/** @param taking By person: 1 for one who takes part, else 0. */
export function byBits(
  type: PersonType,
  { kind, low, bits, places }: Places,
  taking: Uint8Array,
  persons: readonly string[],
): TakesPart {
  const map = Buffer.alloc((bits >> 3) + 1);
  for (let at = 0; at < places.length; at++) map[places[at]! >> 3]! |= taking[at]! << (places[at]! & 7);
  const isSet = (place: string) => `get_bit(CAST($1 AS bytea), ${place}) = 1`;
  if (kind === "integers")
    return {
      // A condition whose chance the planner does not think it knows, or it takes few rows for granted.
      condition: (person) =>
        `CASE WHEN ${person} BETWEEN ${low} AND ${low + bits - 1} THEN ${isSet(`CAST(${person} AS bigint) - (${low})`)} ELSE false END`,
      values: [map],
    };
  for (let at = 0; at < places.length; at++)
    map[places[at]! >> 3]! &= ~((1 - taking[at]!) << (places[at]! & 7));
  const listed = persons.filter(
    (_, at) => taking[at] === 1 && ((map[places[at]! >> 3]! >> (places[at]! & 7)) & 1) === 0,
  );
  return {
    condition: (person) =>
      `CASE WHEN ${isSet(hashSql(person, type, bits))} THEN true ELSE ${memberSql[type](person, "$2")} END`,
    values: [map, binaryTextArray(listed)],
  };
}

/** Right for people who are not known, too: they take no part. */
export function byList(type: PersonType, taking: Uint8Array, persons: readonly string[]): TakesPart {
  const listed = persons.filter((_, at) => taking[at] === 1);
  return { condition: (person) => memberSql[type](person, "$1"), values: [binaryTextArray(listed)] };
}
