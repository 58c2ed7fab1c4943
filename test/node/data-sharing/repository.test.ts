import { expect } from "chai";
import { algorithmHash } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import type { WireReply } from "../../../node/data-sharing/ports.ts";
import { ProofKey } from "../../../node/data-sharing/proof-key.ts";
import { TrustedDataError } from "../../../node/errors.ts";
import { sha256Hex, toHex } from "../../../node/primitives/hex.ts";
import { expectCode } from "../../support/errors.ts";
import { algorithm, RepositoryWorld, research } from "../../support/repository-world.ts";

const charge = 100_000n; // two vectors: the count serves COUNT and AVG

describe("a question to a repository", () => {
  let world: RepositoryWorld;
  beforeEach(async () => {
    world = await RepositoryWorld.ready();
  });
  afterEach(() => world.dispose());

  it("is answered with noise, charged once, logged, and countersigned", async () => {
    const ended = await world.querier().ask(world.question, world.offer);
    expect(ended.transcript.outcome).to.equal("answered");
    expect(ended.transcript.chargeMicroRho).to.equal(String(charge));
    expect(world.questions.spent(world.offer.dataset)).to.equal(charge);
    const people = ended.answer!.values[ended.plan!.floor.release]!.map(Number);
    expect(people[0]! + people[1]!).to.be.within(400, 600);
    expect(world.audit.openEntries()).to.have.length(1);
    expect(world.audit.openEntries()[0]!.entry.querierSignature).to.equal(ended.receipt.querierSignature);
  });

  it("asked again gives the same numbers, at no charge, under a transcript of its own", async () => {
    const first = await world.querier().ask(world.question, world.offer);
    const second = await world.querier().ask(world.question, world.offer);
    expect(second.answer).to.deep.equal(first.answer);
    expect(second.transcript.chargeMicroRho).to.equal("0");
    expect(world.questions.spent(world.offer.dataset)).to.equal(charge);
    expect(world.audit.openEntries()).to.have.length(2);
  });

  it("asked in another spelling of the parameters' default gives the stored release too", async () => {
    const first = await world.querier().ask(world.question, world.offer);
    const second = await world.querier().ask({ ...world.question, parameters: {} }, world.offer);
    expect(second.answer).to.deep.equal(first.answer);
  });

  it("gets fresh noise for the next data version, at a charge", async () => {
    const first = await world.querier().ask(world.question, world.offer);
    world.clock.advance(86_400_000);
    world.chain.mine();
    const second = await world.querier().ask(world.question, world.offer);
    expect(second.transcript.dataVersion).to.equal(first.transcript.dataVersion + 1);
    expect(second.transcript.chargeMicroRho).to.equal(String(charge));
    expect(second.answer).to.not.deep.equal(first.answer);
  });

  it("is one of so many new ones within the hour, answered, unused or refused; beyond them nothing is kept", async () => {
    world.options = { questionsPerHourMax: 4 };
    await world.reopen();
    const key = await ProofKey.create();
    const { signed, proof, prove } = await signedByHand(world, key);
    const unused = await world.peers().authorise(world.offer.peer, signed, proof);
    const ask = async () => (await world.querier().ask(world.question, world.offer)).transcript.outcome;
    expect([await ask(), await ask()]).to.deep.equal(["answered", "answered"]);
    world.chain.setAlgorithm(algorithmHash(algorithm), "revoked");
    expect(await ask()).to.equal("refused");
    const kept = world.audit.openEntryCount();
    expect(kept).to.equal(3);
    await expectCode(ask, "rate_limited");
    world.chain.setAlgorithm(algorithmHash(algorithm), "approved");
    await expectCode(ask, "rate_limited");
    const { signed: more, proof: moreProof } = await signedByHand(world, key);
    await expectCode(() => world.peers().authorise(world.offer.peer, more, moreProof), "rate_limited");
    expect(world.questions.question(more.request.question)).to.equal(undefined);
    expect(world.questions.refusal(more.request.question)).to.equal(undefined);
    expect(world.audit.openEntryCount()).to.equal(kept);
    // One that is known already is none of them.
    expect(await world.peers().authorise(world.offer.peer, signed, await prove())).to.deep.equal(unused);
    world.clock.advance(3_600_000);
    world.chain.mine();
    expect(await ask()).to.equal("answered");
  });

  it("survives lost replies at every step without a second charge or other numbers", async () => {
    const peers = world.peers();
    const lost = new Map<string, number>();
    const losing = <Call extends (...args: never[]) => Promise<unknown>>(name: string, call: Call): Call =>
      (async (...args: never[]) => {
        const reply = await call(...args);
        lost.set(name, (lost.get(name) ?? 0) + 1);
        if (lost.get(name)! <= 2) throw new TrustedDataError("peer_unreachable", "The reply was lost.");
        return reply;
      }) as unknown as Call;
    const querier = world.querier({
      authorise: losing("authorise", peers.authorise),
      answer: losing("answer", peers.answer),
      countersign: losing("countersign", peers.countersign),
    });
    const ended = await querier.ask(world.question, world.offer);
    expect(ended.transcript.outcome).to.equal("answered");
    expect([...lost.values()]).to.deep.equal([3, 3, 3]);
    expect(world.questions.spent(world.offer.dataset)).to.equal(charge);
    expect(world.audit.openEntries()).to.have.length(1);
  });

  it("counts an engine that fails or runs out of time as one that saw nobody, charged, and says nothing of it", async () => {
    world.engine = {
      execute: async () => {
        throw new TrustedDataError("engine_limit", "The engine took too long.");
      },
    };
    const ended = await world.querier().ask(world.question, world.offer);
    expect(ended.transcript.outcome).to.equal("answered");
    expect(ended.transcript.chargeMicroRho).to.equal(String(charge));
    expect(ended.answer!.values.flat().every((value) => value === null || Number(value) < 200)).to.equal(
      true,
    );
    expect(world.engineFailures).to.deep.equal(["engine_limit"]);
  });

  it("releases replies at whole slots after they were asked for", async () => {
    const engine = world.engine;
    const times: number[] = [];
    for (const workMs of [0, 30, 99, 101]) {
      world.engine = {
        execute: async (...call) => {
          world.clock.advance(workMs);
          return await engine.execute(...call);
        },
      };
      let startedMs = 0;
      const peers = world.peers();
      const querier = world.querier({
        answer: async (...call) => {
          startedMs = world.clock.nowMs();
          const reply = await peers.answer(...call);
          times.push(world.clock.nowMs() - startedMs);
          return reply;
        },
      });
      const parameters = { minimum_age: 17 + times.length };
      await querier.ask({ ...world.question, parameters }, world.offer);
    }
    expect(times).to.deep.equal([100, 100, 100, 200]);
  });

  describe("tells nobody when the engine was done, not", () => {
    it("by the time in the transcript and in the log", async () => {
      const { engine } = world;
      const times: number[] = [];
      for (const workMs of [0, 49, 51, 98]) {
        world.engine = {
          execute: async (...call) => {
            world.clock.advance(workMs);
            return await engine.execute(...call);
          },
        };
        const parameters = { minimum_age: 17 + times.length };
        const peers = world.peers();
        let startedMs = 0;
        const querier = world.querier({
          answer: async (...call) => {
            // Half a slot before the next second.
            world.clock.advance(1_950 - (world.clock.nowMs() % 1_000));
            startedMs = world.clock.nowMs();
            return await peers.answer(...call);
          },
        });
        const { transcript } = await querier.ask({ ...world.question, parameters }, world.offer);
        times.push(transcript.timeS * 1_000 - startedMs);
        expect(world.audit.openEntries().at(-1)!.createdMs - startedMs).to.equal(100);
      }
      expect(times).to.deep.equal([50, 50, 50, 50]);
    });

    it("by what its log entry and its countersignature are worth, nor by another question with the same answer", async () => {
      const key = await ProofKey.create();
      const ask = async () => {
        const { signed, proof, prove } = await signedByHand(world, key);
        const { body } = await world.peers().authorise(world.offer.peer, signed, proof);
        const { token } = JSON.parse(body) as { token: string };
        const answer = async () =>
          await world.peers().answer(world.offer.peer, token, await prove("answers", token));
        return { id: signed.request.question, answer };
      };
      const [first, second] = [await ask(), await ask()];
      const slots: (() => void)[] = [];
      world.clock.sleep = () => new Promise((resolve) => slots.push(resolve));
      const reply = first.answer();
      while (slots.length === 0) await new Promise(setImmediate);
      expect(world.questions.question(first.id)?.state).to.equal("answered");
      await expectCode(
        async () => world.repository.countersign(first.id, `0x${"00".repeat(65)}`),
        "question_unknown",
      );
      await expectCode(async () => world.repository.transcriptOf(first.id), "question_unknown");
      const [others, repeats] = [second.answer(), first.answer()];
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
      expect(slots).to.have.length(1);
      expect(world.questions.question(second.id)?.state).to.equal("authorised");
      world.clock.sleep = async () => undefined;
      slots[0]!();
      expect(await repeats).to.deep.equal(await reply);
      await others;
      expect(world.repository.transcriptOf(first.id)).to.match(/^0x/);
    });
  });
});

