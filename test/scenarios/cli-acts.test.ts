import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import { Itd } from "../support/itd.ts";
import { type Network, startNetwork, type TestNode } from "../support/network.ts";
import { algorithm } from "../support/repository-world.ts";

describe("acting by the itd command", function () {
  this.timeout(240_000);
  let network: Network;
  let bank: TestNode;
  let author: Itd;
  let vetters: Itd[];
  let council: Itd[];

  before(async () => {
    network = await startNetwork({ repositories: 1, directories: 1, queriers: 0, strangers: 1 });
    await network.startDirectory();
    bank = await network.startRepository({ settings: { name: "Bank" }, datasets: [] });
    author = await Itd.for(network, network.author);
    vetters = await Promise.all(network.vetters.map((account) => Itd.for(network, account)));
    council = await Promise.all(network.council.map((account) => Itd.for(network, account)));
  });
  after(() => network.close());

  it("connects a CSV file to a node that runs, which then offers it", async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `p${i},${20 + i},${i % 2 === 0 ? "yes" : "no"}`);
    writeFileSync(join(author.folder, "people.csv"), ["id,age,member", ...rows, ""].join("\n"));
    const add = ["dataset", "add", "people.csv", "--config", bank.configFile];
    const proposed = await author.json(...add, "--name", "people", "--person", "id", "--propose");
    expect(proposed.exitCode, proposed.err).to.equal(0);
    expect(proposed.document.report).to.equal(null);
    expect((await network.discover("people")).offers).to.deep.equal([]);

    const own = {
      ...proposed.document.manifest,
      title: "People of the test",
      dataClass: "wages",
      table: "wages",
    };
    writeFileSync(join(author.folder, "people.yaml"), stringify(own));
    const added = await author.json(...add, "--manifest", "people.yaml");
    expect(added.exitCode, added.err).to.equal(0);
    expect(added.document.report).to.include({ rows: 60, people: 60 });
    let found: { title: string }[] = [];
    for (let i = 0; i < 20 && found.length === 0; i++)
      found = (await author.json("datasets", "--search", "people")).document.datasets;
    expect(found[0]).to.include({ name: "people", title: "People of the test", publisher: "Bank" });
  });

  it("says with line numbers what is wrong with a file, and changes nothing", async () => {
    writeFileSync(join(author.folder, "bad.csv"), "id,age,member\np1,old,yes\n");
    const { exitCode, document, err } = await author.json(
      ...["dataset", "add", "bad.csv", "--config", bank.configFile, "--manifest", "people.yaml"],
    );
    expect(exitCode).to.equal(1);
    expect(document.error.code).to.match(/^data_file_/);
    expect(err).to.contain("2");
  });

  it("publishes, approves by two vetters, withdraws and revokes an algorithm", async () => {
    writeFileSync(join(author.folder, "a.yaml"), stringify({ ...algorithm, name: "ages" }));
    const published = await author.json("algorithm", "publish", "a.yaml");
    expect(published.exitCode, published.err).to.equal(0);
    const { hash } = published.document;
    expect((await author.json("algorithm", "publish", "a.yaml")).document.hash).to.equal(hash);
    const query = ["query", "--dataset", "people", "--algorithm", "ages"];
    expect((await author.json(...query)).document.error.code).to.equal("algorithm_not_approved");

    const statusAfter = async (itd: Itd, ...args: string[]) => {
      const ended = await itd.json("algorithm", ...args);
      expect(ended.exitCode, ended.err).to.equal(0);
      return ended.document.status;
    };
    expect(await statusAfter(vetters[0]!, "approve", "ages")).to.equal("published");
    expect(await statusAfter(vetters[1]!, "approve", hash.slice(0, 14), "--days", "30")).to.equal("approved");
    expect(await statusAfter(vetters[1]!, "revoke", hash)).to.equal("published");
    const unfit = await council[0]!.json("algorithm", "approve", hash);
    expect(unfit.document.error.code).to.equal("chain_rejected");
    expect(unfit.err).to.contain("may not vet algorithms for wages").and.to.contain("itd framework show");

    const revoked = await author.json("algorithm", "revoke", hash, "--reason", "test");
    expect(revoked.document).to.deep.equal({ hash, action: "revoked" });
    expect((await author.json(...query)).document.error.code).to.equal("algorithm_revoked");
    expect((await author.json("algorithms")).document.algorithms).to.deep.equal([]);
    expect((await author.json("algorithms", "--all")).document.algorithms[0].status).to.equal("revoked");
  });

  it("certifies a newcomer by proposal, approval and execution", async () => {
    const newcomer = network.take("stranger").address.toLowerCase();
    const policy = join(council[0]!.folder, "policy.md");
    writeFileSync(policy, "We keep what we promise.\n");
    const certify = ["framework", "certify", newcomer, "querier"];
    const bare = await council[0]!.json(...certify);
    expect(bare.exitCode).to.equal(2);
    expect(bare.err).to.contain("--framework, --jurisdiction, --control-group, --identity-policy");
    const terms = ["--framework", "eu", "--jurisdiction", "EU", "--control-group", "newcomer-group"];
    const policies = ["identity", "security", "privacy"].flatMap((name) => [`--${name}-policy`, "policy.md"]);
    const proposed = await council[0]!.json(...certify, ...terms, ...policies);
    expect(proposed.exitCode, proposed.err).to.equal(0);
    const { id } = proposed.document;
    expect(proposed.document.state).to.equal("pending");
    expect(proposed.document.actions[0].action.function).to.equal("certify");

    const approved = await council[1]!.json("council", "approve", id.slice(0, 14));
    expect(approved.document.state).to.be.oneOf(["waiting", "ready"]);
    let executed = await council[2]!.json("council", "execute", id);
    for (let i = 0; i < 10 && executed.exitCode !== 0; i++)
      executed = await council[2]!.json("council", "execute", id);
    expect(executed.document.state).to.equal("executed");
    const member = (await author.json("framework", "show", newcomer)).document;
    expect(member.controlGroup).to.equal("newcomer-group");
    expect(member.roles[0]).to.include({ role: "querier", status: "active" });

    // Renewal takes over what is not given.
    const renewed = await council[0]!.json(...certify, "--days", "30");
    expect(renewed.document.actions[0].action.function).to.equal("renew");
  });

  it("suspends at once by the votes of the emergency quorum", async () => {
    const member = bank.account.address.toLowerCase();
    const first = await council[0]!.json("council", "suspend", member, "--reason", "key stolen");
    expect(first.document).to.include({ suspended: false, votes: 1, emergencyQuorum: 2 });
    const second = await council[1]!.json("council", "suspend", member, "--reason", "key stolen");
    expect(second.document.suspended).to.equal(true);
    const reported = join(council[0]!.folder, "report.md");
    writeFileSync(reported, "What happened.\n");
    const incident = await council[0]!.json("framework", "incident", member, "--report", "report.md");
    expect(incident.document.proposal.actions[0].action.function).to.equal("reportIncident");
    expect(
      (await author.json("framework", "incident", member, "--report", "a.yaml")).document.error.code,
    ).to.equal("chain_rejected");
  });
});
