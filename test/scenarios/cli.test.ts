import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { completeReceipt } from "../../node/data-sharing/querier.ts";
import { type Receipt, receiptText } from "../../node/data-sharing/receipt.ts";
import { verifyReceipt } from "../../node/data-sharing/verify-receipt.ts";
import { canonicalJson } from "../../node/primitives/canonical-json.ts";
import { Itd } from "../support/itd.ts";
import { type Network, startNetwork, type TestNode, wages } from "../support/network.ts";
import { algorithm, RepositoryWorld } from "../support/repository-world.ts";

const query = ["query", "--dataset", "wages", "--algorithm", "union-wage-premium"];

describe("the itd command over a network", function () {
  this.timeout(240_000);
  let network: Network;
  let bank: TestNode;
  let hospital: TestNode;
  let itd: Itd;
  let hash: string;

  before(async () => {
    network = await startNetwork({ repositories: 2, directories: 1, queriers: 1, strangers: 1 });
    await network.startDirectory();
    hash = await network.publishAlgorithm(algorithm);
    const repository = async (name: string, dataset: string) =>
      await network.startRepository({ settings: { name }, datasets: [await wages(dataset)] });
    bank = await repository("Bank", "wages-one");
    hospital = await repository("St. Luke's", "wages-two");
    itd = await Itd.for(network, network.take("querier"));
    for (let i = 0; i < 200 && (await network.discover("wages")).offers.length < 2; i++)
      await new Promise((resolve) => setTimeout(resolve, 100));
  });
  after(() => network.close());

  const saved = (file: string) => readFileSync(join(itd.folder, file), "utf8");

  it("lists what data there is and what may be asked", async () => {
    const { document, exitCode, err } = await itd.json("datasets", "--search", "wages");
    expect([exitCode, err]).to.deep.equal([0, ""]);
    expect(document.datasets.map(({ name }: { name: string }) => name)).to.deep.equal([
      "wages-one",
      "wages-two",
    ]);
    const algorithms = (await itd.json("algorithms")).document.algorithms;
    expect(algorithms).to.have.length(1);
    expect(algorithms[0]).to.include({ hash, name: "union-wage-premium", status: "approved" });
    const shown = await itd.run("algorithm", "show", hash.slice(0, 12));
    expect(shown.out).to.contain(algorithm.sql);
  });

  it("asks two repositories, and the receipts of both are valid", async () => {
    const { document, exitCode, err } = await itd.json(...query, "--receipt", "both.json");
    expect(exitCode, err).to.equal(0);
    expect(err).to.contain("Bank (wages-one): has replied");
    expect(document.failures).to.deep.equal([]);
    expect(document.receipts).to.deep.equal(["both.json", "both-st-lukes.json"]);
    expect(document.receipt).to.equal("both.json");
    expect(document.receiptsPending).to.deep.equal([]);
    expect(document.answer.map(({ member }: { member: string }) => member)).to.deep.equal(["no", "yes"]);
    const [no] = document.answer;
    // 200 people in each, three of four are no members.
    expect(no.people).to.be.within(200, 400);
    expect(document.uncertainty.confidence).to.equal(0.95);
    expect(document.uncertainty.margins[0].people).to.be.greaterThan(0);
    expect(document.charge.microRho).to.equal("200000");
    for (const file of document.receipts) {
      const verdict = await itd.json("receipt", "verify", file);
      expect(verdict.exitCode, verdict.out).to.equal(0);
      expect(verdict.document.valid).to.equal(true);
      expect(verdict.document.checks).to.have.length.greaterThan(10);
      for (const check of verdict.document.checks) expect(check).to.have.keys("name", "passed", "detail");
    }
  });

  it("gives the same answer free of charge when it is asked again, as text with margins for people", async () => {
    const { out, exitCode } = await itd.run(...query);
    expect(exitCode).to.equal(0);
    expect(out).to.contain("±").and.to.contain("95% of the time the noise alone stays within");
    expect(out).to.contain("free: the same question was answered before");
    expect(out).to.contain("receipts/");
    expect(out).to.not.contain("\u001b");
  });

  it("notices every changed character of a receipt, and names the check that fails", async () => {
    const text = saved("both.json");
    const { deployment, ledger: chain, members, algorithms } = network;
    const verify = (changed: string) => verifyReceipt(changed, { deployment, chain, members, algorithms });
    expect((await verify(text)).valid).to.equal(true);
    const step = Math.max(1, Math.floor(text.length / 400));
    for (let at = 0; at < text.length; at += step) {
      const changed = `${text.slice(0, at)}${another(text[at]!)}${text.slice(at + 1)}`;
      const { valid, checks } = await verify(changed);
      expect(valid, `position ${at}: ${text.slice(at - 20, at + 20)}`).to.equal(false);
      expect(checks.some(({ passed, name }) => !passed && name !== "")).to.equal(true);
    }
  });

  it("says so with exit code 1 on the command line", async () => {
    const text = saved("both.json");
    for (const at of [text.indexOf('"values"') + 12, text.indexOf('"spent') + 1, text.length - 2].filter(
      (i) => i > 2,
    )) {
      writeFileSync(
        join(itd.folder, "changed.json"),
        `${text.slice(0, at)}${another(text[at]!)}${text.slice(at + 1)}`,
      );
      const { exitCode, document } = await itd.json("receipt", "verify", "changed.json");
      expect(exitCode).to.equal(1);
      expect(document.valid).to.equal(false);
      expect(document.checks.filter(({ passed }: { passed: boolean }) => !passed)).to.have.length.greaterThan(
        0,
      );
    }
    const { exitCode, out } = await itd.run("receipt", "verify", "changed.json");
    expect(exitCode).to.equal(1);
    expect(out).to.contain("Not valid: ").and.to.contain("✗");
  });

  it("does not believe a receipt that is perfect over another chain", async () => {
    const world = await RepositoryWorld.ready();
    try {
      const ended = await world.querier().ask(world.question, world.offer);
      await world.anchoring.tick();
      const forged = await completeReceipt(ended.receipt, world.offer, world.peers());
      writeFileSync(join(itd.folder, "forged.json"), receiptText(forged!));
    } finally {
      world.dispose();
    }
    const { exitCode, document } = await itd.json("receipt", "verify", "forged.json");
    expect(exitCode).to.equal(1);
    const failed = document.checks.filter(({ passed }: { passed: boolean }) => !passed);
    const names = failed.map(({ name }: { name: string }) => name);
    expect(names).to.include.members(["request-signature", "repository-signature", "anchor", "block"]);
  });

  it("checks that logs are as anchored", async () => {
    const { exitCode, document } = await itd.json("audit", "check", "--last", "1000");
    expect(exitCode).to.equal(0);
    expect(document.passed).to.equal(true);
    expect(document.parties).to.have.length(2);
    for (const { entries, faults } of document.parties) {
      expect(entries).to.be.greaterThan(0);
      expect(faults).to.deep.equal([]);
    }
    const list = (await itd.json("audit", "list", bank.account.address.toLowerCase())).document.parties[0]
      .batches;
    const shown = await itd.json("audit", "show", bank.account.address, String(list[0].sequence));
    expect(shown.document.leaves).to.have.length(list[0].entryCount);
  });

  it("shows council and framework", async () => {
    const council = (await itd.json("council", "show")).document;
    expect(council.members).to.have.length(3);
    expect(council.proposals[0].state).to.equal("executed");
    const framework = (await itd.json("framework", "show")).document;
    expect(framework.frameworks[0].id).to.equal("eu");
    const text = await itd.run("framework", "show", bank.account.address);
    expect(text.out).to.contain("repository: active");
  });

  it("writes the receipts of logged refusals too, and they are valid", async () => {
    const marketing = [...query, "--purpose", "dpv:Marketing", "--receipt", "refused.json"];
    const { exitCode, document, err } = await itd.json(...marketing);
    expect(exitCode).to.equal(1);
    expect(document.error.code).to.equal("purpose_not_permitted");
    expect(document.failures).to.have.length(2);
    expect(document.receipts).to.have.length(2);
    expect(err).to.contain("purpose_not_permitted");
    expect((await itd.json("receipt", "verify", "refused.json")).document.valid).to.equal(true);
  });

  it("tells an unknown algorithm or dataset, and what there is", async () => {
    const wrong = await itd.json("query", "--dataset", "wages", "--algorithm", "nope");
    expect([wrong.exitCode, wrong.document.error.code]).to.deep.equal([1, "algorithm_unknown"]);
    expect(wrong.err).to.contain("union-wage-premium");
    const none = await itd.json("query", "--dataset", "weather", "--algorithm", "union-wage-premium");
    expect([none.exitCode, none.document.error.code]).to.deep.equal([1, "no_dataset_found"]);
    expect(none.err).to.contain("wages-one, wages-two");
  });

  it("answers from those that are up while one is down, and completes a pending receipt when it can", async () => {
    // Too late for the batch: 0 seconds.
    const both = await itd.json(
      ...query,
      "--param",
      "minimum_age=20",
      "--receipt",
      "pending.json",
      "--wait",
      "0",
    );
    expect(both.exitCode).to.equal(0);
    await hospital.stop();
    const { exitCode, document, err } = await itd.json(
      ...query,
      "--param",
      "minimum_age=40",
      "--receipt",
      "one.json",
    );
    expect(exitCode).to.equal(0);
    expect(document.repositories.map(({ name }: { name: string }) => name)).to.deep.equal(["Bank"]);
    expect(document.failures).to.have.length(1);
    expect(document.failures[0]).to.include({ publisher: "St. Luke's", code: "peer_unreachable" });
    expect(document.receipts).to.deep.equal(["one.json"]);
    expect(err).to.contain("St. Luke's (wages-two): no answer");
    expect((await itd.json("receipt", "verify", "one.json")).exitCode).to.equal(0);

    const pendingFile = "pending-st-lukes.json";
    if ((JSON.parse(saved(pendingFile)) as Receipt).anchor === null) {
      const early = await itd.json("receipt", "verify", pendingFile);
      expect(early.exitCode).to.equal(1);
      expect(early.err).to.contain("pending").and.to.contain("peer_unreachable");
      const inclusion = early.document.checks.find(({ name }: { name: string }) => name === "inclusion");
      expect(inclusion.detail).to.contain("pending");
    }
    await hospital.start();
    for (let i = 0; i < 40; i++) {
      if ((await itd.run("receipt", "verify", pendingFile)).exitCode === 0) break;
    }
    const completed = JSON.parse(saved(pendingFile)) as Receipt;
    expect(completed.anchor).to.not.equal(null);
    expect(saved(pendingFile)).to.equal(`${canonicalJson(completed)}\n`);
  });

  it("exits with 1 and one document when nobody answers", async () => {
    await Promise.all([bank.stop(), hospital.stop()]);
    const { exitCode, document, err } = await itd.json(...query, "--param", "minimum_age=50");
    expect(exitCode).to.equal(1);
    expect(document.error.code).to.equal("peer_unreachable");
    expect(document.failures).to.have.length(2);
    expect(err).to.contain("None of the 2 repositories answered");
    await Promise.all([bank.start(), hospital.start()]);
  });

  it("says that the chain is down, and says nothing about a receipt then", async () => {
    const away = await Itd.for(network, network.take("stranger"), "http://127.0.0.1:9");
    writeFileSync(join(away.folder, "r.json"), saved("both.json"));
    const { exitCode, document } = await away.json("receipt", "verify", "r.json");
    expect(exitCode).to.equal(1);
    expect(document.error.code).to.equal("chain_unavailable");
    expect(document).to.not.have.property("valid");
  });
});

/** One that is as likely as the first to pass: a digit for a digit. */
function another(character: string): string {
  if (/[0-8]/.test(character)) return String(Number(character) + 1);
  if (character === "9") return "0";
  return character === "a" ? "b" : "a";
}