describe("a repository refuses, logs the refusal and charges nothing when", () => {
  let world: RepositoryWorld;
  beforeEach(async () => {
    world = await RepositoryWorld.ready();
  });
  afterEach(() => {
    expect(world.questions.spent(world.offer.dataset)).to.equal(0n);
    world.dispose();
  });

  const refusal = async () => {
    const ended = await world.querier().ask(world.question, world.offer);
    expect(ended.transcript.outcome).to.equal("refused");
    expect(ended.reason).to.match(/\.$/);
    expect(world.audit.openEntries().at(-1)!.entry.querierSignature).to.equal(ended.receipt.querierSignature);
    return ended.transcript.refusal;
  };

  it("the algorithm is not vetted, has lost its approvals, or is revoked", async () => {
    world.chain.setAlgorithm(algorithmHash(algorithm), "published");
    expect(await refusal()).to.equal("algorithm_not_approved");
    world.chain.setAlgorithm(algorithmHash(algorithm), "revoked");
    expect(await refusal()).to.equal("algorithm_revoked");
  });

  it("the repository itself is suspended", async () => {
    world.chain.setMember(world.repositorySigner.address, "repository", "suspended");
    expect(await refusal()).to.equal("repository_not_certified");
  });

  it("the purpose is not permitted", async () => {
    const question = { ...world.question, purpose: "dpv:Marketing" };
    const ended = await world.querier().ask(question, world.offer);
    expect(ended.transcript.refusal).to.equal("purpose_not_permitted");
    expect(ended.reason).to.contain(research);
  });

  it("the dataset is of another class than the algorithm was vetted for", async () => {
    world.manifest = { ...world.manifest, dataClass: "health" };
    const offer = { ...world.offer, manifest: { ...world.manifest, dataClass: "wages" } };
    const ended = await world.querier().ask(world.question, offer);
    expect(ended.transcript.refusal).to.equal("data_class_mismatch");
  });

  it("a parameter lies outside its domain, although the querier's own side did not notice", async () => {
    const querier = world.querier();
    const peers = world.peers();
    const key = await ProofKey.create();
    // A querier that signs whatever it likes.
    const { signed, proof } = await signedByHand(world, key, { minimum_age: 7 });
    const reply = await peers.authorise(world.offer.peer, signed, proof);
    expect(reply.outcome).to.equal("refused");
    expect(JSON.parse(reply.body).transcript.refusal).to.equal("parameter_invalid");
    await expectCode(
      () => querier.ask({ ...world.question, parameters: { minimum_age: 7 } }, world.offer),
      "parameter_invalid",
    );
  });

  it("the same refused request comes again: the same bytes, one log entry", async () => {
    world.chain.setAlgorithm(algorithmHash(algorithm), "revoked");
    const key = await ProofKey.create();
    const { signed, proof, prove } = await signedByHand(world, key);
    const first = await world.peers().authorise(world.offer.peer, signed, proof);
    const second = await world.peers().authorise(world.offer.peer, signed, await prove());
    expect(second).to.deep.equal(first);
    expect(world.audit.openEntries()).to.have.length(1);
  });

  it("a querier has not had too many refusals within the hour; else there is no entry, and the next hour there is", async () => {
    world.options = { refusalsPerHourMax: 3 };
    await world.reopen();
    world.chain.setAlgorithm(algorithmHash(algorithm), "revoked");
    for (let count = 0; count < 3; count++) expect(await refusal()).to.equal("algorithm_revoked");
    const error = await expectCode(refusal, "rate_limited");
    expect(error.fields).to.deep.equal({ code: "algorithm_revoked" });
    expect(world.audit.openEntryCount()).to.equal(3);
    world.clock.advance(3_600_000);
    world.chain.mine();
    expect(await refusal()).to.equal("algorithm_revoked");
  });
});

