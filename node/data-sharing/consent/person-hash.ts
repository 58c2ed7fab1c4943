/**
 * How a repository knows a person without a name: HMAC-SHA-256 (RFC 2104) of the value in the dataset's person column under a secret of
 * the repository, cut to 128 bits. Stays the same over imports, so that an enrolment does; differs between datasets, so that nobody who
 * reads two data files can join them by it. Whoever has the secret can try names: it is as private as the data.
 */
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { assert } from "../../primitives/assert.ts";
import type { PeopleFilter } from "../ports.ts";

export const personSecretBytes = 32;
/** Half of the hash's length, the least that RFC 2104 (section 5) allows. */
export const personHashBytes = 16;

/** What goes before the person's text; a dataset's name holds no line feed, so that no two pairs share a message. */
export function personHashPrefix(dataset: string): string {
  return `${dataset}\n`;
}

/** Made ready once, as that takes five times as long as a hash. */
const keys = new WeakMap<Uint8Array, KeyObject>();

export function personHash(secret: Uint8Array, dataset: string, person: string): Uint8Array {
  assert(secret.length === personSecretBytes, "the secret has 32 bytes");
  const message = `${personHashPrefix(dataset)}${person}`;
  const key = keys.get(secret) ?? createSecretKey(secret);
  keys.set(secret, key);
  return createHmac("sha256", key).update(message).digest().subarray(0, personHashBytes);
}

/** For engines that look at one person after the other. */
export function takesPartBy(people: PeopleFilter): (hash: Uint8Array) => boolean {
  const hashes = Buffer.from(people.hashes());
  const bits = people.takingPart();
  const numbers = new Map<string, number>();
  for (let i = 0; i * personHashBytes < hashes.length; i++)
    numbers.set(hashes.toString("hex", i * personHashBytes, (i + 1) * personHashBytes), i);
  return (hash) => {
    const number = numbers.get(Buffer.from(hash).toString("hex"));
    return number !== undefined && ((bits[number >> 3]! >> (number & 7)) & 1) === 1;
  };
}
