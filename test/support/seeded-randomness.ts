/** Randomness that is the same in each run, so a statistical test cannot fail by chance once it has passed. */
import { createCipheriv } from "node:crypto";
import type { Randomness } from "../../node/data-sharing/ports.ts";

/** AES-CTR from a fixed key. */
export function seededRandomness(seed: number): Randomness {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  const stream = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  return { bytes: (count) => stream.update(Buffer.alloc(count)) };
}

/** These bytes first, whatever they are, then seeded ones. */
export function startingWith(first: Uint8Array, seed = 0): Randomness {
  const rest = seededRandomness(seed);
  let used = 0;
  return {
    bytes: (count) => {
      const given = first.subarray(used, used + count);
      used += given.length;
      return Uint8Array.from([...given, ...rest.bytes(count - given.length)]);
    },
  };
}
