/** The lab's data as CSV (RFC 4180, line feeds only): none of its values needs quotes. Where the text goes is the caller's affair. */
import { assert } from "../../primitives/assert.ts";

/** The Living Lab's default, and the most that it makes up: 5.3 million trips, 205 MB of CSV. */
export const peopleDefault = 10_000;
export const peopleMax = 1_000_000;

/** Text is handed on in pieces of about this many characters: few writes, little memory. */
const pieceCharacters = 64 * 1024;

/**
 * Writes the lines, each with its line feed, waiting for each piece to be taken before the next is made.
 * @returns the number of lines, the header among them.
 */
export async function writeCsv(
  lines: Iterable<string>,
  write: (text: string) => Promise<void> | void,
): Promise<number> {
  let count = 0;
  let piece = "";
  for (const line of lines) {
    piece += `${line}\n`;
    count++;
    if (piece.length < pieceCharacters) continue;
    await write(piece);
    piece = "";
  }
  if (piece !== "") await write(piece);
  return count;
}

/** Stops where a caller let a number of people through that it should have refused. */
export function assertPeople(people: number): void {
  assert(
    Number.isInteger(people) && people >= 1 && people <= peopleMax,
    `the number of people is from 1 to ${peopleMax}`,
  );
}
