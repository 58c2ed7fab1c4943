import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Contract, JsonRpcProvider } from "ethers";
import { ContractFactory, isError, ZeroHash } from "ethers";
import type { JournalRecord } from "../../../../node/adapters/local-chain/journal.ts";
import { Journal } from "../../../../node/adapters/local-chain/journal.ts";
import type { LocalChain } from "../../../../node/adapters/local-chain/local-chain.ts";
import { systemClock } from "../../../../node/adapters/system-clock.ts";
import type { TrustedDataError } from "../../../../node/errors.ts";
import {
  accounts,
  alice,
  artifact,
  bob,
  client,
  manualClock,
  rpc,
  start,
  temporaryFolder,
} from "./support/laboratory.ts";

const root = `0x${"77".repeat(32)}`;
const startMs = Date.UTC(2026, 0, 1);

describe("the local chain", () => {
  let folder: string;
  let cleanups: (() => unknown)[];

  beforeEach(() => {
    const temporary = temporaryFolder();
    folder = temporary.folder;
    cleanups = [temporary.remove];
  });

  afterEach(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  async function started(options: Parameters<typeof start>[1] = {}): Promise<LocalChain> {
    const chain = await start(folder, options);
    cleanups.push(() => chain.close());
    return chain;
  }

  function connected(url: string): JsonRpcProvider {
    const provider = client(url);
    cleanups.push(() => provider.destroy());
    return provider;
  }

  async function refusal(attempt: Promise<unknown>): Promise<TrustedDataError> {
    return attempt.then(
      () => expect.fail("it was accepted"),
      (error: TrustedDataError) => error,
    );
  }

  const journalFile = () => join(folder, "chain.journal");
  const blocksOf = (provider: JsonRpcProvider, count: number) =>
    Promise.all(Array.from({ length: count }, (_, number) => provider.getBlock(number)));

  async function deployed(provider: JsonRpcProvider): Promise<Contract> {
    const { abi, bytecode } = artifact("ledger/AuditAnchor.sol/AuditAnchor");
    const contract = await new ContractFactory(abi as [], bytecode, alice.connect(provider)).deploy();
    await contract.waitForDeployment();
    return contract as Contract;
  }

  it("gives ether to the accounts named and to nobody else", async () => {
    const { url } = await started();
    const provider = connected(url);
    expect(await provider.getBalance(alice.address)).to.equal(accounts[0]!.balanceWei);
    expect(await provider.getBalance("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")).to.equal(0n);
    expect((await rpc(url, "eth_chainId")).result).to.equal("0x7a69");
    expect((await rpc(url, "net_version")).result).to.equal("31337");
    expect((await rpc(url, "eth_accounts")).result).to.deep.equal([]);
  });

  it("has the same blocks, balances, nonces, contracts and events after a restart, and goes on", async () => {
    const clock = manualClock(startMs);
    const before = await started({ clock });
    const provider = connected(before.url);
    const anchor = await deployed(provider);
    await (await anchor.anchor!(1n, ZeroHash, root, 5n, "0x")).wait();
    await (await alice.connect(provider).sendTransaction({ to: bob.address, value: 7n })).wait();
    const height = await provider.getBlockNumber();
    const blocks = await blocksOf(provider, height + 1);
    const balance = await provider.getBalance(alice.address);
    await before.close();

    clock.advance(3_600_000);
    const reports: [number, number][] = [];
    const after = await started({ clock, onReplay: (done, total) => reports.push([done, total]) });
    const again = connected(after.url);
    expect((await blocksOf(again, height + 1)).map((block) => block?.toJSON())).to.deep.equal(
      blocks.map((block) => block?.toJSON()),
    );
    expect(await again.getBlockNumber()).to.equal(height + 1);
    expect(reports.at(-1)![0]).to.equal(reports.at(-1)![1]);
    expect(await again.getBalance(alice.address)).to.equal(balance);
    expect(await again.getTransactionCount(alice.address)).to.equal(3);
    const same = anchor.connect(alice.connect(again)) as Contract;
    expect(await same.latestSequence!(alice.address)).to.equal(1n);
    expect(await same.queryFilter("Anchored" as never, 0)).to.have.length(1);
    const link = await same.linkOf!(alice.address, 1n);
    const receipt = await (await same.anchor!(2n, link, root, 1n, "0x")).wait();
    expect(receipt.blockNumber).to.equal(height + 2);
  });

  it("keeps the custom error of a call that reverts", async () => {
    const anchor = await deployed(connected((await started()).url));
    for (const attempt of [anchor.anchor!.staticCall, anchor.anchor!.estimateGas, anchor.anchor!]) {
      const error = await attempt(0n, ZeroHash, root, 1n, "0x").catch((reason: unknown) => reason);
      const decoded = isError(error, "CALL_EXCEPTION") ? anchor.interface.parseError(error.data!) : null;
      expect(decoded?.name).to.equal("SequenceZero");
      expect(decoded?.args[0]).to.equal(alice.address);
    }
    const error = await anchor.anchor!.staticCall(0n, ZeroHash, root, 1n, "0x").catch((reason) => reason);
    expect(error.revert.name).to.equal("SequenceZero");
  });

  it("mines a transaction that reverts, as public chains do, and the receipt says so", async () => {
    const anchor = await deployed(connected((await started()).url));
    const sent = await anchor.anchor!(0n, ZeroHash, root, 1n, "0x", { gasLimit: 200_000 });
    const error = await sent.wait().catch((reason: unknown) => reason);
    expect(isError(error, "CALL_EXCEPTION") && error.receipt?.status).to.equal(0);
  });

  it("answers about past blocks", async () => {
    const provider = connected((await started()).url);
    const anchor = await deployed(provider);
    const height = await provider.getBlockNumber();
    await (await anchor.anchor!(1n, ZeroHash, root, 1n, "0x")).wait();
    expect(await anchor.latestSequence!(alice.address, { blockTag: height })).to.equal(0n);
    expect(await anchor.latestSequence!(alice.address)).to.equal(1n);
    expect(await provider.getTransactionCount(alice.address, height - 1)).to.equal(0);
  });

  it("refuses what no public endpoint offers", async () => {
    const { url } = await started();
    const forbidden = [
      "hardhat_setBalance",
      "hardhat_reset",
      "evm_mine",
      "evm_revert",
      "evm_setNextBlockTimestamp",
      "eth_sendTransaction",
      "eth_sign",
      "debug_traceTransaction",
      "hasOwnProperty",
    ];
    for (const method of forbidden)
      expect((await rpc(url, method, [alice.address, "0x1"])).error?.code, method).to.equal(-32601);
  });

  it("refuses wrong transactions with the reason, and stays as it was", async () => {
    const { url } = await started();
    const provider = connected(url);
    const head = await provider.getBlock("latest");
    const transfer = {
      chainId: 31337,
      to: bob.address,
      gasLimit: 21_000n,
      maxFeePerGas: 10n ** 10n,
      type: 2,
    };
    const send = async (fields: object) =>
      (await rpc(url, "eth_sendRawTransaction", [await bob.signTransaction({ ...transfer, ...fields })]))
        .error?.message;
    expect(await send({ nonce: 5 })).to.match(/nonce too high/i);
    expect(await send({ nonce: 0, value: 10n ** 20n })).to.match(/enough funds/i);
    expect(await send({ nonce: 0, chainId: 1 })).to.match(/chain/i);
    expect(await send({ nonce: 0, maxFeePerGas: 1n })).to.match(/fee/i);
    for (const raw of ["0x", "0x00", "zz", 5, null])
      expect((await rpc(url, "eth_sendRawTransaction", [raw])).error?.code).to.be.lessThan(0);
    expect((await provider.getBlock("latest"))?.hash).to.equal(head?.hash);
    expect(await send({ nonce: 0 })).to.equal(undefined);
    expect(await send({ nonce: 0 })).to.match(/nonce too low/i);
  });

  it("mines many that come together, each in its own block, in order", async () => {
    const { url } = await started();
    const provider = connected(url);
    const from = await provider.getBlockNumber();
    const fees = { gasLimit: 21_000n, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n };
    const signer = alice.connect(provider);
    const sent = await Promise.all(
      Array.from({ length: 150 }, (_, nonce) => signer.sendTransaction({ nonce, to: bob.address, ...fees })),
    );
    const receipts = await Promise.all(sent.map(({ hash }) => provider.getTransactionReceipt(hash)));
    expect(receipts.map((receipt) => receipt?.blockNumber)).to.deep.equal(sent.map((_, n) => from + 1 + n));
  });

  it("takes the time of blocks, estimates and pending calls from its clock, and never turns it back", async () => {
    const clock = manualClock(startMs);
    const { url } = await started({ clock });
    const provider = connected(url);
    const timeOf = async (tag: string) => (await provider.getBlock(tag))!.timestamp;
    const genesis = await timeOf("earliest");
    expect(genesis).to.equal(startMs / 1000);
    clock.advance(50_000);
    expect(
      Number(
        ((await rpc(url, "eth_getBlockByNumber", ["pending", false])).result as { timestamp: string })
          .timestamp,
      ),
    ).to.equal(genesis + 50);
    await (await alice.connect(provider).sendTransaction({ to: bob.address })).wait();
    expect(await timeOf("latest")).to.equal(genesis + 50);
    clock.advance(-20_000);
    await (await alice.connect(provider).sendTransaction({ to: bob.address })).wait();
    // Blocks of equal time are allowed, so that a burst does not run ahead of the clock.
    expect(await timeOf("latest")).to.equal(genesis + 50);
  });

  it("mines an empty block at the start and whenever the head grows old", async () => {
    const clock = manualClock(startMs);
    const { url } = await started({ clock, heartbeatSeconds: 10 });
    const provider = connected(url);
    expect(await provider.getBlockNumber()).to.equal(1);
    for (let beats = 1; beats <= 3; beats++) {
      clock.advance(11_000);
      while ((await provider.getBlockNumber()) <= beats) await systemClock.sleep(2);
      const head = await provider.getBlock("latest");
      expect(clock.nowMs() / 1000 - head!.timestamp).to.be.lessThan(10);
    }
  });

  it("gives equal blocks whatever is read in between", async () => {
    const clock = manualClock(startMs);
    const { url } = await started({ clock });
    const provider = connected(url);
    const signer = alice.connect(provider);
    for (let round = 0; round < 20; round++) {
      clock.advance(1_700);
      await rpc(url, "eth_call", [{ to: bob.address }, "pending"]);
      await rpc(url, "eth_estimateGas", [{ from: bob.address, to: alice.address, value: "0x1" }]);
      await rpc(url, "eth_getBlockByNumber", ["pending", true]);
      await rpc(url, "eth_sendRawTransaction", [await bob.signTransaction({ nonce: 99, gasLimit: 21_000 })]);
      await rpc(url, "eth_feeHistory", ["0x4", "latest", [10]]);
      await (await signer.sendTransaction({ to: bob.address, value: round })).wait();
    }
    const hash = (await provider.getBlock("latest"))!.hash;
    const height = await provider.getBlockNumber();
    await cleanups.pop()!();
    await cleanups.pop()!();
    const again = connected((await started({ clock })).url);
    expect((await again.getBlock(height))!.hash).to.equal(hash);
  });

  it("funds an account that is new to a running chain once, and after replay still", async () => {
    const first = await started({ accounts: [accounts[0]!] });
    await (await alice.connect(connected(first.url)).sendTransaction({ to: bob.address, value: 1n })).wait();
    await first.close();
    const second = await started();
    expect(await connected(second.url).getBalance(bob.address)).to.equal(accounts[1]!.balanceWei);
    await second.close();
    const third = await started({ accounts: [{ ...accounts[1]!, balanceWei: 1n }] });
    expect(await connected(third.url).getBalance(bob.address)).to.equal(accounts[1]!.balanceWei);
  });

  it("cuts off a record that a crash tore, and goes on", async () => {
    const clock = manualClock(startMs);
    const first = await started({ clock });
    const provider = connected(first.url);
    await (await alice.connect(provider).sendTransaction({ to: bob.address, value: 1n })).wait();
    const height = await provider.getBlockNumber();
    await first.close();
    const whole = readFileSync(journalFile());
    appendFileSync(journalFile(), whole.subarray(whole.lastIndexOf("\n", -2) + 1, -20));
    clock.advance(3_600_000);
    const second = await started({ clock });
    const again = connected(second.url);
    expect(await again.getBlockNumber()).to.equal(height + 1);
    expect(await again.getTransactionCount(alice.address)).to.equal(1);
    await second.close();
    await started();
  });

  it("says so when a replayed block is not the recorded one", async () => {
    const first = await started({ clock: manualClock(startMs) });
    await (await alice.connect(connected(first.url)).sendTransaction({ to: bob.address })).wait();
    await first.close();
    const { journal, records } = await Journal.open(journalFile());
    await journal.close();
    const later = (record: JournalRecord) =>
      "block" in record && record.block === 1 ? { ...record, timestamp: record.timestamp + 1 } : record;
    writeFileSync(journalFile(), "");
    const changed = await Journal.open(journalFile());
    await changed.journal.append(records.map(later));
    await changed.journal.close();
    const error = await refusal(started());
    expect(error.code).to.equal("chain_replay_mismatch");
    expect(error.fields.block).to.equal("1");
    expect(error.message).to.contain("--fresh");
  });

  it("lets only one process use a folder, and says so to the second", async () => {
    const chain = await started();
    expect((await refusal(start(folder))).code).to.equal("state_in_use");
    const child = spawn(process.execPath, [childFile, folder], { stdio: ["ignore", "pipe", "pipe"] });
    let complaint = "";
    child.stderr.on("data", (text) => {
      complaint += text;
    });
    const [status] = await once(child, "exit");
    expect(status).to.equal(1);
    expect(complaint).to.contain("state_in_use");
    await chain.close();
    await started();
  });

  it("refuses another chain id for the same folder, and a port that is taken", async () => {
    const chain = await started();
    const port = Number(new URL(chain.url).port);
    await chain.close();
    expect((await refusal(start(folder, { chainId: 5 }))).code).to.equal("chain_settings_conflict");
    const other = temporaryFolder();
    cleanups.push(other.remove);
    const blocker = await start(other.folder, { port });
    cleanups.push(() => blocker.close());
    expect((await refusal(start(folder, { port }))).code).to.equal("port_in_use");
    await started();
  });

  it("has every acknowledged transaction after it was killed in the middle of a stream", async () => {
    let acknowledged = 0;
    for (let round = 0; round < 4; round++) {
      const { child, url } = await spawned(folder);
      cleanups.push(() => child.kill("SIGKILL"));
      const killAt = acknowledged + 20 + 37 * round;
      try {
        for (;;) {
          const raws = await Promise.all([0, 1, 2].map((n) => transferOf(acknowledged + n)));
          const hashes = await Promise.all(raws.map((raw) => rpc(url, "eth_sendRawTransaction", [raw])));
          acknowledged += hashes.filter(({ result }) => result !== undefined).length;
          if (acknowledged >= killAt && child.exitCode === null)
            setTimeout(() => child.kill("SIGKILL"), round);
        }
      } catch (error) {
        expect(error).to.be.instanceOf(TypeError); // fetch failed: it is dead
      }
      if (child.signalCode === null) await once(child, "exit");
      const chain = await start(folder);
      const provider = client(chain.url);
      const nonce = await provider.getTransactionCount(alice.address);
      expect(nonce).to.be.within(acknowledged, acknowledged + 3);
      acknowledged = nonce;
      provider.destroy();
      await chain.close();
    }
  });
});

const childFile = join(import.meta.dirname, "support/chain-process.ts");

async function spawned(folder: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [childFile, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  return { child, url: String(line).trim() };
}

function transferOf(nonce: number): Promise<string> {
  return alice.signTransaction({
    chainId: 31337,
    type: 2,
    nonce,
    to: bob.address,
    value: 1n,
    gasLimit: 21_000n,
    maxFeePerGas: 10n ** 10n,
    maxPriorityFeePerGas: 1n,
  });
}