describe("a repository turns away, without a trace in the log,", () => {
  let world: RepositoryWorld;
  beforeEach(async () => {
    world = await RepositoryWorld.ready();
  });
  afterEach(() => {
    expect(world.audit.openEntries()).to.have.length(0);
    world.dispose();
  });

  it("a querier that nobody certified, or that is suspended", async () => {
    for (const status of ["none", "expired", "suspended", "revoked"] as const) {
      world.chain.setMember(world.querierSigner.address, "querier", status);
      await expectCode(() => world.querier().ask(world.question, world.offer), "querier_not_certified");
    }
  });

  it("a request signed by somebody else, for another repository, or out of time", async () => {
    const key = await ProofKey.create();
    const { signed, prove } = await signedByHand(world, key);
    const send = async (request: object) =>
      await world
        .peers()
        .authorise(
          world.offer.peer,
          { ...signed, request: { ...signed.request, ...request } },
          await prove(),
        );
    await expectCode(() => send({ purpose: "dpv:Marketing" }), "signature_invalid");
    await expectCode(() => send({ parameters: { minimum_age: 20 } }), "signature_invalid");
    await expectCode(() => send({ repository: world.querierSigner.address }), "request_invalid");
    world.clock.advance(301_000);
    await expectCode(() => send({}), "request_expired");
    const far = await signedByHand(world, key, {}, 10_000);
    await expectCode(
      () => world.peers().authorise(world.offer.peer, far.signed, far.proof),
      "request_expired",
    );
  });

  it("a proof used before, also after a restart, and a proof by another key", async () => {
    const key = await ProofKey.create();
    const { signed, proof } = await signedByHand(world, key);
    const other = await signedByHand(world, await ProofKey.create());
    await expectCode(() => world.peers().authorise(world.offer.peer, signed, other.proof), "proof_invalid");
    await world.peers().authorise(world.offer.peer, signed, proof);
    await expectCode(() => world.peers().authorise(world.offer.peer, signed, proof), "proof_replayed");
    await world.reopen();
    await expectCode(() => world.peers().authorise(world.offer.peer, signed, proof), "proof_replayed");
  });

  it("an id under which something else was asked", async () => {
    const key = await ProofKey.create();
    const first = await signedByHand(world, key);
    await world.peers().authorise(world.offer.peer, first.signed, first.proof);
    const second = await signedByHand(world, key, { minimum_age: 30 }, 300, first.signed.request.question);
    await expectCode(
      () => world.peers().authorise(world.offer.peer, second.signed, second.proof),
      "question_conflict",
    );
  });

  it("a token with another key, of another question, altered, or unused for too long", async () => {
    const key = await ProofKey.create();
    const { signed, proof, prove } = await signedByHand(world, key);
    const { token } = JSON.parse((await world.peers().authorise(world.offer.peer, signed, proof)).body);
    const answer = async (text: string, by = key, bound = text) =>
      await world.peers().answer(world.offer.peer, text, await prove("answers", bound, by));
    await expectCode(async () => answer(token, await ProofKey.create()), "proof_invalid");
    await expectCode(() => answer(`${token.slice(0, -2)}xx`), "token_invalid");
    await expectCode(() => answer(token, key, "another token"), "proof_invalid");
    world.clock.advance(301_000);
    await expectCode(() => answer(token), "token_expired");
  });

  it("a countersignature by anybody but the querier, and one for a question that was never ended", async () => {
    const signature = await world.repositorySigner.sign({
      domain: { name: "x", version: "1", chainId: 1n, verifyingContract: `0x${"00".repeat(20)}` },
      types: { X: [{ name: "x", type: "uint8" }] },
      message: { x: 1 },
    });
    await expectCode(() => world.repository.countersign(sha256Hex("nothing"), signature), "question_unknown");
  });
});

