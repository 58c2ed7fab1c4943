// From discovery to verified receipts over daemons that are processes of their own, with machines that are down and directories that lie.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { openDatasetStore } from "../../node/adapters/duckdb/duckdb-dataset-store.ts";
import { SystemRandomness } from "../../node/adapters/system-randomness.ts";
import { askAll } from "../../node/data-sharing/ask-all.ts";
import type { DatasetOffer } from "../../node/data-sharing/discover.ts";
import type { Querier } from "../../node/data-sharing/querier.ts";
import { combineAnswers } from "../../node/data-sharing/release/combine.ts";
import { datasetsFolderName } from "../../node/repository-role.ts";
import { bandAlgorithm, bandQuestion, wagesFor } from "../support/band-question.ts";
import { call, until } from "../support/https-call.ts";
import { LyingDirectory } from "../support/lying-directory.ts";
import { wages } from "../support/network.ts";
import type { NodeProcess } from "../support/node-process.ts";
import { failedChecks, ProcessNetwork } from "../support/process-network.ts";
import { algorithm, research } from "../support/repository-world.ts";

const everyone = { algorithm, parameters: { minimum_age: 16 }, purpose: research };

describe("a question over a network of processes", function () {
  this.timeout(120_000);
  let world: ProcessNetwork;
  let repositories: NodeProcess[];
  let directories: NodeProcess[];
  let liar: LyingDirectory;
  let querier: Querier;
  let offers: DatasetOffer[];

  before(async () => {
    world = await ProcessNetwork.start({ repositories: 2, directories: 3 });
    const node = async () => ({ datasets: [await wagesFor(500, { reserved: 20 })] });
    repositories = [await world.repository(await node()), await world.repository(await node())];
    directories = [await world.directory(), await world.directory()];
    await Promise.all([...repositories, ...directories].map((process) => process.start()));
    await world.publish(algorithm, directories);
    await world.publish(bandAlgorithm, directories);
    querier = world.network.querier().querier;
    offers = await world.offers(2);
    liar = await LyingDirectory.start(world.network, () => directories[1]!.endpoint);
  });
  after(async () => {
    await liar.close();
    await world.close();
  });

  it("is answered by both repositories, combined, anchored and proved by receipts", async () => {
    const { answered, failures } = await askAll(querier, everyone, offers);
    expect(failures).to.deep.equal([]);
    expect(answered.length).to.equal(2);
    const combined = combineAnswers(answered.map(({ plan, answer }) => ({ plan: plan!, released: answer! })));
    expect(combined.repositories).to.equal(2);
    // 50 union members and 150 others in each; the noise of two answers is far below 60.
    const people = combined.rows.map(({ values }) => Number(values[1]));
    expect(people[0]).to.be.within(240, 360);
    expect(people[1]).to.be.within(40, 160);
    for (const { receipt, offer } of answered)
      expect(failedChecks(await world.verified(receipt, offer))).to.deep.equal([]);
  });

  it("names the repository that is down, and the other one answers", async () => {
    const [down, up] = repositories as [NodeProcess, NodeProcess];
    await down.kill();
    const { answered, failures } = await askAll(querier, bandQuestion(1), offers);
    expect(answered.map(({ offer }) => offer.repository)).to.deep.equal([up.address]);
    expect(failures.map(({ offer, code }) => [offer.repository, code])).to.deep.equal([
      [down.address, "peer_unreachable"],
    ]);
    expect(failures[0]!.message).to.include(down.endpoint).and.to.match(/\.$/);
    await down.start();
    // It came back elsewhere, and says so on the chain; the directories hear of it at once.
    const found = await until(async () => {
      const now = await world.offers(2);
      return now.some(({ peer }) => peer.endpoint === down.endpoint) && now;
    }, "it is found again");
    offers = found;
    expect((await askAll(querier, bandQuestion(1), offers)).answered.length).to.equal(2);
  });

  it("reports a directory that alters what it serves, and the others make it good", async () => {
    const honest = await world.network.discover("wages");
    expect(honest.problems).to.deep.equal([]);
    const lies: [string, (text: string) => string][] = [
      ["a title", (text) => text.replaceAll('"Wages"', '"Wages of everybody"')],
      ["a budget", (text) => text.replaceAll('"totalMicroRho":"5', '"totalMicroRho":"9')],
      ["a bound", (text) => text.replaceAll('"bounds":[0,50]', '"bounds":[0,51]')],
      ["a publisher", (text) => text.replaceAll("Test repository", "Someone")],
    ];
    for (const [what, lie] of lies) {
      liar.lie = lie;
      const { offers: found, problems } = await world.network.discover("wages");
      expect(problems.length, what).to.be.greaterThan(0);
      for (const { directory, code, message } of problems) {
        expect([directory, code]).to.deep.equal([liar.endpoint, "catalogue_altered"]);
        expect(message).to.include(liar.endpoint).and.to.match(/\.$/);
      }
      expect(found, what).to.deep.equal(honest.offers);
    }
  });

  it("reports a directory that answers with something else, or not at all", async () => {
    const answers: [string, (text: string) => string][] = [
      ["peer_answer_invalid", () => "[{}]"],
      ["peer_answer_invalid", () => '[{"catalogue":1,"catalogue":2}]'],
      ["peer_answer_invalid", () => "<html>"],
    ];
    for (const [code, lie] of answers) {
      liar.lie = lie;
      const { offers: found, problems } = await world.network.discover("wages");
      expect(problems.map((problem) => problem.code)).to.deep.equal([code]);
      expect(found.length).to.equal(2);
    }
    // A directory may leave something out: that is no lie that can be shown, and the others make it good.
    liar.lie = () => "[]";
    const partial = await world.network.discover("wages");
    expect(partial.problems).to.deep.equal([]);
    expect(partial.offers.length).to.equal(2);
  });

  it("leaves out what somebody altered in the stored catalogue of an honest directory", async () => {
    const [changed] = directories as [NodeProcess];
    await changed.stop();
    const database = new DatabaseSync(join(changed.node.folder, "state", "state.sqlite"));
    database.exec("UPDATE descriptions SET description = replace(description, '\"Wages\"', '\"Salaries\"')");
    database.close();
    // Both repositories are quiet now, and would send their catalogues again only in minutes.
    await changed.start();
    liar.lie = () => "[]";
    const shown = await call(changed.endpoint, "GET /v1/directory/datasets?search=");
    const { offers: found } = await world.network.discover("wages");
    expect(found.length).to.equal(2);
    expect(shown.text).to.not.include("Salaries");
  });

  it("reports a directory that serves yesterday's catalogue", async () => {
    const stale = (await call(directories[1]!.endpoint, "GET /v1/directory/datasets?search=wages")).text;
    const folder = join(repositories[0]!.node.folder, "state", datasetsFolderName);
    const { manifest: first } = await wagesFor(500, { reserved: 20 });
    const { manifest, csv } = await wages("wages-2", {
      budget: first.budget,
      title: "Wages of a second year",
    });
    const file = join(repositories[0]!.node.folder, "second.csv");
    writeFileSync(file, csv);
    await openDatasetStore({ folder, randomness: new SystemRandomness() }).importFile(file, manifest);
    liar.lie = () => "[]";
    await world.offers(3);
    liar.lie = () => stale;
    const { offers: found, problems } = await world.network.discover("wages");
    expect(problems.map(({ directory, code }) => [directory, code])).to.deep.equal([
      [liar.endpoint, "catalogue_altered"],
    ]);
    expect(problems[0]!.message).to.include("out of date");
    expect(found.map(({ manifest: { name } }) => name).sort()).to.deep.equal(["wages", "wages", "wages-2"]);
  });

  it("finds and asks with one directory down, and says which", async () => {
    liar.lie = () => "[]";
    const [down] = directories as [NodeProcess];
    await down.kill();
    const { offers: found, problems } = await world.network.discover("wages");
    expect(problems.map(({ directory, code }) => [directory, code])).to.deep.equal([
      [down.endpoint, "peer_unreachable"],
    ]);
    expect(found.length).to.equal(3);
    // The second year's budget is on the chain with the next batch only.
    let asked = await askAll(querier, bandQuestion(2), found);
    for (let attempt = 1; attempt < 20 && asked.failures.length > 0; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      asked = await askAll(querier, bandQuestion(2), found);
    }
    expect(asked.failures.map(({ message }) => message)).to.deep.equal([]);
    expect(asked.answered.length).to.equal(3);
  });
});
