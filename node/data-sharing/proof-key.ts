/** The querier's key for one question, and the proofs of possession that it makes (DPoP, RFC 9449, section 4.2). Never leaves the process. */
import type { webcrypto } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { sha256 } from "../primitives/hex.ts";

export class ProofKey {
  readonly #privateKey: webcrypto.CryptoKey;
  readonly #jwk: JWK;
  readonly thumbprint: string;

  private constructor(privateKey: webcrypto.CryptoKey, jwk: JWK, thumbprint: string) {
    this.#privateKey = privateKey;
    this.#jwk = jwk;
    this.thumbprint = thumbprint;
  }

  static async create(): Promise<ProofKey> {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const jwk = await exportJWK(publicKey);
    return new ProofKey(privateKey, jwk, await calculateJwkThumbprint(jwk, "sha256"));
  }

  async prove(method: string, url: string, nowMs: number, id: string, token?: string): Promise<string> {
    const ath = token === undefined ? {} : { ath: Buffer.from(sha256(token)).toString("base64url") };
    return await new SignJWT({ htm: method, htu: url, ...ath })
      .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: this.#jwk })
      .setJti(id)
      .setIssuedAt(Math.floor(nowMs / 1000))
      .sign(this.#privateKey);
  }
}
