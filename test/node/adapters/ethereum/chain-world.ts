// A real chain over HTTP with the five contracts on it, a council of three, and a connection that can be disturbed.
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type BaseContract,
  ContractFactory,
  type HDNodeWallet,
  type InterfaceAbi,
  JsonRpcProvider,
  Mnemonic,
  NonceManager,
  HDNodeWallet as Wallets,
} from "ethers";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";
import {
  type ChainConnection,
  type ChainOptions,
  openChain,
} from "../../../../node/adapters/ethereum/chain-connection.ts";
import { EthereumCouncilWriter } from "../../../../node/adapters/ethereum/ethereum-council-writer.ts";
import { EthereumSender } from "../../../../node/adapters/ethereum/ethereum-sender.ts";
import { TrustedDataError } from "../../../../node/errors.ts";
import type { Deployment } from "../../../../node/ledger/deployment.ts";
import { type Hex, sha256Hex } from "../../../../node/primitives/hex.ts";
import type {
  CertificationTerms,
  CouncilAction,
  FrameworkTerms,
} from "../../../../node/trust-framework/council-action.ts";

const mnemonic = Mnemonic.fromPhrase("test test test test test test test test test test test junk");
export const delaySeconds = 2;

/** Hardhat's account of this index; the first three are the council. */
export function account(index: number): HDNodeWallet {
  return Wallets.fromMnemonic(mnemonic, `m/44'/60'/0'/0/${index}`);
}

export class ChainWorld {
  readonly url: string;
  readonly deployment: Deployment;
  readonly provider: JsonRpcProvider;
  readonly #server: { close(): Promise<void> };
  readonly #connections: ChainConnection[] = [];
  #salts = 0;

  constructor(
    url: string,
    deployment: Deployment,
    provider: JsonRpcProvider,
    server: { close(): Promise<void> },
  ) {
    this.url = url;
    this.deployment = deployment;
    this.provider = provider;
    this.#server = server;
  }

  static async start(): Promise<ChainWorld> {
    // Not the project's Hardhat: its plugins change chai for every test in the process.
    const { network } = await createHardhatRuntimeEnvironment({}, {}, process.cwd());
    const server = await network.createServer({ network: "default", chainType: "l1" }, "127.0.0.1", 0);
    const { port } = await server.listen();
    const url = `http://127.0.0.1:${port}`;
    const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1, pollingInterval: 50 });
    const deployer = new NonceManager(account(19).connect(provider));
    const deploy = async (name: string, args: unknown[] = []) => {
      const { abi, bytecode } = artifact(name);
      const contract: BaseContract = await new ContractFactory(abi, bytecode, deployer).deploy(...args);
      await contract.waitForDeployment();
      return (await contract.getAddress()).toLowerCase();
    };
    const seats = [0, 1, 2].map((i) => account(i).address);
    const trustCouncil = await deploy("TrustCouncil", [seats, 2, 2, delaySeconds]);
    const trustFramework = await deploy("TrustFramework", [trustCouncil]);
    const algorithmRegistry = await deploy("AlgorithmRegistry", [trustFramework, trustCouncil, 2]);
    const repositoryDirectory = await deploy("RepositoryDirectory", [trustFramework]);
    const auditAnchor = await deploy("AuditAnchor");
    const contracts = { trustCouncil, trustFramework, algorithmRegistry, repositoryDirectory, auditAnchor };
    return new ChainWorld(url, { chainId: 31337, contracts }, provider, server);
  }

  open(options: Partial<ChainOptions> = {}): ChainConnection {
    const chain = openChain({
      urls: [this.url],
      deployment: this.deployment,
      finalityDepth: 0,
      timeoutMs: 3_000,
      pollMs: 20,
      ...options,
    });
    this.#connections.push(chain);
    return chain;
  }

  sender(index: number, chain: ChainConnection, mineTimeoutMs = 20_000): EthereumSender {
    return new EthereumSender({ mineTimeoutMs }, { chain, key: account(index) });
  }

  /** Proposed by one member, approved by another, waited for, executed. */
  async decide(...actions: CouncilAction[]): Promise<Hex> {
    const chain = this.open();
    const member = (index: number) => new EthereumCouncilWriter({ chain, sender: this.sender(index, chain) });
    const id = await member(0).propose(actions, "a decision", sha256Hex(`salt ${++this.#salts}`));
    await member(1).approve(id);
    await this.passTime(delaySeconds);
    await member(2).execute(id);
    return id;
  }

  async mine(blocks = 1): Promise<void> {
    await this.provider.send("hardhat_mine", [`0x${blocks.toString(16)}`]);
  }

  async passTime(seconds: number): Promise<void> {
    await this.provider.send("evm_increaseTime", [seconds]);
    await this.mine();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#connections.map((chain) => chain.close()));
    this.provider.destroy();
    await this.#server.close();
  }
}

/** Complete terms under the framework "eu"; valid from 1970 to 2100 unless told otherwise. */
export function certificationTerms(changes: Partial<CertificationTerms> = {}): CertificationTerms {
  return {
    framework: "eu",
    jurisdiction: "EU",
    controlGroup: "group-a",
    maxGrade: 2,
    validFromS: 0,
    validUntilS: Date.UTC(2100, 0) / 1000,
    identityPolicyHash: sha256Hex("identity policy"),
    securityPolicyHash: sha256Hex("security policy"),
    privacyPolicyHash: sha256Hex("privacy policy"),
    dataClasses: [],
    ...changes,
  };
}

export const euRules: FrameworkTerms = {
  rulesHash: sha256Hex("rules"),
  rulesUri: "https://example.org/rules",
  jurisdiction: "EU",
  levels: ["low", "substantial", "high"],
};

const folders: Record<string, string> = {
  AuditAnchor: "ledger",
  AlgorithmRegistry: "data-sharing",
  RepositoryDirectory: "data-sharing",
};

export function artifact(name: string): { abi: InterfaceAbi; bytecode: string } {
  const folder = folders[name] ?? "trust-framework";
  return JSON.parse(readFileSync(`artifacts/contracts/${folder}/${name}.sol/${name}.json`, "utf8"));
}

/** What a proxy does with a call: passes it on, passes it on but keeps the answer, does nothing at all, or answers with an error. */
export type Treatment =
  | "pass"
  | "swallow-answer"
  | "hang"
  | { code: number; message: string; data?: unknown };

/** Stands before a chain and disturbs single calls. */
export class DisturbingProxy {
  readonly url: string;
  readonly #server: Server;
  treat: (method: string, params: unknown[]) => Treatment | Promise<Treatment> = () => "pass";
  /** Changes the answer's text. */
  rewrite: (method: string, text: string) => string = (_, text) => text;
  readonly seen: string[] = [];

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(target: string): Promise<DisturbingProxy> {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const { method, params } = JSON.parse(String(body)) as { method: string; params: unknown[] };
      proxy.seen.push(method);
      const treatment = await proxy.treat(method, params);
      if (treatment === "hang") return;
      if (typeof treatment === "object") {
        return void response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, error: treatment }));
      }
      const answer = await fetch(target, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      const text = proxy.rewrite(method, await answer.text());
      if (treatment === "swallow-answer") return void response.destroy();
      response.writeHead(answer.status, { "content-type": "application/json" }).end(text);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new DisturbingProxy(server);
    return proxy;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export async function failureOf(promise: Promise<unknown>): Promise<TrustedDataError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof TrustedDataError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}
