/** Short names (roles, classes of data, frameworks, reasons) as the contracts hold them: at most 31 bytes of text in a bytes32. */
import { decodeBytes32String, encodeBytes32String } from "ethers";
import { TrustedDataError } from "../../errors.ts";
import { assert } from "../../primitives/assert.ts";
import { type Hex, hash32Pattern } from "../../primitives/hex.ts";
import { type MemberRole, memberRoles } from "../../trust-framework/roles.ts";

const printable = /^[\x20-\x7e]{1,31}$/;

/** Takes 32 bytes in hexadecimal as they are, so that a reason may also be the hash of a document. */
export function encodeWord(word: string): Hex {
  if (hash32Pattern.test(word)) return word;
  if (!printable.test(word)) {
    throw new TrustedDataError(
      "parameter_invalid",
      `"${word}" cannot be a name on the chain: use 1 to 31 printable ASCII characters.`,
      { word },
    );
  }
  return encodeBytes32String(word);
}

/** The text, "" for zero, or the hexadecimal digits where the word is no plain text. */
export function decodeWord(word: Hex): string {
  if (/^0x0*$/.test(word)) return "";
  try {
    const text = decodeBytes32String(word);
    return printable.test(text) && encodeBytes32String(text) === word.toLowerCase()
      ? text
      : word.toLowerCase();
  } catch {
    return word.toLowerCase();
  }
}

/** The contracts know the ten roles only. */
export function roleFrom(word: Hex): MemberRole {
  const role = memberRoles.find((name) => name === decodeWord(word));
  assert(role !== undefined, "the contract has ten roles");
  return role;
}
