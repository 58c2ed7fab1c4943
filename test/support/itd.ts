// The real command in a process of its own, for one account of a test network.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { type BaseWallet, encryptKeystoreJson, type Wallet } from "ethers";
import { writeSecretFile } from "../../node/adapters/keys/secret-file.ts";
import type { Network } from "./network.ts";

export interface Ended {
  exitCode: number | null;
  out: string;
  err: string;
}

export class Itd {
  /** The working folder of its commands. */
  readonly folder: string;
  readonly clientFile: string;

  private constructor(folder: string, clientFile: string) {
    this.folder = folder;
    this.clientFile = clientFile;
  }

  static async for(network: Network, account: BaseWallet, chainUrl = network.chainUrl): Promise<Itd> {
    const folder = await mkdtemp(join(network.folder, "client-"));
    const { address, privateKey } = account as Wallet;
    const key = await encryptKeystoreJson({ address, privateKey }, "secret", { scrypt: { N: 2 } });
    await writeSecretFile(join(folder, "account.json"), key);
    await writeSecretFile(join(folder, "passphrase"), "secret\n");
    const clientFile = join(folder, "client.yaml");
    writeFileSync(
      clientFile,
      JSON.stringify({
        name: "Test querier",
        chain: { urls: [chainUrl], finalityDepth: 0 },
        deployment: network.deploymentFile,
        account: { file: "account.json", passphraseFile: "passphrase" },
        receipts: "receipts",
      }),
    );
    return new Itd(folder, clientFile);
  }

  async run(...args: string[]): Promise<Ended> {
    const bin = new URL("../../bin/itd.mjs", import.meta.url).pathname;
    const child = spawn(process.execPath, [bin, ...args, "--client", this.clientFile], {
      cwd: this.folder,
      env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      err += text;
    });
    const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));
    return { exitCode, out, err };
  }

  /** With `--json`: stdout must be one document and nothing else. */
  async json(...args: string[]): Promise<Ended & { document: ReturnType<typeof JSON.parse> }> {
    const ended = await this.run(...args, "--json");
    return { ...ended, document: JSON.parse(ended.out) };
  }
}
