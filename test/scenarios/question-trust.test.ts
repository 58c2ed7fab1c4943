// What the chain takes back between two questions, tokens in the wrong hands, and a budget under 200 hands at once; all over the wire.
import { once } from "node:events";
import { join } from "node:path";
import { createServer, type TLSSocket } from "node:tls";
import { expect } from "chai";
import type { BaseWallet } from "ethers";
import { EthereumAlgorithmWriter } from "../../node/adapters/ethereum/ethereum-algorithm-writer.ts";
import { accountKeyOf } from "../../node/adapters/keys/account-key.ts";
import { createTlsCertificate, openTlsCertificate } from "../../node/adapters/keys/tls-certificate.ts";
import { approvalStruct } from "../../node/data-sharing/approval.ts";
import type { DatasetOffer } from "../../node/data-sharing/discover.ts";
import { algorithmHash } from "../../node/data-sharing/manifests/algorithm-manifest.ts";
import type { Ended, Querier, Question } from "../../node/data-sharing/querier.ts";
import { canonicalJson } from "../../node/primitives/canonical-json.ts";
import { type Hex, sha256Hex } from "../../node/primitives/hex.ts";
import { revokeAlgorithm } from "../../node/trust-framework/council-action.ts";
import {
  answerMicroRho,
  bandAlgorithm,
  bandAlgorithmNamed,
  bandQuestion,
  wagesFor,
} from "../support/band-question.ts";
import { expectCode } from "../support/errors.ts";
import { type RawAnswer, until } from "../support/https-call.ts";
import { passphrase } from "../support/network.ts";
import { freePort, type NodeProcess } from "../support/node-process.ts";
import { failedChecks, ProcessNetwork } from "../support/process-network.ts";
import { readWholeLog } from "../support/whole-log.ts";
import type { WireQuestion } from "../support/wire-question.ts";

/** 200 questions at once take some seconds on a busy machine. */
const tokenLifetimeSeconds = 15;

