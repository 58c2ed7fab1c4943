import { expect } from "chai";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { ProofKey } from "../../../node/data-sharing/proof-key.ts";
import { checkProof, issueToken, proofAgeMsMax, readToken } from "../../../node/data-sharing/token.ts";
import { expectCode } from "../../support/errors.ts";

const nowMs = Date.UTC(2030, 0, 1);
const secret = new Uint8Array(32).fill(7);
const repository = `0x${"aa".repeat(20)}`;
const claims = {
  repository,
  querier: `0x${"bb".repeat(20)}`,
  question: `0x${"cc".repeat(32)}`,
  keyThumbprint: "t".repeat(43),
};
const url = "https://127.0.0.1:9443/v1/data-sharing/answers";

describe("tokens", () => {
  const issue = (over: Partial<typeof claims> = {}, key = secret) =>
    issueToken(key, { ...claims, ...over }, nowMs, nowMs + 60_000);

  it("say which question they are good for, and for which key", async () => {
    expect(await readToken(secret, repository, await issue())).to.deep.equal(claims);
  });

  it("are refused when altered, unsigned, of another issuer, or too long", async () => {
    const token = await issue();
    const flipped = token.slice(0, -5) + (token.at(-5) === "A" ? "B" : "A") + token.slice(-4);
    const unsigned = new UnsecuredJWT({ cnf: { jkt: claims.keyThumbprint } })
      .setJti(claims.question)
      .encode();
    const foreign = await issue({ repository: `0x${"ab".repeat(20)}` });
    const forged = await issue({}, new Uint8Array(32).fill(8));
    for (const wrong of [flipped, unsigned, foreign, forged, "", "a.b.c", `${token}${"A".repeat(5000)}`]) {
      await expectCode(() => readToken(secret, repository, wrong), "token_invalid");
    }
  });
});

describe("proofs of possession", () => {
  const check = (proof: string, over: { method?: string; url?: string } = {}, atMs = nowMs, token?: string) =>
    checkProof({ proof, method: "POST", url, ...over }, atMs, token);

  it("name the key and have an id", async () => {
    const key = await ProofKey.create();
    const { keyThumbprint, proofId } = await check(await key.prove("POST", url, nowMs, "1"));
    expect(keyThumbprint).to.equal(key.thumbprint);
    expect((await check(await key.prove("POST", url, nowMs, "1"))).proofId).to.equal(proofId);
    expect((await check(await key.prove("POST", url, nowMs, "2"))).proofId).to.not.equal(proofId);
  });

  it("hold for one method, one address, one time and one token", async () => {
    const key = await ProofKey.create();
    const proof = await key.prove("POST", url, nowMs, "1", "token");
    await check(proof, {}, nowMs, "token");
    await expectCode(() => check(proof, { method: "GET" }, nowMs, "token"), "proof_invalid");
    await expectCode(
      () => check(proof, { url: url.replace("9443", "9444") }, nowMs, "token"),
      "proof_invalid",
    );
    await expectCode(() => check(proof, {}, nowMs + proofAgeMsMax + 1_000, "token"), "proof_invalid");
    await expectCode(() => check(proof, {}, nowMs - proofAgeMsMax - 1_000, "token"), "proof_invalid");
    await expectCode(() => check(proof, {}, nowMs, "other token"), "proof_invalid");
    await expectCode(() => check(proof), "proof_invalid");
  });

  it("are remembered for longer than they pass, also when dated ahead", async () => {
    const key = await ProofKey.create();
    const ahead = await key.prove("POST", url, nowMs + proofAgeMsMax, "1");
    const first = await check(ahead);
    const last = nowMs + 2 * proofAgeMsMax;
    expect((await check(ahead, {}, last)).proofId).to.equal(first.proofId);
    await expectCode(() => check(ahead, {}, last + 1), "proof_invalid");
    expect(first.expiresMs).to.be.greaterThan(last);
  });

  it("are refused with a private key inside, another algorithm, or a type of another kind", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const sign = (header: { alg: string; typ?: string; jwk?: object }) =>
      new SignJWT({ htm: "POST", htu: url })
        .setProtectedHeader(header)
        .setJti("1")
        .setIssuedAt(nowMs / 1000)
        .sign(privateKey);
    const jwk = await exportJWK(publicKey);
    const withPrivate = await exportJWK(privateKey);
    await check(await sign({ alg: "ES256", typ: "dpop+jwt", jwk }));
    await expectCode(
      async () => check(await sign({ alg: "ES256", typ: "dpop+jwt", jwk: withPrivate })),
      "proof_invalid",
    );
    await expectCode(async () => check(await sign({ alg: "ES256", typ: "JWT", jwk })), "proof_invalid");
    await expectCode(async () => check(await sign({ alg: "ES256", typ: "dpop+jwt" })), "proof_invalid");
    const symmetric = await new SignJWT({ htm: "POST", htu: url })
      .setProtectedHeader({ alg: "HS256", typ: "dpop+jwt", jwk: jwk })
      .setJti("1")
      .setIssuedAt(nowMs / 1000)
      .sign(secret);
    await expectCode(() => check(symmetric), "proof_invalid");
  });
});
