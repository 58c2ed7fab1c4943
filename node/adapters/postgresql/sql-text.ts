/** The few ways in which text from outside becomes part of a statement. */
import { assert } from "../../primitives/assert.ts";

/** PostgreSQL cuts longer names off, so that two could become one. */
const identifierBytesMax = 63;

/** A name of the database, as PostgreSQL reads it in double quotes. */
export function quoted(name: string): string {
  assert(name !== "" && !name.includes("\0"), "a name is not empty");
  assert(Buffer.byteLength(name) <= identifierBytesMax, "a name is no longer than PostgreSQL's");
  return `"${name.replaceAll('"', '""')}"`;
}

/** A constant text. A backslash has no meaning here: `standard_conforming_strings` is set for every transaction. */
export function textLiteral(text: string): string {
  assert(!text.includes("\0"), "PostgreSQL's texts hold no NUL");
  return `'${text.replaceAll("'", "''")}'`;
}

/** A whole number of any size. Below 2^31 PostgreSQL takes it as integer, below 2^63 as bigint, beyond as numeric. */
export function numberLiteral(value: bigint): string {
  return value < 0n ? `(${value})` : String(value);
}

/** In the type in which it is computed with. */
export function typed(value: bigint, type: NumberType): string {
  return `CAST(${numberLiteral(value)} AS ${type})`;
}

/** bigint is PostgreSQL's 64-bit integer; its numeric has no bound that any plan comes near, and no rounding where nothing is divided. */
export type NumberType = "bigint" | "numeric";

/** Values below 2^62 are computed in 64 bits, all others exactly. */
export function typeFor(reach: bigint): NumberType {
  return reach < 1n << 62n ? "bigint" : "numeric";
}
