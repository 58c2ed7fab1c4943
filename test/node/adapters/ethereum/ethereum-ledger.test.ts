import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { Wallet } from "ethers";
import { EthereumAnchorWriter } from "../../../../node/adapters/ethereum/ethereum-anchor-writer.ts";
import { EthereumLedger } from "../../../../node/adapters/ethereum/ethereum-ledger.ts";
import { EthereumSender } from "../../../../node/adapters/ethereum/ethereum-sender.ts";
import { zeroHash } from "../../../../node/primitives/hex.ts";
import { codeOf, describeAnchorChain, terms } from "../../../ports/anchor-chain.ts";
import { account, ChainWorld, DisturbingProxy, failureOf } from "./chain-world.ts";

describe("the ledger on an EVM chain", () => {
  let world: ChainWorld;
  let next = 3;
  before(async () => {
    world = await ChainWorld.start();
  });
  after(() => world.stop());

  const party = (chain = world.open(), index = next++) => {
    const ledger = new EthereumLedger(chain);
    const sender = world.sender(index, chain);
    return { ledger, sender, party: sender.address, writer: new EthereumAnchorWriter({ ledger, sender }) };
  };

  describeAnchorChain("a chain behind JSON-RPC", () => ({
    chain: new EthereumLedger(world.open()),
    newParty: async () => party(),
    mine: (blocks) => world.mine(blocks),
  }));

  it("survives that the answer to the transaction is lost", async () => {
    const proxy = await DisturbingProxy.start(world.url);
    try {
      let lost = 0;
      proxy.treat = (method) =>
        method === "eth_sendRawTransaction" && lost++ === 0 ? "swallow-answer" : "pass";
      const { writer, ledger, party: address } = party(world.open({ urls: [proxy.url] }));
      const batch = await writer.anchor(terms(1, zeroHash));
      expect(lost).to.be.greaterThan(0);
      expect(await ledger.latestAnchor(address)).to.deep.equal(batch);
      expect(await world.provider.getTransactionCount(address)).to.equal(1);
    } finally {
      await proxy.stop();
    }
  });

  it("anchors once when the process ends between sending and the answer", async () => {
    const proxy = await DisturbingProxy.start(world.url);
    const index = next++;
    try {
      let sent = false;
      proxy.treat = (method) => {
        sent ||= method === "eth_sendRawTransaction";
        return sent ? "swallow-answer" : "pass";
      };
      const chain = world.open({ urls: [proxy.url], timeoutMs: 2_000 });
      const ledger = new EthereumLedger(chain);
      const first = new EthereumAnchorWriter({ ledger, sender: world.sender(index, chain, 300) });
      expect(await codeOf(first.anchor(terms(1, zeroHash)))).to.equal("chain_unavailable");
    } finally {
      await proxy.stop();
    }
    const { writer, party: address } = party(world.open(), index);
    expect((await writer.anchor(terms(1, zeroHash))).sequence).to.equal(1);
    expect(await world.provider.getTransactionCount(address)).to.equal(1);
  });

  it("says that the key is used elsewhere when two daemons have one key", async () => {
    const index = next++;
    const [one, two] = [party(world.open(), index), party(world.open(), index)];
    const outcomes = await Promise.all([
      codeOf(one.writer.anchor(terms(1, zeroHash, "one"))),
      codeOf(two.writer.anchor(terms(1, zeroHash, "two"))),
    ]);
    expect(outcomes.toSorted()).to.deep.equal(["anchor_conflict", "none"]);
  });

  it("waits until the batch is final, and its head is final", async () => {
    const chain = world.open({ finalityDepth: 3 });
    const { writer, ledger } = party(chain);
    let done = false;
    const anchored = writer.anchor(terms(1, zeroHash)).finally(() => {
      done = true;
    });
    await sleep(300);
    expect(done).to.equal(false);
    await world.mine(3);
    const batch = await anchored;
    expect((await ledger.head()).number).to.be.at.least(batch.blockNumber);
    expect((await ledger.head()).number).to.equal((await chain.newestBlock()).number - 3);
  });

  it("sends again what a reorganisation took back", async () => {
    const chain = world.open({ finalityDepth: 2 });
    const { writer, ledger, party: address } = party(chain);
    const snapshot = await world.provider.send("evm_snapshot", []);
    const anchored = writer.anchor(terms(1, zeroHash));
    while ((await ledger.latestAnchor(address)) === undefined) await sleep(10);
    await world.provider.send("evm_revert", [snapshot]);
    await world.mine(1);
    while ((await ledger.latestAnchor(address)) === undefined) await sleep(10);
    await world.mine(2);
    const batch = await anchored;
    expect(await ledger.verifyAnchor(batch)).to.equal(true);
  });

  it("replaces a transaction that is stuck with too low a fee", async () => {
    const index = next++;
    await world.provider.send("evm_setAutomine", [false]);
    try {
      const stuck = account(index).connect(world.provider);
      await stuck.sendTransaction({ to: stuck.address, value: 1n, nonce: 0 });
      const { writer } = party(world.open(), index);
      const anchored = writer.anchor(terms(1, zeroHash));
      while ((await pendingTo(world)) !== world.deployment.contracts.auditAnchor) {
        await sleep(10);
      }
      await world.mine(1);
      expect((await anchored).sequence).to.equal(1);
    } finally {
      await world.provider.send("evm_setAutomine", [true]);
    }
  });

  it("refuses to send for an account without means, in one sentence", async () => {
    const chain = world.open();
    const sender = new EthereumSender({}, { chain, key: Wallet.createRandom() });
    const ledger = new EthereumLedger(chain);
    const error = await failureOf(new EthereumAnchorWriter({ ledger, sender }).anchor(terms(1, zeroHash)));
    expect(error.code).to.equal("chain_rejected");
    expect(error.message).to.match(/^The chain refused a call to audit anchor: .*(funds|balance)/);
  });

  it("ends waiting for a transaction when the connection is closed", async () => {
    const chain = world.open({ finalityDepth: 1_000 });
    const { writer, ledger, party: address } = party(chain);
    const anchored = codeOf(writer.anchor(terms(1, zeroHash)));
    while ((await ledger.latestAnchor(address)) === undefined) await sleep(10);
    await chain.close();
    expect(await anchored).to.equal("chain_unavailable");
  });

  it("finds batches in parts where a node refuses to search the whole chain", async () => {
    const proxy = await DisturbingProxy.start(world.url);
    proxy.treat = (method, params) => {
      if (method !== "eth_getLogs") return "pass";
      const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }];
      const isWide = toBlock === "latest" || Number(toBlock) - Number(fromBlock) > 10_000;
      return method === "eth_getLogs" && isWide
        ? { code: -32_005, message: "block range is too wide" }
        : "pass";
    };
    try {
      const { writer, party: address } = party();
      const batch = await writer.anchor(terms(1, zeroHash));
      await world.mine(12_000);
      const ledger = new EthereumLedger(world.open({ urls: [proxy.url] }));
      expect(await ledger.latestAnchor(address)).to.deep.equal(batch);
      expect(proxy.seen.filter((method) => method === "eth_getLogs")).to.have.length(4);
    } finally {
      await proxy.stop();
    }
  });

  it("believes no event that the contract's link does not bear out", async () => {
    const proxy = await DisturbingProxy.start(world.url);
    proxy.rewrite = (method, text) =>
      method === "eth_getLogs" ? text.replaceAll(terms(1, zeroHash).root.slice(2), "ab".repeat(32)) : text;
    try {
      const { writer, party: address } = party();
      await writer.anchor(terms(1, zeroHash));
      const ledger = new EthereumLedger(world.open({ urls: [proxy.url] }));
      expect(await codeOf(ledger.latestAnchor(address))).to.equal("chain_unavailable");
    } finally {
      await proxy.stop();
    }
  });
});

async function pendingTo(world: ChainWorld): Promise<string | undefined> {
  const block = (await world.provider.send("eth_getBlockByNumber", ["pending", true])) as {
    transactions: { to: string }[];
  };
  return block.transactions[0]?.to.toLowerCase();
}
