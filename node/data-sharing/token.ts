/**
 * The one-use token (step 2): a JWT (RFC 7519) that is good for one question and only together with a proof of possession of the key that
 * the signed request names (DPoP, RFC 9449). The issuer is its only reader, so it is authenticated by a secret (HS256).
 */
import { createSecretKey } from "node:crypto";
import { calculateJwkThumbprint, EmbeddedJWK, errors, jwtVerify, SignJWT } from "jose";
import { TrustedDataError } from "../errors.ts";
import { type Hex, hash32Pattern, sha256 } from "../primitives/hex.ts";

/** Clocks of querier and repository may differ by this much. */
export const proofAgeMsMax = 60_000;
/** A proof dated ahead passes for twice that time, both ends included; it is remembered for longer (RFC 9449, section 11.1). */
const proofKeptMs = 2 * proofAgeMsMax + 1_000;
/** What a header may hold; a real token has about 500 bytes, a proof about 700. */
const headerBytesMax = 4_096;

export interface TokenClaims {
  repository: Hex;
  querier: Hex;
  question: Hex;
  keyThumbprint: string;
}

export async function issueToken(
  secret: Uint8Array,
  claims: TokenClaims,
  nowMs: number,
  expiresMs: number,
): Promise<string> {
  return await new SignJWT({ cnf: { jkt: claims.keyThumbprint } })
    .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
    .setIssuer(claims.repository)
    .setAudience(claims.repository)
    .setSubject(claims.querier)
    .setJti(claims.question)
    .setIssuedAt(Math.floor(nowMs / 1000))
    .setExpirationTime(Math.ceil(expiresMs / 1000))
    .sign(createSecretKey(secret));
}

/**
 * The claims of a token of this repository. Expiry is not judged here: a stored reply is returned even after it.
 * @throws TrustedDataError `token_invalid`
 */
export async function readToken(secret: Uint8Array, repository: Hex, token: string): Promise<TokenClaims> {
  if (token.length > headerBytesMax) throw tokenInvalid("it is too long");
  try {
    const { payload } = await jwtVerify(token, createSecretKey(secret), {
      algorithms: ["HS256"],
      typ: "at+jwt",
      issuer: repository,
      audience: repository,
      requiredClaims: ["sub", "jti", "exp", "cnf"],
      currentDate: new Date(0),
    });
    const jkt = (payload.cnf as { jkt?: unknown }).jkt;
    if (typeof jkt !== "string" || !hash32Pattern.test(payload.jti!))
      throw tokenInvalid("a claim is malformed");
    return { repository, querier: payload.sub!, question: payload.jti!, keyThumbprint: jkt };
  } catch (error) {
    if (error instanceof errors.JOSEError) throw tokenInvalid("this repository did not issue it");
    throw error;
  }
}

/** A DPoP proof as it came in: the header, and the request that it must be made for. */
export interface PresentedProof {
  proof: string;
  method: string;
  /** Scheme, host and path, without query. */
  url: string;
}

/**
 * Checks a DPoP proof (RFC 9449, section 4.3) and gives the key's thumbprint and the proof's id, which the caller must not accept twice.
 * `token` is the access token that the proof must be bound to, if one is presented with it.
 * @throws TrustedDataError `proof_invalid`
 */
export async function checkProof(
  { proof, method, url }: PresentedProof,
  nowMs: number,
  token?: string,
): Promise<{ keyThumbprint: string; proofId: Hex; expiresMs: number }> {
  if (proof.length > headerBytesMax) throw proofInvalid("it is too long");
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: ["ES256"],
      typ: "dpop+jwt",
      requiredClaims: ["jti", "htm", "htu", "iat"],
      currentDate: new Date(nowMs),
    });
    if (protectedHeader.jwk !== undefined && "d" in protectedHeader.jwk)
      throw proofInvalid("it shows a private key");
    if (payload.htm !== method || payload.htu !== url) throw proofInvalid("it was made for another request");
    if (Math.abs(nowMs - payload.iat! * 1000) > proofAgeMsMax) {
      throw proofInvalid("it is too old or from the future; compare the clocks");
    }
    if (typeof payload.jti !== "string" || payload.jti.length > 100)
      throw proofInvalid("its id is malformed");
    const expected = token === undefined ? undefined : Buffer.from(sha256(token)).toString("base64url");
    if (payload.ath !== expected) throw proofInvalid("it is not bound to this token");
    const keyThumbprint = await calculateJwkThumbprint(protectedHeader.jwk!, "sha256");
    const proofId: Hex = `0x${Buffer.from(sha256(`${keyThumbprint} ${payload.jti}`)).toString("hex")}`;
    return { keyThumbprint, proofId, expiresMs: nowMs + proofKeptMs };
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) {
      throw proofInvalid("it does not verify");
    }
    throw error;
  }
}

function tokenInvalid(reason: string): TrustedDataError {
  return new TrustedDataError("token_invalid", `The token is not accepted: ${reason}.`, { reason });
}

function proofInvalid(reason: string): TrustedDataError {
  return new TrustedDataError("proof_invalid", `The proof of possession (DPoP) is not accepted: ${reason}.`, {
    reason,
  });
}
