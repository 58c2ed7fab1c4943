// What a running repository and a running directory answer over HTTPS, right, wrong and hostile.
import { expect } from "chai";
import { accountKeyOf } from "../../node/adapters/keys/account-key.ts";
import { isGenuineBudget } from "../../node/data-sharing/budget-statement.ts";
import { catalogueHash, catalogueStruct, type SignedCatalogue } from "../../node/data-sharing/catalogue.ts";
import type { DatasetOffer } from "../../node/data-sharing/discover.ts";
import { algorithmHash } from "../../node/data-sharing/manifests/algorithm-manifest.ts";
import { ProofKey } from "../../node/data-sharing/proof-key.ts";
import { type QuestionRequest, requestStruct } from "../../node/data-sharing/question-request.ts";
import type { RunningNode } from "../../node/node.ts";
import { canonicalJson } from "../../node/primitives/canonical-json.ts";
import { sha256Hex } from "../../node/primitives/hex.ts";
import { MerkleTree } from "../../node/primitives/merkle.ts";
import { expectCode } from "../support/errors.ts";
import { call, until } from "../support/https-call.ts";
import { type Network, passphrase, startNetwork, type TestNode } from "../support/network.ts";
import { algorithm, research } from "../support/repository-world.ts";

const json = { "content-type": "application/json" };
const question = { algorithm, parameters: { minimum_age: 31 }, purpose: research };

