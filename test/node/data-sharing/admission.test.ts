import { expect } from "chai";
import { admitQuestion, Refusal } from "../../../node/data-sharing/admission.ts";
import { logOutcome } from "../../../node/data-sharing/log-outcome.ts";
import { algorithmHash } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { type ErrorCode, errorStatus, TrustedDataError } from "../../../node/errors.ts";
import { expectCode } from "../../support/errors.ts";
import { algorithm, RepositoryWorld, research } from "../../support/repository-world.ts";
import { testDeployment } from "../../support/wallet-signer.ts";

describe("a logged refusal", () => {
  let world: RepositoryWorld;
  beforeEach(async () => {
    world = await RepositoryWorld.ready();
  });
  afterEach(() => world.dispose());

  const request = () => ({
    question: `0x${"01".repeat(32)}`,
    querier: world.querierSigner.address,
    repository: world.repositorySigner.address,
    dataset: world.offer.dataset,
    algorithm: algorithmHash(algorithm),
    parameters: { minimum_age: 16 },
    purpose: research,
    keyThumbprint: "t".repeat(43),
    expiresS: 2_000_000_000,
  });

  function admit(code: ErrorCode) {
    const { trust, questions } = world;
    const manifestText = async () => {
      throw new TrustedDataError(code, "http://10.0.0.7:8545 and /var/lib/secret fail.");
    };
    const datasets = {
      manifests: () => [world.manifest],
      importFile: async () => Promise.reject(new Error("nothing is imported here")),
    };
    const signed = { request: request(), signature: "0x" };
    return admitQuestion(signed, { trust, questions, datasets, algorithms: { manifestText } });
  }

  it("is never made of what chain or storage say of themselves", async () => {
    const codes = (Object.keys(errorStatus) as ErrorCode[]).filter(
      (code) => /^(chain|storage)_/.test(code) && code !== "chain_stale",
    );
    expect(codes).to.include.members(["chain_unavailable", "chain_settings_conflict", "storage_failed"]);
    for (const code of codes) await expectCode(() => admit(code), code);
    expect(await admit("algorithm_unknown")).to.be.instanceOf(Refusal);
  });

  it("says which of the dataset's budgets one answer is beyond, as waiting would not help", async () => {
    const { trust, questions } = world;
    const reasonWith = async (changes: Partial<typeof world.manifest.budget>) => {
      const manifest = { ...world.manifest, budget: { ...world.manifest.budget, ...changes } };
      const admitted = await admitQuestion(
        { request: request(), signature: "0x" },
        {
          trust,
          questions,
          datasets: {
            manifests: () => [manifest],
            importFile: async () => expect.fail("nothing is imported"),
          },
          algorithms: { manifestText: async () => JSON.stringify(algorithm) },
        },
      );
      return admitted instanceof Refusal ? `${admitted.code}: ${admitted.reason}` : "admitted";
    };
    const less = "99999";
    expect(await reasonWith({ totalMicroRho: less })).to.match(/^budget_exhausted: .*whole budget/);
    expect(await reasonWith({ perQuerierMicroRho: less })).to.match(/^budget_exhausted: .*one querier/);
    // A larger reservation from before still stands on the chain.
    expect(await reasonWith({ reservedMicroRho: less })).to.equal("admitted");
    const { spent } = questions;
    questions.spent = () => 950_000n;
    expect(await reasonWith({ reservedMicroRho: less })).to.match(/^budget_exhausted: .*reservedMicroRho/);
    expect(await reasonWith({})).to.equal("admitted");
    questions.spent = spent;
  });

  it("has a reason of at most 900 characters, cut between them", async () => {
    const facts = {
      request: request(),
      requestSignature: "0x",
      block: { number: 1, hash: `0x${"02".repeat(32)}` },
      outcome: "refused",
      refusal: "parameter_invalid",
      token: null,
      plan: null,
      dataVersion: 0,
      consentVersion: 0,
      chargeMicroRho: "0",
      answer: null,
    } as unknown as Parameters<typeof logOutcome>[0];
    const reasonOf = async (reason: string) => {
      const { clock, randomness, repositorySigner: signer } = world;
      const options = { deployment: testDeployment, anchorWithinBlocks: 100 };
      const shown = { plan: null, answer: null, reason };
      const { reply } = await logOutcome(facts, shown, options, { clock, randomness, signer });
      return (JSON.parse(reply) as { reason: string }).reason;
    };
    expect(await reasonOf("x".repeat(900))).to.equal("x".repeat(900));
    expect(await reasonOf("x".repeat(901))).to.equal(`${"x".repeat(899)}…`);
    const pairs = await reasonOf("😀".repeat(500));
    expect(pairs.length).to.be.at.most(900);
    expect(pairs.isWellFormed()).to.equal(true);
  });
});
