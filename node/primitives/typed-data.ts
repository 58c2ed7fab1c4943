/**
 * Signatures over typed data (EIP-712) by accounts (ECDSA over secp256k1), in one encoding only: 65 bytes r, s, v in lower-case
 * hexadecimal, s in the lower half (EIP-2), v 27 or 28. A second encoding of the same signature would let a log entry be altered unnoticed.
 */
import { TypedDataEncoder, verifyTypedData } from "ethers";
import { type Hex, hexPattern } from "./hex.ts";

export interface TypedDomain {
  name: string;
  version: string;
  chainId: bigint;
  verifyingContract: Hex;
}

export type TypedFields = { name: string; type: string }[];

export interface TypedStruct {
  domain: TypedDomain;
  types: Record<string, TypedFields>;
  message: Record<string, string | number | bigint>;
}

/** The curve's order, halved. */
const sMax = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

export function isCanonicalSignature(signature: string): boolean {
  if (signature.length !== 132 || !hexPattern.test(signature)) return false;
  const s = BigInt(`0x${signature.slice(66, 130)}`);
  const v = signature.slice(130);
  return s > 0n && s <= sMax && (v === "1b" || v === "1c");
}

/** The account that signed, in lower case; undefined if the signature is not canonical or belongs to no account. */
export function signerOf(struct: TypedStruct, signature: string): Hex | undefined {
  if (!isCanonicalSignature(signature)) return undefined;
  try {
    return verifyTypedData(struct.domain, struct.types, struct.message, signature).toLowerCase();
  } catch {
    return undefined;
  }
}

export function typedDataHash(struct: TypedStruct): Hex {
  return TypedDataEncoder.hash(struct.domain, struct.types, struct.message);
}
