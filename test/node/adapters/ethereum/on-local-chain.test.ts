import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContractFactory, JsonRpcProvider, NonceManager } from "ethers";
import { type ChainConnection, openChain } from "../../../../node/adapters/ethereum/chain-connection.ts";
import { EthereumAnchorWriter } from "../../../../node/adapters/ethereum/ethereum-anchor-writer.ts";
import { EthereumLedger } from "../../../../node/adapters/ethereum/ethereum-ledger.ts";
import { EthereumSender } from "../../../../node/adapters/ethereum/ethereum-sender.ts";
import { type LocalChain, startLocalChain } from "../../../../node/adapters/local-chain/local-chain.ts";
import type { Clock } from "../../../../node/ledger/ports.ts";
import { describeAnchorChain } from "../../../ports/anchor-chain.ts";
import { account, artifact } from "./chain-world.ts";

const realTime: Clock = {
  nowMs: () => Date.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, delayMs);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};

describe("the ledger on the Living Lab's chain", () => {
  let folder: string;
  let local: LocalChain;
  let provider: JsonRpcProvider;
  let auditAnchor: string;
  let next = 0;
  const connections: ChainConnection[] = [];
  const open = () => {
    const nowhere = `0x${"11".repeat(20)}`;
    const others = {
      trustCouncil: nowhere,
      trustFramework: nowhere,
      algorithmRegistry: nowhere,
      repositoryDirectory: nowhere,
    };
    const deployment = { chainId: local.chainId, contracts: { ...others, auditAnchor } };
    const chain = openChain({ urls: [local.url], deployment, finalityDepth: 0, pollMs: 20 });
    connections.push(chain);
    return chain;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "ledger-on-local-chain-"));
    const accounts = Array.from({ length: 20 }, (_, i) => ({
      address: account(i).address.toLowerCase(),
      balanceWei: 10n ** 20n,
    }));
    local = await startLocalChain({ folder, accounts, clock: realTime });
    provider = new JsonRpcProvider(local.url, undefined, { cacheTimeout: -1, pollingInterval: 50 });
    const { abi, bytecode } = artifact("AuditAnchor");
    const deployer = new NonceManager(account(19).connect(provider));
    const contract = await new ContractFactory(abi, bytecode, deployer).deploy();
    await contract.waitForDeployment();
    auditAnchor = (await contract.getAddress()).toLowerCase();
  });
  after(async () => {
    provider.destroy();
    await Promise.all(connections.map((chain) => chain.close()));
    await local.close();
    await rm(folder, { recursive: true });
  });

  describeAnchorChain("the lab's chain", () => ({
    chain: new EthereumLedger(open()),
    newParty: async () => {
      const chain = open();
      const sender = new EthereumSender({ mineTimeoutMs: 20_000 }, { chain, key: account(next++) });
      const ledger = new EthereumLedger(chain);
      return { party: sender.address, writer: new EthereumAnchorWriter({ ledger, sender }) };
    },
    mine: async (blocks) => {
      const spender = account(18).connect(provider);
      for (let i = 0; i < blocks; i++) {
        await (await spender.sendTransaction({ to: spender.address, value: 1n })).wait();
      }
    },
  }));
});
