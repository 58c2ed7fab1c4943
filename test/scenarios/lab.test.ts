import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";

const itd = resolve("bin/itd.mjs");

interface LabDocument {
  organisations: { id: string; account: string }[];
  queries: {
    algorithm: string;
    dataset: string;
    answer: object[];
    receipt: string;
    anchored: boolean;
    verified: boolean;
  }[];
  chain: { blockNumber: number; transactions: number };
}

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [itd, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** Processes whose command line names the folder. */
function processesOf(folder: string): string[] {
  const { stdout } = spawnSync("ps", ["-eo", "pid,args"], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line.includes(folder) && line.includes("daemon.ts"));
}

async function untilGone(folder: string): Promise<void> {
  for (let waitedMs = 0; processesOf(folder).length > 0; waitedMs += 200) {
    expect(waitedMs, processesOf(folder).join("\n")).to.be.lessThan(20_000);
    await sleep(200);
  }
}

describe("the Living Lab", function () {
  this.timeout(300_000);
  const home = mkdtempSync(join(tmpdir(), "itd-lab-"));
  const state = join(home, "lab");
  const own = join(home, "own.csv");
  let first: LabDocument;
  after(() => rmSync(home, { recursive: true, force: true }));

  it("runs its tour, takes the user's own file, and prints one document", async () => {
    const rows = Array.from({ length: 300 }, (_, i) => `${i},${i % 3 === 0 ? "north" : "south"},${i % 50}`);
    writeFileSync(own, `id,region,spent\n${rows.join("\n")}\n`);
    const { status, stdout, stderr } = run(
      ...["lab", "--once", "--json", "--people", "2000", "--state", state, "--data", own],
    );
    expect(status, stderr).to.equal(0);
    first = JSON.parse(stdout) as LabDocument;
    expect(first.organisations.map(({ id }) => id)).to.have.members([
      "operator",
      "bank",
      "hospital",
      "city",
      "university",
    ]);
    expect(new Set(first.queries.map(({ algorithm }) => algorithm)).size).to.be.at.least(9);
    expect(first.queries.some(({ dataset }) => dataset === "own")).to.equal(true);
    for (const { anchored, verified, answer } of first.queries) {
      expect([anchored, verified, answer.length > 0]).to.deep.equal([true, true, true]);
    }
    expect(first.chain.transactions).to.be.greaterThan(30);
    await untilGone(state);
  });

  it("continues where it stopped: the same answers, a longer chain, receipts that still verify while it runs", async () => {
    const lab = spawn(process.execPath, [itd, "lab", "--json", "--state", state], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = once(lab, "exit");
    let text = "";
    for await (const piece of lab.stdout.setEncoding("utf8")) {
      text += piece;
      if (text.endsWith("\n")) break;
    }
    const second = JSON.parse(text) as LabDocument;
    expect(second.queries.map(({ answer }) => answer)).to.deep.equal(
      first.queries.map(({ answer }) => answer),
    );
    expect(second.chain.blockNumber).to.be.greaterThan(first.chain.blockNumber);
    const { receipt } = first.queries[0]!;
    const valid = run("receipt", "verify", receipt, "--state", state, "--json");
    expect(valid.status, valid.stdout).to.equal(0);
    expect(JSON.parse(valid.stdout).valid).to.equal(true);
    const altered = join(home, "altered.json");
    writeFileSync(altered, readFileSync(receipt, "utf8").replace(/"timeS":(\d)/, '"timeS":2'));
    const invalid = run("receipt", "verify", altered, "--state", state, "--json");
    expect(invalid.status).to.equal(1);
    expect(JSON.parse(invalid.stdout).valid).to.equal(false);
    expect(run("lab", "--once", "--state", state, "--fresh").status, "a running lab is not removed").to.equal(
      1,
    );
    expect(existsSync(receipt)).to.equal(true);
    // As a crash: nothing that it started survives it.
    expect(processesOf(state)).to.have.length(5);
    lab.kill("SIGKILL");
    await ended;
    await untilGone(state);
  });

  it("starts again after the crash, and stops in order on a signal", async () => {
    const lab = spawn(process.execPath, [itd, "lab", "--state", state], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = once(lab, "exit");
    lab.stderr.resume();
    let text = "";
    for await (const piece of lab.stdout.setEncoding("utf8")) {
      text += piece;
      if (text.includes("receipt verify")) break;
    }
    lab.kill("SIGINT");
    expect(await ended).to.deep.equal([0, null]);
    expect(processesOf(state)).to.deep.equal([]);
  });

  it("removes nothing that is no lab", () => {
    const foreign = join(home, "thesis");
    mkdirSync(foreign);
    writeFileSync(join(foreign, "lab.json"), '{"name":"my robotics lab"}');
    writeFileSync(join(foreign, "chapter-1.txt"), "years of work");
    const { status, stderr } = run("lab", "--once", "--state", foreign, "--fresh");
    expect(status).to.equal(1);
    expect(stderr).to.contain("lab_folder_foreign");
    expect(existsSync(join(foreign, "chapter-1.txt"))).to.equal(true);
  });
});