describe("a budget", () => {
  it("for ten answers lets exactly ten of 200 parallel questions through", async function () {
    this.timeout(120_000);
    const world = await RepositoryWorld.ready({
      budget: {
        totalMicroRho: String(charge * 10n),
        perQuerierMicroRho: "1000000",
        reservedMicroRho: "1000000",
      },
      columns: {
        wage: { type: "decimal", scale: 2, bounds: [0, 50], nullable: false },
        age: { type: "integer", bounds: [16, 99], nullable: false },
        member: { type: "text", domain: ["no", "yes"], nullable: false },
      },
    });
    // 200 different questions: a repeated one would be free.
    const wide = {
      ...algorithm,
      parameters: { minimum_age: { type: "integer" as const, minimum: 0, maximum: 500 } },
    };
    world.chain.setAlgorithm(algorithmHash(wide), "approved");
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const question = { ...world.question, parameters: { minimum_age: 16 + (i % 55) }, purpose: research };
        return await world.querier().ask(question, world.offer);
      }),
    );
    const fresh = outcomes.filter(({ transcript }) => transcript.chargeMicroRho !== "0");
    const refused = outcomes.filter(({ transcript }) => transcript.outcome === "refused");
    expect(fresh).to.have.length(10);
    expect(new Set(refused.map(({ transcript }) => transcript.refusal))).to.deep.equal(
      new Set(["budget_exhausted"]),
    );
    expect(world.questions.spent(world.offer.dataset)).to.equal(charge * 10n);
    expect(world.audit.openEntries()).to.have.length(200);
    world.dispose();
  });

  it("is only as large as what is reserved on the chain, and grows with the next batch", async () => {
    const world = await RepositoryWorld.ready({
      budget: { totalMicroRho: "1000000", perQuerierMicroRho: "1000000", reservedMicroRho: String(charge) },
    });
    const ask = async (minimum_age: number) =>
      (await world.querier().ask({ ...world.question, parameters: { minimum_age } }, world.offer)).transcript;
    expect((await ask(16)).outcome).to.equal("answered");
    expect((await ask(17)).refusal).to.equal("budget_not_reserved");
    await world.anchoring.tick();
    expect((await ask(18)).outcome).to.equal("answered");
    world.dispose();
  });

  it("stays spent when its dataset is taken off and the same or other data is added under its name", async () => {
    const budget = {
      totalMicroRho: String(2n * charge),
      perQuerierMicroRho: "1000000",
      reservedMicroRho: "1000000",
    };
    const world = await RepositoryWorld.ready({ budget });
    const ask = async (minimum_age: number) =>
      (await world.querier().ask({ ...world.question, parameters: { minimum_age } }, world.offer)).transcript;
    expect((await ask(16)).outcome).to.equal("answered");
    world.offered = [];
    for (let batch = 0; batch < 3; batch++) {
      world.clock.advance(10_000);
      await world.anchoring.tick();
    }
    world.manifest = { ...world.manifest, title: "Added again", budget };
    world.offered = undefined;
    await world.anchoring.tick();
    expect(world.questions.spent(world.offer.dataset)).to.equal(charge);
    expect((await ask(17)).outcome).to.equal("answered");
    expect((await ask(18)).refusal).to.equal("budget_exhausted");
    world.dispose();
  });

  it("is told to its querier as it is charged: under the dataset's purpose, whichever narrower one was asked for", async () => {
    const world = await RepositoryWorld.ready();
    const ask = async (minimum_age: number, purpose: string) =>
      await world.querier().ask({ ...world.question, parameters: { minimum_age }, purpose }, world.offer);
    expect((await ask(20, "dpv:AcademicResearch")).spentMicroRho).to.equal("0");
    expect((await ask(21, "dpv:CommercialResearch")).spentMicroRho).to.equal(String(charge));
    expect((await ask(22, research)).spentMicroRho).to.equal(String(2n * charge));
    world.dispose();
  });

  it("is charged by querier as well, so that one cannot use up everybody's", async () => {
    const world = await RepositoryWorld.ready({
      budget: { totalMicroRho: "1000000", perQuerierMicroRho: String(charge), reservedMicroRho: "1000000" },
    });
    const ask = async (minimum_age: number) =>
      (await world.querier().ask({ ...world.question, parameters: { minimum_age } }, world.offer)).transcript;
    expect((await ask(16)).outcome).to.equal("answered");
    expect((await ask(17)).refusal).to.equal("querier_budget_exhausted");
    world.dispose();
  });
});