describe("a running repository and a running directory", function () {
  this.timeout(120_000);
  let network: Network;
  let repository: TestNode;
  let running: RunningNode;
  let directory: RunningNode;
  let offer: DatasetOffer;
  let asker: ReturnType<Network["querier"]>["account"];
  let questions = 0;

  before(async () => {
    network = await startNetwork({ strangers: 4 });
    asker = network.querier().account;
    directory = await (await network.startDirectory()).start();
    repository = await network.startRepository();
    running = await repository.start();
    await network.publishAlgorithm(algorithm);
    [offer] = (await until(async () => {
      const { offers } = await network.discover("wages");
      return offers.length === 1 && offers;
    }, "the dataset is found")) as [DatasetOffer];
  });
  after(() => network?.close());

  /** A signed request with its key, as a client of its own would make it. */
  async function request(over: Partial<QuestionRequest>, account: typeof asker) {
    const key = await ProofKey.create();
    const { signer } = accountKeyOf(account);
    const content: QuestionRequest = {
      question: sha256Hex(`question ${++questions}`),
      querier: signer.address,
      repository: offer.repository,
      dataset: offer.dataset,
      algorithm: algorithmHash(algorithm),
      parameters: { minimum_age: 44 },
      purpose: research,
      keyThumbprint: key.thumbprint,
      expiresS: Math.floor(Date.now() / 1000) + 120,
      ...over,
    };
    const signature = await signer.sign(requestStruct(network.deployment, content));
    return { key, signed: { request: content, signature } };
  }
  const authorisations = "POST /v1/data-sharing/authorisations";
  const answers = "POST /v1/data-sharing/answers";
  const proofFor = (key: ProofKey, path: string, token?: string, endpoint = running.endpoint) =>
    key.prove("POST", `${endpoint}/v1/data-sharing/${path}`, Date.now(), String(Math.random()), token);

  it("gives the same bytes for the same question again, also under a new proof", async () => {
    const { key, signed } = await request({}, asker);
    const authorise = async () => {
      const dpop = await proofFor(key, "authorisations");
      return await call(running.endpoint, authorisations, {
        headers: { ...json, dpop },
        body: canonicalJson(signed),
      });
    };
    const first = await authorise();
    expect(first.status, first.text).to.equal(200);
    expect(first.headers["content-type"]).to.equal("application/json");
    expect((await authorise()).text).to.equal(first.text);
    const { token } = first.json;
    const answer = async (over: Record<string, string> = {}) => {
      const dpop = await proofFor(key, "answers", token);
      return await call(running.endpoint, answers, {
        headers: { authorization: `DPoP ${token}`, dpop, ...over },
      });
    };
    const answered = await answer();
    expect(answered.status, answered.text).to.equal(200);
    expect((await answer()).text).to.equal(answered.text);

    const replayed = await proofFor(key, "answers", token);
    const headers = { authorization: `DPoP ${token}`, dpop: replayed };
    expect((await call(running.endpoint, answers, { headers })).status).to.equal(200);
    expect((await call(running.endpoint, answers, { headers })).json.code).to.equal("proof_replayed");
    expect((await answer({ authorization: `Bearer ${token}` })).json.code).to.equal("token_invalid");
    expect((await answer({ authorization: `DPoP ${token}x` })).json.code).to.equal("token_invalid");
    const other = await ProofKey.create();
    const stolen = await proofFor(other, "answers", token);
    expect((await answer({ dpop: stolen })).json.code).to.equal("proof_invalid");
    const elsewhere = await proofFor(key, "answers", token, "https://elsewhere.example");
    expect((await answer({ dpop: elsewhere })).json.code).to.equal("proof_invalid");
  });

  it("refuses a question without proof, altered, or signed by nobody it knows", async () => {
    const { key, signed } = await request({}, asker);
    const send = async (body: string, dpop?: string) =>
      (await call(running.endpoint, authorisations, {
        headers: { ...json, ...(dpop === undefined ? {} : { dpop }) },
        body,
      })) as { json: { code: string; fields: object; reply?: unknown }; status: number };
    expect((await send(canonicalJson(signed))).json).to.deep.include({
      code: "request_invalid",
      fields: { "header.DPoP": "Invalid input: expected string, received undefined" },
    });
    const altered = { ...signed, request: { ...signed.request, parameters: { minimum_age: 45 } } };
    expect((await send(canonicalJson(altered), await proofFor(key, "authorisations"))).json.code).to.equal(
      "signature_invalid",
    );
    const stranger = await request({}, network.take("stranger"));
    const refused = await send(
      canonicalJson(stranger.signed),
      await proofFor(stranger.key, "authorisations"),
    );
    expect(refused.json.code).to.equal("querier_not_certified");
    expect(refused.json).to.not.have.property("reply");
    const twice = canonicalJson(signed).replace('"purpose":', '"purpose":"dpv:Marketing","purpose":');
    expect((await send(twice, await proofFor(key, "authorisations"))).json.code).to.equal("invalid_json");
  });

  it("sends a logged refusal with its document, which the querier keeps as a receipt", async () => {
    const { key, signed } = await request({ purpose: "dpv:Marketing" }, asker);
    const dpop = await proofFor(key, "authorisations");
    const headers = { ...json, dpop };
    const answer = await call(running.endpoint, authorisations, { headers, body: canonicalJson(signed) });
    expect(answer.status).to.equal(403);
    expect(answer.headers["content-type"]).to.equal("application/problem+json");
    expect(answer.json).to.include({
      type: "urn:itd:error:purpose_not_permitted",
      code: "purpose_not_permitted",
    });
    expect(answer.json.reply.transcript).to.include({ outcome: "refused", refusal: "purpose_not_permitted" });

    const { querier } = network.querier(asker);
    const ended = await querier.ask({ ...question, purpose: "dpv:Marketing" }, offer).catch((error) => error);
    expect(ended.answer, String(ended)).to.equal(null);
    expect(ended.transcript.refusal).to.equal("purpose_not_permitted");
    const entry = await until(async () => {
      const path = `GET /v1/data-sharing/questions/${ended.transcript.request.question}/entry`;
      const { json: status } = await call(running.endpoint, path);
      return status.anchor !== null && status;
    }, "the refusal is anchored");
    expect(entry.querierSignature).to.equal(ended.receipt.querierSignature);
  });

  it("takes no second signature, and none of somebody else", async () => {
    const { querier } = network.querier(asker);
    const { transcript } = await querier.ask(question, offer);
    const path = `POST /v1/data-sharing/questions/${transcript.request.question}/countersignature`;
    const signature = await accountKeyOf(network.take("stranger")).signer.sign(
      requestStruct(network.deployment, transcript.request),
    );
    const refused = await call(running.endpoint, path, {
      headers: json,
      body: JSON.stringify({ signature }),
    });
    expect(refused.json).to.include({ status: 401, code: "signature_invalid" });
    const unknown = `GET /v1/data-sharing/questions/${sha256Hex("nobody")}/entry`;
    expect((await call(running.endpoint, unknown)).json).to.include({
      status: 404,
      code: "question_unknown",
    });
    expect((await call(running.endpoint, "GET /v1/data-sharing/questions/0x12/entry")).status).to.equal(400);
  });

  it("signs what is left of a budget", async () => {
    const path = `GET /v1/data-sharing/datasets/${offer.dataset}/budget`;
    const before = (await call(running.endpoint, path)).json;
    expect(isGenuineBudget(network.deployment, offer.repository, before)).to.equal(true);
    const lie = { ...before, spentMicroRho: "1" };
    expect(isGenuineBudget(network.deployment, offer.repository, lie)).to.equal(false);
    const { querier } = network.querier(asker);
    await querier.ask({ ...question, parameters: { minimum_age: 50 } }, offer);
    const after = (await call(running.endpoint, path)).json;
    expect(BigInt(after.spentMicroRho) - BigInt(before.spentMicroRho)).to.equal(BigInt(algorithm.microRho));
    expect(await network.peers.budget(offer.peer, offer.dataset)).to.include({ dataset: offer.dataset });
    const unknown = `GET /v1/data-sharing/datasets/${sha256Hex("x")}/budget`;
    expect((await call(running.endpoint, unknown)).json.code).to.equal("dataset_unknown");
  });

  it("shows its batches with the leaves of their trees, and nobody's signature", async () => {
    const { json: page } = await call(running.endpoint, "GET /v1/ledger/batches?limit=100");
    const sequences = page.batches.map(({ sequence }: { sequence: number }) => sequence);
    expect(sequences).to.deep.equal([...sequences].sort((a, b) => b - a));
    const { sequence } = page.batches.find(({ entryCount }: { entryCount: number }) => entryCount > 0);
    const { json: whole, text } = await call(running.endpoint, `GET /v1/ledger/batches/${sequence}`);
    const tree = new MerkleTree();
    for (const leaf of whole.leaves) tree.append(Buffer.from(leaf.slice(2), "hex"));
    expect(`0x${Buffer.from(tree.root()).toString("hex")}`).to.equal(whole.batch.root);
    expect(text).to.not.match(/[sS]ignature/);
    const onChain = await network.ledger.anchorOf(running.address, sequence);
    expect(onChain?.root).to.equal(whole.batch.root);
    for (const query of ["limit=101", "limit=-1", "offset=x", "limit=1&limit=2"])
      expect((await call(running.endpoint, `GET /v1/ledger/batches?${query}`)).status, query).to.equal(400);
    expect((await call(running.endpoint, "GET /v1/ledger/batches/999999")).json.code).to.equal("not_found");
  });

  it("says that it is well, and how much it does", async () => {
    expect((await call(running.endpoint, "GET /health")).json).to.deep.equal({ status: "ok" });
    expect((await call(running.endpoint, "GET /ready")).json).to.deep.equal({ ready: true, reasons: [] });
    const { text, headers } = await call(running.endpoint, "GET /metrics");
    expect(headers["content-type"]).to.match(/^text\/plain/);
    expect(text).to.match(/itd_questions_total\{step="answer",outcome="answered",code=""\} [1-9]/);
    expect(text).to.match(
      /itd_questions_total\{step="authorise",outcome="refused",code="purpose_not_permitted"\} [1-9]/,
    );
    expect(text).to.match(/itd_batches_anchored [1-9]/);
    expect(text).to.match(/itd_chain_head [1-9]/);
    expect(text).to.match(/itd_budget_spent_micro_rho\{dataset="wages"\} [1-9]/);
    expect(text).to.match(/process_resident_memory_bytes/);
    expect(text).to.not.include(asker.address.toLowerCase());
    const { json: document } = await call(running.endpoint, "GET /openapi.json");
    expect(document.paths).to.include.keys("/v1/data-sharing/answers", "/openapi.json");
    expect(document.paths).to.not.include.keys("/v1/directory/datasets");
  });

  it("takes a catalogue into the directory only as it stands on the chain", async () => {
    const push = (catalogue: unknown) =>
      call(directory.endpoint, "POST /v1/directory/catalogues", {
        headers: json,
        body: canonicalJson(catalogue),
      });
    const genuine = (await network.peers.catalogue(offer.peer)) as SignedCatalogue;
    expect((await push(genuine)).status).to.equal(200);
    const altered = structuredClone(genuine);
    altered.catalogue["dct:publisher"] = "Somebody Else";
    expect((await push(altered)).json.code).to.equal("catalogue_invalid");
    const { signer } = accountKeyOf(repository.account);
    altered.signature = await signer.sign(catalogueStruct(network.deployment, altered.catalogue));
    expect((await push(altered)).json.fields.reason).to.match(/not the one whose hash/);
    const stranger = accountKeyOf(network.take("stranger")).signer;
    const forged = structuredClone(genuine);
    forged.catalogue.repository = stranger.address;
    forged.catalogue["dcat:dataset"] = [];
    forged.signature = await stranger.sign(catalogueStruct(network.deployment, forged.catalogue));
    expect((await push(forged)).json.fields.reason).to.match(/not certified/);
    expect((await push({ ...genuine, more: 1 })).json.code).to.equal("request_invalid");
    const entry = await network.directory.entry(running.address, "repository");
    expect(entry?.metadataHash).to.equal(catalogueHash(genuine.catalogue));
  });

  it("keeps manifests only under their hash, and only of algorithms on the chain", async () => {
    const hash = algorithmHash(algorithm);
    const put = (path: string, body: string, mediaType = "application/yaml") =>
      call(directory.endpoint, `PUT /v1/directory/algorithms/${path}`, {
        headers: { "content-type": mediaType },
        body,
      });
    const text = canonicalJson(algorithm);
    expect((await put(hash, text)).status).to.equal(200);
    expect(
      await network.peers.manifest({ ...directory, tlsFingerprint: directory.fingerprint }, hash),
    ).to.equal(text);
    const other = { ...algorithm, sql: algorithm.sql.replace("AVG", "SUM") };
    expect((await put(hash, canonicalJson(other))).json.code).to.equal("manifest_invalid");
    expect((await put(algorithmHash(other), canonicalJson(other))).json.code).to.equal("algorithm_unknown");
    expect((await put(hash, text.replace('"name":', '"name":"x","name":'))).json.code).to.equal(
      "manifest_invalid",
    );
    expect((await put(hash, "x".repeat(1024 * 1024 + 1))).json.code).to.equal("body_too_large");
    expect((await put(hash, text, "application/json")).json.code).to.equal("media_type");
    const missing = await call(directory.endpoint, `GET /v1/directory/algorithms/${sha256Hex("none")}`);
    expect(missing.json).to.include({ status: 404, code: "algorithm_unknown" });
  });

  it("finds datasets by all their words, and nothing by others", async () => {
    const count = async (text: string) => (await network.discover(text)).offers.length;
    expect(await count("")).to.equal(1);
    expect(await count("WAGES wages")).to.equal(1);
    expect(await count("wages submarine")).to.equal(0);
    const long = await call(directory.endpoint, `GET /v1/directory/datasets?search=${"x".repeat(201)}`);
    expect(long.status).to.equal(400);
  });

  it("meets each attack on the wire with a problem, and goes on", async () => {
    const attacks: [string, Record<string, string>, string | undefined, number][] = [
      [authorisations, { ...json, dpop: "x" }, "{".repeat(100), 400],
      [authorisations, { ...json, dpop: "x" }, `{"a":${"[".repeat(40)}${"]".repeat(40)}}`, 400],
      [authorisations, { ...json, dpop: "x" }, '{"__proto__":{"request":1}}', 400],
      [authorisations, { ...json, dpop: "x" }, `"${"x".repeat(70_000)}"`, 413],
      [authorisations, { "content-type": "text/xml", dpop: "x" }, "<a/>", 415],
      [answers, { authorization: "DPoP a.b.c", dpop: "x" }, undefined, 401],
      [answers, { dpop: "x" }, undefined, 400],
      [answers, { authorization: "DPoP a.b.c", dpop: "x", ...json }, "{}", 400],
      ["GET /v1/data-sharing/catalogue/../../../etc/passwd", {}, undefined, 404],
      ["DELETE /v1/data-sharing/catalogue", {}, undefined, 405],
      ["GET /v1/directory/datasets?search=x", {}, undefined, 404],
    ];
    for (const [what, headers, body, status] of attacks) {
      const answer = await call(running.endpoint, what, { headers, ...(body === undefined ? {} : { body }) });
      expect(answer.status, what).to.equal(status);
      expect(answer.headers["content-type"]).to.equal("application/problem+json");
      expect(answer.text).to.not.match(/\.ts\b|node_modules|\bat [\w#.]+ \(|Error:/);
    }
    expect((await call(running.endpoint, "GET /ready")).status).to.equal(200);
  });

  it("wants the certificate on the chain: another one gets no question", async () => {
    const { querier } = network.querier(asker);
    const impostor = { ...offer, peer: { ...offer.peer, tlsFingerprint: sha256Hex("other") } };
    const error = await expectCode(() => querier.ask(question, impostor), "peer_certificate");
    expect(error.message).to.include(running.endpoint);
  });

  it("has written no secret, parameter, signature or row into its log", async () => {
    const { key, signed } = await request({ parameters: { minimum_age: 47 } }, asker);
    const dpop = await proofFor(key, "authorisations");
    const body = canonicalJson(signed);
    const { json: authorised } = await call(running.endpoint, authorisations, {
      headers: { ...json, dpop },
      body,
    });
    const proof = await proofFor(key, "answers", authorised.token);
    const headers = { authorization: `DPoP ${authorised.token}`, dpop: proof };
    const { json: answered } = await call(running.endpoint, answers, { headers });
    const lines = repository.log.join("");
    expect(repository.log.length).to.be.greaterThan(20);
    for (const line of repository.log) expect(() => JSON.parse(line)).to.not.throw();
    expect(lines).to.include("POST /v1/data-sharing/answers");
    const secrets = [
      passphrase,
      (repository.account as { privateKey?: string }).privateKey!.slice(2),
      authorised.token,
      authorised.token.split(".")[2],
      dpop,
      proof,
      signed.signature.slice(2),
      answered.repositorySignature.slice(2),
      answered.promise.signature.slice(2),
      answered.transcript.salt.slice(2),
      signed.request.question.slice(2),
      asker.address.slice(2).toLowerCase(),
      "minimum_age",
      "SELECT",
      "person-1",
      "PRIVATE KEY",
    ];
    for (const secret of secrets) expect(lines.toLowerCase(), secret).to.not.include(secret.toLowerCase());
  });
});
