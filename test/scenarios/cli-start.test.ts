import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

/** Says what it was given, and ends as it is told. */
const main = `
if (process.argv[2] === "wait") {
  process.on("SIGTERM", () => process.exit(7));
  process.on("SIGINT", () => process.exit(8));
  setTimeout(() => {}, 30000);
} else process.exitCode = Number(process.argv[2] as string);
// Last, as who reads it may send a signal.
const { pid, env } = process;
console.log(JSON.stringify({ args: process.argv.slice(2), pid, kept: env.NODE_COMPILE_CACHE }));
`;

describe("bin/itd", () => {
  let folder: string;

  /** A clone whose pinned Node calls itself `version`. */
  function clone(version: string | undefined): string {
    cpSync("bin", join(folder, "bin"), { recursive: true });
    mkdirSync(join(folder, "node"));
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(join(folder, "node", "main.ts"), main);
    if (version !== undefined) {
      mkdirSync(join(folder, "node_modules", "node", "bin"), { recursive: true });
      writeFileSync(join(folder, "node_modules", "node", "package.json"), JSON.stringify({ version }));
      symlinkSync(process.execPath, join(folder, "node_modules", "node", "bin", "node"));
    }
    return join(folder, "bin", "itd.mjs");
  }

  async function started(script: string, args: string[], kept = "") {
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NODE_COMPILE_CACHE: kept },
    });
    const [first] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
    const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    return { child, ended, said: JSON.parse(first) as { args: string[]; pid: number; kept: string } };
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "itd-bin-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const [what, version, isSame] of [
    ["the pinned Node itself", process.versions.node, true],
    ["another Node, which starts the pinned one", "20.20.0", false],
    ["the Node that there is, where none is pinned", undefined, true],
  ] as const) {
    it(`runs under ${what}, with arguments and exit code as they are`, async () => {
      const { child, ended, said } = await started(clone(version), ["5", "a b", "*", ""]);
      expect(said.args).to.deep.equal(["5", "a b", "*", ""]);
      expect(said.pid === child.pid).to.equal(isSame);
      expect(await ended).to.deep.equal([5, null]);
    });
  }

  for (const [signal, code] of [
    ["SIGTERM", 7],
    ["SIGINT", 8],
  ] as const) {
    it(`passes ${signal} on to the pinned Node and ends as that does`, async () => {
      const { child, ended } = await started(clone("20.20.0"), ["wait"]);
      child.kill(signal);
      expect(await ended).to.deep.equal([code, null]);
    });
  }

  it("ends with the number of the signal that killed the command", async () => {
    const { ended, said } = await started(clone("20.20.0"), ["wait"]);
    process.kill(said.pid, "SIGKILL");
    expect(await ended).to.deep.equal([137, null]);
  });

  for (const [what, version] of [
    ["of its own", process.versions.node],
    ["of the pinned Node", "20.20.0"],
  ] as const) {
    it(`keeps the compiled code ${what} beside the packages, for what it starts as well`, async () => {
      const { ended, said } = await started(clone(version), ["0"]);
      expect(await ended).to.deep.equal([0, null]);
      expect(said.kept).to.equal(join(folder, "node_modules", ".cache", "itd"));
      expect(readdirSync(said.kept)).to.not.deep.equal([]);
    });
  }

  it("keeps the compiled code where it is told to", async () => {
    const { ended, said } = await started(clone(process.versions.node), ["0"], join(folder, "kept"));
    expect(await ended).to.deep.equal([0, null]);
    expect(said.kept).to.equal(join(folder, "kept"));
    expect(readdirSync(said.kept)).to.not.deep.equal([]);
    expect(existsSync(join(folder, "node_modules", ".cache"))).to.equal(false);
  });

  it("runs where it can keep nothing", async () => {
    const script = clone(process.versions.node);
    writeFileSync(join(folder, "node_modules", ".cache"), "no folder");
    const { ended, said } = await started(script, ["6"]);
    expect(said.args).to.deep.equal(["6"]);
    expect(await ended).to.deep.equal([6, null]);
  });

  it("is written for Node 20, and is what package.json names", () => {
    expect(JSON.parse(readFileSync("package.json", "utf8")).bin).to.deep.equal({ itd: "bin/itd.mjs" });
    expect(readFileSync("bin/itd.mjs", "utf8")).to.match(/^#!\/usr\/bin\/env node\n/);
  });
});
