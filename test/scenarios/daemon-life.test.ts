// A daemon's life: not ready, ready, told to stop, killed, started twice, cut off from chain and parent.
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { loadConfig } from "../../node/config.ts";
import type { NodeUp } from "../../node/daemon.ts";
import { completeReceipt } from "../../node/data-sharing/querier.ts";
import { startNode } from "../../node/node.ts";
import { expectCode } from "../support/errors.ts";
import { call, until } from "../support/https-call.ts";
import { type Network, passphrase, startNetwork, type TestNode } from "../support/network.ts";
import { algorithm, research } from "../support/repository-world.ts";

const question = { algorithm, parameters: { minimum_age: 16 }, purpose: research };
const environment = { ITD_PASSPHRASE: passphrase };

describe("the life of a daemon", function () {
  this.timeout(120_000);
  let network: Network;
  let directory: TestNode;
  const children: ChildProcess[] = [];

  before(async () => {
    network = await startNetwork({ repositories: 10, queriers: 4 });
    directory = await network.startDirectory();
    await network.publishAlgorithm(algorithm);
  });
  after(() => network?.close());
  afterEach(() => {
    for (const child of children.splice(0)) if (child.exitCode === null) child.kill("SIGKILL");
  });

  const offerOf = (node: TestNode) =>
    until(async () => {
      const { offers } = await network.discover("");
      const own = node.account.address.toLowerCase();
      return offers.find(
        ({ repository, peer }) => repository === own && peer.endpoint === node.running?.endpoint,
      );
    }, "the dataset is found");

  it("takes up its log, budget and answers where it left them", async () => {
    const node = await network.startRepository();
    const { querier } = network.querier();
    const asked = await querier.ask(question, await offerOf(node));
    await node.stop();
    await node.start();
    const offer = await offerOf(node);
    const completed = await until(
      () => completeReceipt(asked.receipt, offer, network.peers),
      "it is anchored",
    );
    expect(completed.transcript).to.deep.equal(asked.transcript);
    const again = await querier.ask(question, offer);
    expect(again.answer).to.deep.equal(asked.answer);
    expect(again.transcript.chargeMicroRho).to.equal("0");
    await node.stop();
  });

  it("refuses questions until its log is anchored, and says so", async () => {
    const node = await network.makeRepository({ settings: { "chain.urls": ["http://127.0.0.1:9"] } });
    const running = await startNode(loadConfig(node.configFile, { ...environment, ITD_LOG_LEVEL: "silent" }));
    try {
      const ready = await call(running.endpoint, "GET /ready");
      expect(ready.status).to.equal(503);
      const codes = ready.json.reasons.map(({ code }: { code: string }) => code);
      expect(codes).to.include.members(["chain_stale", "not_ready"]);
      expect((await call(running.endpoint, "GET /health")).status).to.equal(200);
      const headers = { authorization: "DPoP a.b.c", dpop: "x" };
      const answer = await call(running.endpoint, "POST /v1/data-sharing/answers", { headers });
      expect(answer.json).to.include({ status: 503, code: "not_ready" });
    } finally {
      const startedMs = performance.now();
      await running.close();
      expect(performance.now() - startedMs).to.be.lessThan(6_000);
    }
  });

  it("starts no second daemon on one state folder, and leaves the first alone", async () => {
    const node = await network.startRepository();
    const error = await expectCode(() => startNode(loadConfig(node.configFile, environment)), "state_in_use");
    expect(error.message).to.not.equal("");
    expect((await call(node.running!.endpoint, "GET /ready")).status).to.equal(200);
    const other = fork("node/daemon.ts", ["--config", node.configFile], {
      env: { ...process.env, ...environment },
      silent: true,
    });
    children.push(other);
    const log = textOf(other);
    expect(await exitOf(other)).to.deep.equal({ code: 1, signal: null });
    expect(log.join("")).to.include("state_in_use");
    await node.stop();
  });

  it("says what is wrong with keys, passphrase and deployment, and leaves nothing running", async () => {
    const node = await network.makeRepository();
    const start = (over: Record<string, string>) =>
      startNode(loadConfig(node.configFile, { ...environment, ...over }));
    await expectCode(() => start({ ITD_PASSPHRASE: "wrong" }), "key_wrong_passphrase");
    await expectCode(() => start({ ITD_PASSPHRASE: "" }), "config_invalid");
    await expectCode(() => start({ ITD_ACCOUNT_KEY_FILE: join(node.folder, "none.json") }), "key_not_found");
    await expectCode(() => start({ ITD_DEPLOYMENT_FILE: join(node.folder, "none.json") }), "config_invalid");
    await expectCode(() => start({ ITD_DEPLOYMENT_FILE: node.configFile }), "config_invalid");
    const { port } = new URL(directory.running!.endpoint);
    await expectCode(() => start({ ITD_LISTEN_PORT: port }), "port_in_use");
    await node.start();
    await node.stop();
  });

  it("puts changed datasets on the chain and into the directory by itself", async () => {
    const node = await network.startRepository();
    await offerOf(node);
    const record = join(node.folder, "state/datasets/wages.json");
    writeFileSync(record, readFileSync(record, "utf8").replace('"title": "Wages"', '"title": "Rewritten"'));
    await until(
      async () => (await network.discover("rewritten")).offers.length === 1,
      "the new title is found",
    );
    await node.stop();
  });

  it("gives the catalogue to a directory that was down, once it is up", async () => {
    await directory.stop();
    const node = await network.startRepository();
    await until(() => node.log.some((line) => line.includes("peer_unreachable")), "the directory is missed");
    await directory.start();
    await offerOf(node);
    await node.stop();
  });

  it("ends in order on SIGTERM: what is in flight is answered, state is whole", async () => {
    const node = await network.makeRepository({ settings: { "questions.replySlotMs": 1_500 } });
    const { child, up } = await forked(node);
    node.running = { ...up, close: async () => undefined };
    const { querier } = network.querier();
    const offer = await offerOf(node);
    const asked = querier.ask(question, offer, (stage) => {
      if (stage === "answer") setTimeout(() => child.kill("SIGTERM"), 500);
    });
    const exited = exitOf(child);
    const outcome = await asked.catch((error) => error);
    expect(await exited).to.deep.equal({ code: 0, signal: null });
    // The answer came; the countersignature may have met a closed door.
    if (outcome instanceof Error) expect(outcome).to.include({ code: "peer_unreachable" });
    else expect(outcome.answer).to.not.equal(null);
    node.running = undefined;
    await node.start();
    const metrics = await call(node.running!.endpoint, "GET /metrics");
    expect(metrics.text).to.include('itd_budget_spent_micro_rho{dataset="wages"} 100000');
    await node.stop();
  });

  it("ends when the process that forked it is gone", async () => {
    const node = await network.makeRepository();
    const { child } = await forked(node);
    const exited = exitOf(child);
    child.disconnect();
    expect(await exited).to.deep.equal({ code: 0, signal: null });
  });

  it("comes back after SIGKILL", async () => {
    const node = await network.makeRepository();
    const { child } = await forked(node);
    const exited = exitOf(child);
    child.kill("SIGKILL");
    await exited;
    await node.start();
    await node.stop();
  });

  async function forked(node: TestNode): Promise<{ child: ChildProcess; up: NodeUp }> {
    const child = fork("node/daemon.ts", ["--config", node.configFile], {
      env: { ...process.env, ...environment },
      silent: true,
    });
    children.push(child);
    const log = textOf(child);
    const up = await new Promise<NodeUp>((resolve, reject) => {
      child.once("message", (message) => resolve(message as NodeUp));
      child.once("exit", () => reject(new Error(log.join(""))));
    });
    await until(async () => (await call(up.endpoint, "GET /ready")).status === 200, "the child is ready");
    return { child, up };
  }
});

function textOf(child: ChildProcess): string[] {
  const parts: string[] = [];
  child.stderr!.on("data", (part) => parts.push(String(part)));
  child.stdout!.on("data", () => undefined);
  return parts;
}

function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
}
