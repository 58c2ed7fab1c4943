// People give and withdraw consent by the real command, at daemons that are processes of their own: answers follow, receipts are anchored.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Wallet } from "ethers";
import type { DatasetOffer } from "../../node/data-sharing/discover.ts";
import { algorithmManifestSchema } from "../../node/data-sharing/manifests/algorithm-manifest.ts";
import type { Querier } from "../../node/data-sharing/querier.ts";
import { call, until } from "../support/https-call.ts";
import { Itd } from "../support/itd.ts";
import { wages } from "../support/network.ts";
import type { NodeProcess } from "../support/node-process.ts";
import { failedChecks, ProcessNetwork } from "../support/process-network.ts";
import { research } from "../support/repository-world.ts";

const marketing = "dpv:Marketing";
const versionMs = 3_000;
/** Rho of 10,000: the noise of a count is hardly ever as large as one. */
const microRho = 10_000_000_000n;

const counting = algorithmManifestSchema.parse({
  name: "how-many",
  title: "How many people",
  description: "The number of people.",
  version: 1,
  kind: "sql",
  dataClass: "wages",
  table: "wages",
  sql: "SELECT COUNT(*) AS people FROM wages WHERE age >= param.least",
  parameters: { least: { type: "integer", minimum: 16, maximum: 99, default: 16 } },
  microRho: microRho.toString(),
  purposes: [research, marketing],
});

describe("consent over a network of processes", function () {
  this.timeout(180_000);
  let world: ProcessNetwork;
  let repository: NodeProcess;
  let querier: Querier;
  let people: Itd[];
  let custodian: Itd;
  const accounts = Array.from({ length: 3 }, () => new Wallet(Wallet.createRandom().privateKey));

  before(async () => {
    world = await ProcessNetwork.start({ repositories: 1, directories: 1 });
    const budget = {
      totalMicroRho: "900000000000",
      perQuerierMicroRho: "900000000000",
      reservedMicroRho: "100000000000",
    };
    const dataset = await wages("wages", {
      budget,
      consent: "required",
      purposes: [research, marketing],
      minimumPeople: 0,
    });
    const settings = { "questions.consentVersionSeconds": versionMs / 1000 };
    repository = await world.repository({ datasets: [dataset], settings });
    const directory = await world.directory();
    await Promise.all([repository.start(), directory.start()]);
    await world.publish(counting, [directory]);
    querier = world.network.querier().querier;
    people = await Promise.all(accounts.map((account) => Itd.for(world.network, account)));
    custodian = people[0]!;
    await world.offers(1);
  });
  after(() => world.close());

  const offer = async (): Promise<DatasetOffer> => (await world.offers(1))[0]!;

  /** What is released in the next consent version, and its receipt verified. */
  async function nextCount(purpose = research): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, versionMs - (Date.now() % versionMs) + 50));
    const target = await offer();
    const asked = await querier.ask({ algorithm: counting, parameters: {}, purpose }, target);
    expect(asked.reason).to.equal(null);
    expect(asked.transcript.consentVersion).to.be.greaterThan(0);
    expect(failedChecks(await world.verified(asked.receipt, target))).to.deep.equal([]);
    return Number(asked.answer!.values[0]![0]);
  }

  it("answers over nobody before anybody is enrolled or has consented", async () => {
    expect(await nextCount()).to.equal(0);
    const { exitCode, document } = await people[0]!.json(
      "consent",
      "grant",
      "--dataset",
      "wages",
      "--purpose",
      research,
    );
    expect([exitCode, document.error.code]).to.deep.equal([1, "consent_key_unknown"]);
  });

  it("is given by those whom the custodian has enrolled, and answers follow", async () => {
    const config = ["--config", repository.node.configFile];
    const one = ["--person", "person-0", "--key", accounts[0]!.address];
    const enrolled = await custodian.json("consent", "enrol", "--dataset", "wages", ...one, ...config);
    expect(enrolled.document).to.include({ enrolled: 1, total: 1 });
    const list = join(custodian.folder, "people.csv");
    const lines = accounts.slice(1).map(({ address }, i) => `person-${i + 1},${address}`);
    writeFileSync(list, ["person,key", ...lines, ""].join("\n"));
    const more = await custodian.json("consent", "enrol", "--dataset", "wages", "--file", list, ...config);
    expect(more.document).to.include({ enrolled: 2, total: 3 });

    const grant = (person: Itd, purpose: string) =>
      person.json("consent", "grant", "--dataset", "wages", "--purpose", purpose);
    for (const [person, purpose] of [
      [people[0]!, research],
      [people[1]!, research],
      [people[2]!, marketing],
    ] as const) {
      const { exitCode, document, err } = await grant(person, purpose);
      expect(exitCode, err).to.equal(0);
      expect(document).to.include({ state: "given", acknowledged: true });
    }
    expect(await nextCount()).to.equal(2);
    expect(await nextCount(marketing)).to.equal(1);
  });

  it("is withdrawn, and the next version's answer is without the person, also after a crash", async () => {
    const { exitCode, err } = await people[1]!.run("consent", "withdraw", "--dataset", "wages");
    expect(exitCode, err).to.equal(0);
    expect(await nextCount()).to.equal(1);
    await repository.kill();
    await repository.start();
    await until(async () => (await offer()).peer.endpoint === repository.endpoint, "it is found again");
    expect(await nextCount()).to.equal(1);
  });

  it("is listed with its place in the log, checked against the chain", async () => {
    const listed = await until(async () => {
      const { document } = await people[1]!.json("consent", "list");
      return document.consents.every((one: { anchored: boolean }) => one.anchored) && document.consents;
    }, "both receipts are anchored");
    expect(
      listed.map(({ state, inForce }: { state: string; inForce: string[] }) => [state, inForce]),
    ).to.deep.equal([
      ["given", []],
      ["withdrawn", []],
    ]);
    const first = await people[0]!.run("consent", "list");
    expect(first.out).to.match(/wages.*given.*anchored/);
    const counts = await until(async () => {
      const { document } = await custodian.json("consent", "counts", "--config", repository.node.configFile);
      return document.datasets[0].consenting?.[research] === 1 && document.datasets[0];
    }, "the custodian's counts");
    expect(counts).to.deep.include({ dataset: "wages", enrolled: 3 });
    expect(counts.consenting).to.deep.equal({ [research]: 1, [marketing]: 1 });
  });

  it("is taken from nobody who only claims to be somebody", async () => {
    const documents = ["{}", "[]", '{"receipt":{},"signature":"0x","entrySignature":"0x"}'];
    for (const body of documents) {
      const headers = { "content-type": "application/json" };
      const { status } = await call(repository.endpoint, "POST /v1/data-sharing/consents", { headers, body });
      expect(status).to.equal(400);
    }
    const stranger = await Itd.for(world.network, world.network.take("stranger"));
    const { document } = await stranger.json("consent", "withdraw", "--dataset", "wages");
    expect(document.error.code).to.equal("consent_key_unknown");
    expect(await nextCount()).to.equal(1);
  });
});
