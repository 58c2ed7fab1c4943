/** Canonical JSON (RFC 8785): one text, and so one hash, for one value. */
import canonicalize from "canonicalize";
import { assert } from "./assert.ts";
import { type Hex, sha256Hex } from "./hex.ts";

/** The value must be plain JSON: no undefined members, no bigint, no lone surrogates. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  assert(text !== undefined, "the value is plain JSON");
  return text;
}

/** SHA-256 over the canonical text. */
export function canonicalHash(value: unknown): Hex {
  return sha256Hex(canonicalJson(value));
}
