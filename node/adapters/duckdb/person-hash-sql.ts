/** `personHash` of data-sharing/consent/person-hash.ts as SQL, for the import of a dataset that needs consent: HMAC-SHA-256 spelled out (RFC 2104, section 2). */
import { personHashPrefix, personSecretBytes } from "../../data-sharing/consent/person-hash.ts";
import { assert } from "../../primitives/assert.ts";

/** The hash's 16 bytes as four numbers of 32 bits, the first bytes first: columns that compare fast and are read as they are. */
export const hashColumns = ["hash0_", "hash1_", "hash2_", "hash3_"] as const;

const blockBytes = 64;

/** SQL of the hash of `text` (SQL of a VARCHAR, not NULL) in hexadecimal. Neither secret nor name can end a literal. */
export function personHashSql(secret: Uint8Array, dataset: string, text: string): string {
  assert(secret.length === personSecretBytes, "the secret has 32 bytes");
  assert(/^[a-z0-9_-]+$/.test(dataset), "a dataset's name is plain");
  const key = Buffer.alloc(blockBytes);
  key.set(secret);
  const padded = (pad: number) => `unhex('${Buffer.from(key.map((byte) => byte ^ pad)).toString("hex")}')`;
  const message = Buffer.from(personHashPrefix(dataset)).toString("hex");
  const inner = `unhex(sha256(${padded(0x36)} || unhex('${message}') || encode(${text})))`;
  return `sha256(${padded(0x5c)} || ${inner})`;
}

/** The `at`th of `hashColumns` from the hash in hexadecimal. */
export function hashWordSql(hash: string, at: number): string {
  return `CAST('0x' || substr(${hash}, ${8 * at + 1}, 8) AS UINTEGER)`;
}
