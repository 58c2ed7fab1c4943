// Runs docs/console.md as a user would: a chain, the deployment, and the session typed into the console.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));
const guide = readFileSync(join(root, "docs/console.md"), "utf8");
const hardhat = join(root, "node_modules/hardhat/dist/src/cli.js");

/** A deployment folder of its own, so that the one of a developer's local chain stays as it is. */
const deploymentId = `console-test-${process.pid}`;
const children: ChildProcess[] = [];

describe("the guide to the console", function () {
  this.timeout(120_000);
  let url = "";

  before("start a chain", async () => {
    const node = start("node", "--hostname", "127.0.0.1", "--port", "0");
    url = /http:\/\/127\.0\.0\.1:\d+/.exec(await node.until(/JSON-RPC server at \S+/))![0];
  });

  after("stop all that was started", async () => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, "exit");
      child.kill();
      await gone;
    }
    rmSync(join(root, "ignition/deployments", deploymentId), { recursive: true, force: true });
  });

  it("deploys as it says", async () => {
    const deploy = start(...commandOf("ignition deploy"), "--deployment-id", deploymentId);
    expect(await deploy.until(/InternetOfTrustedData#RepositoryDirectory - 0x\w{40}/)).to.include(
      "successfully deployed",
    );
  });

  it("answers every line of the session as it says", async () => {
    const session = start(...commandOf("console"), "--history", "");
    await session.until(/> $/);
    for (const { input, expected } of statements()) {
      const answer = await session.type(input);
      expect(answer, `${input}\n${answer}`).to.not.match(/Uncaught|Error/);
      if (expected !== undefined) expect(answer, input).to.equal(expected);
    }
    await session.end(".exit\n");
  });

  /** A running hardhat whose output can be waited for. */
  function start(...args: string[]) {
    const env = {
      ...process.env,
      FORCE_COLOR: "0",
      ...(url === "" ? {} : { ITD_LOCALHOST_URL: url }),
    };
    const child = spawn(process.execPath, [hardhat, ...args], { cwd: root, env });
    children.push(child);
    let output = "";
    let notify = () => {};
    const hear = (chunk: Buffer) => {
      output += chunk;
      notify();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", () => notify());

    const until = async (pattern: RegExp): Promise<string> => {
      while (!pattern.test(output)) {
        expect(child.exitCode, `hardhat ${args.join(" ")} ended without ${pattern}:\n${output}`).to.equal(
          null,
        );
        await new Promise<void>((resolve) => {
          notify = resolve;
        });
      }
      return output;
    };
    const type = async (input: string): Promise<string> => {
      output = "";
      child.stdin.write(`${input}\n`);
      const answer = await until(/(?:^|\n)> $/);
      return answer.replace(/^(?:\| )+/, "").replace(/\n?> $/, "");
    };
    const end = async (input: string): Promise<void> => {
      const gone = once(child, "exit");
      child.stdin.write(input);
      await gone;
    };
    return { until, type, end };
  }
});

/** The words after `npx hardhat` of the guide's one command that begins so. */
function commandOf(beginning: string): string[] {
  const line = guide.split("\n").find((text) => text.startsWith(`npx hardhat ${beginning}`));
  return line!.split(" ").slice(2);
}

/** The guide's statements, in order; continuation lines are indented or close a bracket. */
function statements(): { input: string; expected: string | undefined }[] {
  const code = [...guide.matchAll(/```js\n([\s\S]*?)```/g)].map((match) => match[1]!).join("");
  return (
    code
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the guide's text
      .replace("chain-${chainId}", deploymentId)
      .trimEnd()
      .split(/\n(?![\s}\])])/)
      .map((statement) => {
        const [input = "", expected] = statement.split(" // ");
        return { input, expected };
      })
  );
}
