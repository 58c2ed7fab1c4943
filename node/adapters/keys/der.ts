/** As much of DER (ITU-T X.690) as a certificate takes: only written, never read. */
import { isIP } from "node:net";
import { assert } from "../../primitives/assert.ts";

export function sequence(...items: readonly Uint8Array[]): Buffer {
  return tagged(0x30, ...items);
}

export function set(...items: readonly Uint8Array[]): Buffer {
  return tagged(0x31, ...items);
}

/** Tag, length, content. */
export function tagged(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

/** From the bytes of an unsigned number, big-endian. */
export function integer(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start === -1 ? Uint8Array.of(0) : bytes.subarray(start);
  return tagged(0x02, Uint8Array.of(...(digits[0]! >= 0x80 ? [0] : [])), digits);
}

export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return tagged(0x03, Uint8Array.of(unusedBits), bytes);
}

export function octetString(bytes: Uint8Array): Buffer {
  return tagged(0x04, bytes);
}

export function boolean(value: boolean): Buffer {
  return tagged(0x01, Uint8Array.of(value ? 0xff : 0));
}

export function utf8String(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text, "utf8"));
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280, section 4.1.2.5). */
export function time(timeMs: number): Buffer {
  const digits = `${new Date(timeMs).toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`;
  const isEarly = digits < "2050";
  return tagged(isEarly ? 0x17 : 0x18, Buffer.from(isEarly ? digits.slice(2) : digits, "ascii"));
}

/** A name of a subject: an IP address as bytes, anything else as a DNS name (RFC 5280, section 4.2.1.6). */
export function generalName(name: string): Buffer {
  if (isIP(name) === 0) return tagged(0x82, Buffer.from(name, "ascii"));
  return tagged(0x87, isIP(name) === 4 ? Buffer.from(name.split(".").map(Number)) : ipv6Bytes(name));
}

function ipv6Bytes(address: string): Buffer {
  // The parser of URLs writes every form of an IPv6 address in one way: hexadecimal groups, at most one "::".
  const [left = "", right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groups = (part = "") => part.split(":").filter((group) => group !== "");
  const missing = right === undefined ? 0 : 8 - groups(left).length - groups(right).length;
  const all = [...groups(left), ...Array<string>(missing).fill("0"), ...groups(right)];
  assert(all.length === 8, "an IPv6 address has eight groups");
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const digits = length.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 1 ? `0${digits}` : digits, "hex");
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    digits.unshift((rest % 128) | 0x80);
  }
  return digits;
}
