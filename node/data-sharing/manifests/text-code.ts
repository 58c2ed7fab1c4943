/** The integer that stands for a text of an open domain: plans, which hold integers only, can compare with it. */
import { createHash } from "node:crypto";

/** Characters of a text in an open domain. */
export const openTextLengthMax = 100;

/** The first 60 bits of the SHA-256 of the text's UTF-8. No secret: whoever knows the text knows the code. Two of a million texts share one with a chance of 5e-7. */
export function textCode(text: string): bigint {
  return BigInt(`0x${createHash("sha256").update(text, "utf8").digest("hex").slice(0, 15)}`);
}
