/**
 * The secret under which a repository knows people (data-sharing/consent/person-hash.ts): a file for its owner alone, made when it is first
 * needed. Without it enrolments mean nobody; with it names can be tried. It belongs into the custodian's backup, apart from the data.
 */
import { join } from "node:path";
import { personSecretBytes } from "../../data-sharing/consent/person-hash.ts";
import type { Randomness } from "../../data-sharing/ports.ts";
import { TrustedDataError } from "../../errors.ts";
import { fromHex, toHex } from "../../primitives/hex.ts";
import { readSecretFile, writeSecretFile } from "./secret-file.ts";

/** In the folder of the datasets. */
export const personSecretFile = "person.key";

/** @throws TrustedDataError `key_file_invalid`, `key_file_readable_by_others` */
export async function openPersonSecret(folder: string, randomness: Randomness): Promise<Uint8Array> {
  const file = join(folder, personSecretFile);
  try {
    return await readPersonSecret(file);
  } catch (error) {
    if (!hasCode(error, "key_not_found")) throw error;
  }
  try {
    await writeSecretFile(file, `${toHex(randomness.bytes(personSecretBytes))}\n`);
  } catch (error) {
    // Another command was quicker.
    if (!hasCode(error, "key_exists")) throw error;
  }
  return await readPersonSecret(file);
}

async function readPersonSecret(file: string): Promise<Uint8Array> {
  const text = (await readSecretFile(file)).trim();
  if (/^0x[0-9a-f]{64}$/.test(text)) return fromHex(text);
  throw new TrustedDataError(
    "key_file_invalid",
    `The file ${file} is no secret of 32 bytes; restore it from a backup, or enrol everybody anew without it.`,
    { file },
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof TrustedDataError && error.code === code;
}