describe("a crash", () => {
  it("between charge and reply costs one charge, and the same token then gets its answer", async () => {
    const world = await RepositoryWorld.ready();
    const engine = world.engine;
    const key = await ProofKey.create();
    const { signed, proof, prove } = await signedByHand(world, key);
    const { token } = JSON.parse((await world.peers().authorise(world.offer.peer, signed, proof)).body);
    const entered = world.hangEngine();
    void world
      .peers()
      .answer(world.offer.peer, token, await prove("answers", token))
      .catch(() => undefined);
    await entered;
    expect(world.questions.question(signed.request.question)!.state).to.equal("charged");
    await world.reopen();
    world.engine = engine;
    const answer = async (): Promise<WireReply> =>
      await world.peers().answer(world.offer.peer, token, await prove("answers", token));
    world.clock.advance(400_000); // the token's time is over, but it was used in time
    const first = await answer();
    expect(first.outcome).to.equal("answered");
    await world.reopen();
    expect(await answer()).to.deep.equal(first);
    expect(world.questions.spent(world.offer.dataset)).to.equal(charge);
    expect(world.audit.openEntries()).to.have.length(1);
    world.dispose();
  });
});

describe("while the chain is down, a repository", () => {
  it("answers within the bound on what it last saw, then refuses and logs why, and anchors when the chain is back", async () => {
    const world = await RepositoryWorld.ready();
    const ask = async (minimum_age: number) =>
      (await world.querier().ask({ ...world.question, parameters: { minimum_age } }, world.offer)).transcript;
    world.chain.isDown = true;
    expect((await ask(16)).outcome).to.equal("answered");
    await expectCode(() => world.anchoring.tick(), "chain_unavailable");
    world.clock.advance(599_000);
    expect((await ask(17)).outcome).to.equal("answered");
    world.clock.advance(2_000);
    expect((await ask(18)).refusal).to.equal("chain_stale");
    world.chain.isDown = false;
    await world.anchoring.tick();
    await world.anchoring.tick();
    expect(world.audit.openEntries()).to.have.length(0);
    const entries = world.audit
      .batches(0, 10)
      .flatMap(({ sequence }) => world.audit.entriesOfBatch(sequence));
    expect(entries).to.have.length(3);
    expect(new Set(entries.map(({ transcript }) => transcript)).size).to.equal(3);
    world.dispose();
  });

  it("does not believe a chain that shows only old blocks", async () => {
    const world = await RepositoryWorld.ready();
    world.clock.advance(601_000);
    expect((await world.querier().ask(world.question, world.offer)).transcript.refusal).to.equal(
      "chain_stale",
    );
    world.dispose();
  });

  it("knows nothing of a querier that it never looked up", async () => {
    const world = new RepositoryWorld();
    await world.anchoring.tick();
    world.chain.isDown = true;
    await expectCode(() => world.querier().ask(world.question, world.offer), "chain_unavailable");
    world.dispose();
  });
});

/** What a querier sends, made by hand so that a test can make it wrong. */
async function signedByHand(
  world: RepositoryWorld,
  key: ProofKey,
  parameters: Record<string, number> = { minimum_age: 16 },
  lifetimeS = 300,
  question = sha256Hex(String(Math.random())),
) {
  const { requestStruct } = await import("../../../node/data-sharing/question-request.ts");
  const { testDeployment } = await import("../../support/wallet-signer.ts");
  const request = {
    question,
    querier: world.querierSigner.address,
    repository: world.offer.repository,
    dataset: world.offer.dataset,
    algorithm: algorithmHash(algorithm),
    parameters,
    purpose: research,
    keyThumbprint: key.thumbprint,
    expiresS: Math.floor(world.clock.nowMs() / 1000) + lifetimeS,
  };
  const signature = await world.querierSigner.sign(requestStruct(testDeployment, request));
  const prove = async (path = "authorisations", token?: string, by = key) =>
    await by.prove(
      "POST",
      `https://repository.test/v1/data-sharing/${path}`,
      world.clock.nowMs(),
      toHex(world.randomness.bytes(16)),
      token,
    );
  return { signed: { request, signature }, proof: await prove(), prove };
}
