// A state folder that two daemons want, and a disk that fills up under a running one: by SQLite's own limit, and where the machine lets a
// process have a small file system of its own (Linux), by a disk that is really full.
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { BaseWallet } from "ethers";
import { bandAlgorithm, bandQuestion, wagesFor } from "../support/band-question.ts";
import { call, until } from "../support/https-call.ts";
import { freePort, type NodeProcess } from "../support/node-process.ts";
import { ProcessNetwork } from "../support/process-network.ts";
import { readWholeLog } from "../support/whole-log.ts";
import type { WireQuestion } from "../support/wire-question.ts";

const fullDisk = new URL("../support/full-disk.ts", import.meta.url).href;
const smallDisk = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"];
const mount = 'mount -t tmpfs -o size=3m,mode=700 state "$0"';

/** How a test fills the disk of a daemon up to some pages of 4 KiB, and frees it. */
interface Disk {
  process: NodeProcess;
  fill(pagesLeft: number): Promise<void>;
  free(): Promise<void>;
}

/** A question takes about ten pages from request to signature, so that each of its steps is the one that fails in some round. */
const rounds = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

describe("the state folder of a daemon", function () {
  this.timeout(120_000);
  let world: ProcessNetwork;
  let directory: NodeProcess;
  let account: BaseWallet;

  before(async () => {
    world = await ProcessNetwork.start({ repositories: 3, directories: 1, queriers: 1 });
    directory = await (await world.directory()).start();
    ({ account } = world.network.querier());
    await world.publish(bandAlgorithm, [directory]);
  });
  after(() => world.close());

  async function repositoryWith(options: { nodeOptions?: string[]; within?: string[] } = {}) {
    const node = {
      datasets: [await wagesFor(1_500, { reserved: 500 })],
      settings: { "listen.port": await freePort() },
    };
    return await world.repository(node, options);
  }

  it("is for one daemon at a time: a second one ends at once and says why, and the first goes on", async () => {
    const first = await (await repositoryWith()).start();
    const second = world.again(first);
    second.launch();
    expect(await second.exited).to.equal(1);
    const [line] = second.logged("state_in_use");
    expect(JSON.parse(line!)).to.include({ level: 60 });
    expect(line).to.include("Another daemon runs on this state folder");
    expect(second.stderr).to.not.match(/\n\s+at /);
    expect((await call(first.endpoint, "GET /ready")).status).to.equal(200);
    expect(await first.stop()).to.equal(0);
  });

  it("stays whole when SQLite cannot make its file grow", async () => {
    const process = await repositoryWith({ nodeOptions: ["--import", fullDisk] });
    const fill = async (pages: number) => await process.tell({ pages });
    await survives({ process, fill, free: async () => await fill(1_000_000) });
  });

  if (canMount()) {
    it("stays whole on a file system without space", async () => {
      const process = await repositoryWith();
      const state = join(process.node.folder, "state");
      const copy = `${state}-files`;
      renameSync(state, copy);
      mkdirSync(state);
      const start = `${mount} && cp -R "$1"/. "$0" && shift && exec "$@"`;
      const inside = world.again(process, { within: [...smallDisk, start, state, copy] });
      // What the process sees under its own root, from outside.
      const ballast = () => join("/proc", String(inside.pid), "root", state, "ballast");
      const fill = async (pagesLeft: number) => {
        const block = Buffer.alloc(4_096);
        expect(() => {
          for (;;) writeFileSync(ballast(), block, { flag: "a" });
        }).to.throw(/ENOSPC/);
        truncateSync(ballast(), Math.max(0, statSync(ballast()).size - pagesLeft * block.length));
      };
      await survives({ process: inside, fill, free: async () => rmSync(ballast()) });
    });
  }

  /**
   * Asks until the disk is full, and while it is; nothing may be half done, and all goes on when there is space again. The process stays
   * alive: nothing was changed, so nothing that it believes is wrong.
   */
  async function survives({ process, fill, free }: Disk): Promise<void> {
    await process.start();
    const offer = await until(async () => {
      const { offers } = await world.network.discover("wages");
      return offers.find(({ repository }) => repository === process.address);
    }, "the repository is found");
    const asked: WireQuestion[] = [];
    const make = async () => {
      const question = await world.wireQuestion(bandQuestion(asked.length), offer, account);
      asked.push(question);
      return question;
    };
    await (await make()).askPersistently();

    const failed = new Set<string>();
    for (const pagesLeft of rounds) {
      await fill(pagesLeft);
      const step = await until(async () => await failingStep(await make()), "the disk is full");
      failed.add(step);
      expect((await call(process.endpoint, "GET /health")).status).to.equal(200);
      await free();
    }
    expect([...failed], "some question had been charged when its reply found no space").to.include("answer");

    for (const question of asked) await question.askPersistently();
    const paid = asked.filter(({ reply }) => reply.transcript.outcome === "answered");
    expect(paid.length).to.equal(asked.length);
    const sum = paid.reduce((total, { reply }) => total + BigInt(reply.transcript.chargeMicroRho), 0n);
    const log = await until(async () => {
      const read = await readWholeLog(world.network, process.endpoint, offer.repository, offer.dataset);
      return read.leaves.length === asked.length && read;
    }, "all of it is anchored");
    expect(log.spent).to.equal(sum);
    expect(new Set(log.leaves).size).to.equal(asked.length);
    expect(await process.stop()).to.equal(0);
  }
});

/** The first step of a question that finds no space; undefined if it went through. */
async function failingStep(question: WireQuestion): Promise<string | undefined> {
  const steps = [
    ["authorise", () => question.authoriseOnce()],
    ["answer", () => question.answerOnce()],
    ["countersign", () => question.countersignOnce()],
  ] as const;
  for (const [step, ask] of steps) {
    const { status, json, text } = await ask();
    if (status === 200) continue;
    expect(json, text).to.include({ status: 503, code: "storage_full" });
    expect(text).to.not.match(/\.ts\b|node_modules|SQLITE|database/i);
    return step;
  }
  return undefined;
}

/** Whether an ordinary process may have a file system of its own here. */
function canMount(): boolean {
  return spawnSync(smallDisk[0]!, [...smallDisk.slice(1), mount, "/mnt"], { timeout: 5_000 }).status === 0;
}
