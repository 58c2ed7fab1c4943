/** Bytes as lower-case hexadecimal with 0x: the one text form of bytes in every document of the project. */
import { createHash } from "node:crypto";
import { assert } from "./assert.ts";

/** `0x` and an even number of lower-case hexadecimal digits. */
export type Hex = string;

export const hexPattern = /^0x(?:[0-9a-f]{2})*$/;
export const hash32Pattern = /^0x[0-9a-f]{64}$/;
export const addressPattern = /^0x[0-9a-f]{40}$/;
export const zeroHash: Hex = `0x${"00".repeat(32)}`;

export function toHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`;
}

/** The text must match `hexPattern`: whoever reads from outside checks it there. */
export function fromHex(hex: Hex): Uint8Array {
  assert(hexPattern.test(hex), "the text is lower-case hexadecimal");
  return new Uint8Array(Buffer.from(hex.slice(2), "hex"));
}

export function sha256(data: Uint8Array | string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(data).digest());
}

export function sha256Hex(data: Uint8Array | string): Hex {
  return toHex(sha256(data));
}