describe("trust, tokens and budgets over the wire", function () {
  this.timeout(120_000);
  let world: ProcessNetwork;
  let repository: NodeProcess;
  let directory: NodeProcess;
  let account: BaseWallet;
  let querier: Querier;
  let offer: DatasetOffer;
  /** Its budget covers ten answers. */
  let small: DatasetOffer;
  /** Authorised at the start; one of them is answered in time. */
  let used: WireQuestion;
  let unused: WireQuestion;

  before(async () => {
    world = await ProcessNetwork.start({ repositories: 1, directories: 1 });
    const datasets = [await wagesFor(1_000, { reserved: 50 }), await wagesFor(10, { name: "small" })];
    repository = await world.repository({
      datasets,
      settings: { "listen.port": await freePort(), "questions.tokenLifetimeSeconds": tokenLifetimeSeconds },
    });
    directory = await world.directory();
    await Promise.all([repository.start(), directory.start()]);
    ({ account, querier } = world.network.querier());
    await world.publish(bandAlgorithm, [directory]);
    const offers = await world.offers(2);
    offer = offers.find(({ manifest }) => manifest.name === "wages")!;
    small = offers.find(({ manifest }) => manifest.name === "small")!;
    [used, unused] = [await make(3), await make(4)];
    for (const question of [used, unused]) await question.authoriseOnce();
    await used.answerOnce();
  });
  after(() => world.close());

  const make = (i: number, who = account) => world.wireQuestion(bandQuestion(500 + i), offer, who);

  /** One clear code, a sentence, and nothing of the inside. */
  function expectProblem(reply: RawAnswer, status: number, code: string): void {
    expect(reply.json, reply.text).to.include({ status, code, type: `urn:itd:error:${code}` });
    expect(reply.status).to.equal(status);
    expect(reply.headers["content-type"]).to.equal("application/problem+json");
    expect(reply.json.detail).to.match(/\.$/);
    expect(reply.text).to.not.match(/\.ts\b|node_modules|\bat [\w#.]+ \(|Error:/);
  }

  async function expectRefused(question: Question, code: string): Promise<Ended> {
    const ended = await querier.ask(question, offer);
    expect(ended.answer).to.equal(null);
    expect(ended.transcript).to.include({ outcome: "refused", refusal: code, chargeMicroRho: "0" });
    expect(ended.reason).to.match(/\.$/);
    return ended;
  }

  async function answered(question: Question): Promise<void> {
    const { answer, reason } = await querier.ask(question, offer);
    expect(answer, String(reason)).to.not.equal(null);
  }

  describe("an algorithm", () => {
    const writer = () => {
      const { chain, author } = world.network;
      return new EthereumAlgorithmWriter({ chain, sender: world.network.sender(author) });
    };

    it("runs only once it is vetted, and the refusal has a receipt", async () => {
      const unvetted = bandAlgorithmNamed("unvetted");
      const question = bandQuestion(1, unvetted);
      await expectRefused(question, "algorithm_not_approved"); // not even published
      await world.publish(unvetted, [directory], { approved: false });
      const refused = await expectRefused(question, "algorithm_not_approved");
      expect(failedChecks(await world.verified(refused.receipt, offer))).to.deep.equal([]);
      await world.publish(unvetted, [directory]);
      await answered(question);
    });

    it("runs no more in the block after its author revoked it", async () => {
      const revoked = bandAlgorithmNamed("revoked-by-author");
      const hash = await world.publish(revoked, [directory]);
      await answered(bandQuestion(1, revoked));
      await writer().revoke(hash, "a mistake in it");
      const refused = await expectRefused(bandQuestion(2, revoked), "algorithm_revoked");
      expect(failedChecks(await world.verified(refused.receipt, offer))).to.deep.equal([]);
      // Not even the answer that is stored already.
      await expectRefused(bandQuestion(1, revoked), "algorithm_revoked");
    });

    it("runs no more in the block after the council revoked it", async () => {
      const revoked = bandAlgorithmNamed("revoked-by-council");
      const hash = await world.publish(revoked, [directory]);
      await answered(bandQuestion(1, revoked));
      await world.network.decide(revokeAlgorithm(hash, "an order of a court"));
      await expectRefused(bandQuestion(2, revoked), "algorithm_revoked");
    });

    it("runs no more once its approvals have expired", async () => {
      const brief = bandAlgorithmNamed("approved-briefly");
      const hash = await world.publish(brief, [directory], { approved: false });
      const expiresS = (await world.network.ledger.head()).timestampS + 6;
      await approve(hash, expiresS);
      await answered(bandQuestion(1, brief));
      await until(
        async () => (await world.network.ledger.head()).timestampS >= expiresS,
        "the approvals expire",
      );
      const refused = await expectRefused(bandQuestion(2, brief), "algorithm_not_approved");
      expect(refused.reason).to.include("expired");
    });

    async function approve(algorithm: Hex, expiresS: number): Promise<void> {
      for (const vetter of world.network.vetters) {
        const { signer } = accountKeyOf(vetter);
        const terms = { algorithm, vetter: signer.address, expiresS, reviewHash: sha256Hex("review") };
        const signature = await signer.sign(approvalStruct(world.network.deployment, terms));
        await writer().approve(algorithm, signer.address, expiresS, terms.reviewHash, signature);
      }
    }

    it("is served under its own hash only", async () => {
      const lost = bandAlgorithmNamed("never-sent");
      await world.publish(lost, []);
      await expectRefused(bandQuestion(1, lost), "algorithm_unknown");
      const hash = algorithmHash(lost);
      const { peers } = world.network;
      const other = canonicalJson(bandAlgorithmNamed("another"));
      await expectCode(() => peers.pushManifest(directory.peer, hash, other), "manifest_invalid");
    });
  });

  describe("a token", () => {
    it("is refused with another key, for another question, of nobody and of another repository", async () => {
      const [mine, other] = [await make(5), await make(6, world.network.querier().account)];
      await mine.authoriseOnce();
      await other.authoriseOnce();
      // A stolen token, with the thief's own proof over it.
      expectProblem(await other.answerOnce({ token: mine.token }), 401, "proof_invalid");
      // The right key, with a proof that is bound to another token.
      const wrong = await mine.proof("answers", other.token);
      expectProblem(await mine.answerOnce({ proof: wrong }), 401, "proof_invalid");
      const unbound = await mine.key.prove(
        "POST",
        `${offer.peer.endpoint}/v1/data-sharing/answers`,
        Date.now(),
        "unbound",
      );
      expectProblem(await mine.answerOnce({ proof: unbound }), 401, "proof_invalid");
      const [header, payload, signature] = mine.token.split(".") as [string, string, string];
      const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
      const forged = (over: object) =>
        [header, Buffer.from(JSON.stringify({ ...claims, ...over })).toString("base64url"), signature].join(
          ".",
        );
      expectProblem(await mine.answerOnce({ token: forged({ jti: other.id }) }), 401, "token_invalid");
      const none = [Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url"), payload, ""].join(
        ".",
      );
      expectProblem(await mine.answerOnce({ token: none }), 401, "token_invalid");
      // After all of this it is still good for its own question.
      expect((await mine.answerOnce()).status).to.equal(200);
      expect((await other.answerOnce()).status).to.equal(200);
    });

    it("is not sent to a machine in between", async () => {
      const files = {
        certFile: join(repository.node.folder, "m.pem"),
        keyFile: join(repository.node.folder, "m-key.pem"),
      };
      await createTlsCertificate(files, passphrase, { names: ["127.0.0.1"] });
      const tls = await openTlsCertificate(files, passphrase);
      const received: Buffer[] = [];
      let connections = 0;
      const between = createServer({ cert: tls.certPem, key: tls.keyPem }, (socket: TLSSocket) => {
        socket.on("data", (bytes) => received.push(bytes)).on("error", () => undefined);
      });
      between.on("connection", () => connections++).on("tlsClientError", () => undefined);
      between.listen(0, "127.0.0.1");
      await once(between, "listening");
      const { port } = between.address() as { port: number };
      const intercepted = { ...offer, peer: { ...offer.peer, endpoint: `https://127.0.0.1:${port}` } };
      const error = await expectCode(() => querier.ask(bandQuestion(507), intercepted), "peer_certificate");
      expect(error.fields).to.include({ expected: offer.peer.tlsFingerprint, shown: tls.fingerprint });
      between.close();
      await once(between, "close");
      expect(connections).to.be.greaterThan(0);
      expect(Buffer.concat(received).length).to.equal(0);
    });

    it("is refused once it has expired unused; what it gave in time it gives for ever", async () => {
      const { tokenExpiresS } = JSON.parse(unused.authorised!);
      await until(() => Date.now() / 1000 > tokenExpiresS + 0.1, "the token expires");
      expectProblem(await unused.answerOnce(), 401, "token_expired");
      expect((await used.answerOnce()).status).to.equal(200);
    });
  });

  describe("a repository under pressure", () => {
    it("answers exactly ten of 200 parallel questions when the budget covers ten", async () => {
      const questions = await Promise.all(
        Array.from({ length: 200 }, (_, i) => world.wireQuestion(bandQuestion(i), small, account)),
      );
      // A connection too many is closed, and a busy chain puts off: neither decides anything, so the client tries again.
      await Promise.all(questions.map((question) => question.askPersistently()));
      const ended = questions
        .filter(({ answered: reply }) => reply !== undefined)
        .map(({ reply }) => reply.transcript);
      const paid = ended.filter(({ outcome }) => outcome === "answered");
      expect(paid.length).to.equal(10);
      const sum = paid.reduce((total, { chargeMicroRho }) => total + BigInt(chargeMicroRho), 0n);
      expect(sum).to.equal(10n * answerMicroRho);
      const refusals = new Set(ended.map(({ refusal }) => refusal).filter((code) => code !== null));
      for (const code of refusals) expect(["budget_exhausted", "querier_budget_exhausted"]).to.include(code);
      expect(ended.length).to.equal(200);
      const log = await until(async () => {
        const read = await readWholeLog(world.network, offer.peer.endpoint, offer.repository, small.dataset);
        return read.spent === sum && read;
      }, "the spent budget is on the chain");
      expect(log.reserved).to.equal(0n);
    });

    it("takes no proof twice, also after it was killed", async () => {
      const question = await make(1);
      const spent = await question.proof("authorisations");
      expect((await question.authoriseOnce(spent)).status).to.equal(200);
      const used = await question.proof("answers", question.token);
      expect((await question.answerOnce({ proof: used })).status).to.equal(200);
      expectProblem(await question.answerOnce({ proof: used }), 401, "proof_replayed");
      // The same address again, so that the proof still names it.
      await repository.kill();
      await repository.start();
      expectProblem(await question.answerOnce({ proof: used }), 401, "proof_replayed");
      expectProblem(await question.authoriseOnce(spent), 401, "proof_replayed");
      expect((await question.answerOnce()).status).to.equal(200);
    });

    it("answers nobody on approvals of a vetter who was suspended a block ago", async () => {
      await answered(bandQuestion(700));
      const [vetter] = world.network.vetters as [BaseWallet];
      await world.network.suspend(vetter.address.toLowerCase());
      const refused = await expectRefused(bandQuestion(701), "algorithm_not_approved");
      expect(failedChecks(await world.verified(refused.receipt, offer))).to.deep.equal([]);
    });

    it("knows no querier who was suspended a block ago", async () => {
      await world.network.suspend(account.address.toLowerCase());
      const error = await expectCode(() => querier.ask(bandQuestion(702), offer), "querier_not_certified");
      expect(error.fields).to.include({ status: "suspended" });
      const wire = await world.wireQuestion(bandQuestion(703), offer, account);
      const reply = await wire.authoriseOnce();
      expectProblem(reply, 403, "querier_not_certified");
      expect(reply.json).to.not.have.property("reply");
    });
  });
});
