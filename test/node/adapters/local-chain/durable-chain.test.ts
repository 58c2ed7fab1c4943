import { join } from "node:path";
import { expect } from "chai";
import { DurableChain } from "../../../../node/adapters/local-chain/durable-chain.ts";
import type { ChainSettings } from "../../../../node/adapters/local-chain/journal.ts";
import { Journal } from "../../../../node/adapters/local-chain/journal.ts";
import { createSimulatedChain, hardfork } from "../../../../node/adapters/local-chain/simulated-chain.ts";
import type { TrustedDataError } from "../../../../node/errors.ts";
import { alice, bob, temporaryFolder } from "./support/laboratory.ts";

const settings: ChainSettings = { format: 1, chainId: 31337, hardfork, genesisTimestamp: 1_800_000_000 };

describe("a chain that is durable before it is seen", () => {
  let cleanup: () => Promise<void>;

  afterEach(() => cleanup());

  async function laboratory() {
    const { folder, remove } = temporaryFolder();
    const { journal } = await Journal.open(join(folder, "journal"));
    const simulated = await createSimulatedChain(settings);
    await simulated.setBalance(alice.address, 10n ** 18n);
    cleanup = async () => {
      await simulated.close();
      await journal.close();
      remove();
    };
    const failures: string[] = [];
    const chain = new DurableChain(await simulated.blockAt(), {
      chain: simulated,
      journal,
      nowMs: () => 1_800_000_100_000,
      onFailure: (error) => failures.push((error as TrustedDataError).code),
    });
    return { chain, journal, failures };
  }

  const transfer = (nonce: number) =>
    alice.signTransaction({ chainId: 31337, nonce, to: bob.address, gasLimit: 21_000, gasPrice: 10n ** 10n });
  const codeOf = (attempt: Promise<unknown>) =>
    attempt.then(
      () => "done",
      (error: TrustedDataError) => error.code,
    );

  it("answers neither sender nor reader before the record is on the disk", async () => {
    const { chain, journal } = await laboratory();
    const events: string[] = [];
    const append = journal.append.bind(journal);
    journal.append = async (records) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await append(records);
      events.push("durable");
    };
    const sent = chain.send(await transfer(0)).then(() => events.push("acknowledged"));
    const seen = chain.read("eth_blockNumber", []).then((number) => events.push(`read ${number}`));
    await Promise.all([sent, seen]);
    expect(events).to.deep.equal(["durable", "acknowledged", "read 0x1"]);
  });

  it("shares one write among transactions that wait together, and refuses only the wrong ones", async () => {
    const { chain, journal } = await laboratory();
    const sizes: number[] = [];
    const append = journal.append.bind(journal);
    journal.append = (records) => {
      sizes.push(records.length);
      return append(records);
    };
    const raws = await Promise.all([0, 1, 1, 2, 9, 3].map(transfer));
    const outcomes = await Promise.allSettled(raws.map((raw) => chain.send(raw)));
    expect(outcomes.map(({ status }) => status === "fulfilled")).to.deep.equal([
      true,
      true,
      false,
      true,
      false,
      true,
    ]);
    expect(sizes).to.deep.equal([4]);
    expect(await chain.read("eth_blockNumber", [])).to.equal("0x4");
  });

  it("stops for good when a record cannot be written: what was mined is not shown to anyone", async () => {
    const { chain, journal, failures } = await laboratory();
    await chain.send(await transfer(0));
    await journal.close();
    const attempts = [chain.send(await transfer(1)), chain.send(await transfer(2))];
    const reading = chain.read("eth_blockNumber", []);
    expect(await Promise.all(attempts.map(codeOf))).to.deep.equal(["journal_failed", "journal_failed"]);
    expect(await codeOf(reading)).to.equal("journal_failed");
    expect(await codeOf(chain.send(await transfer(3)))).to.equal("journal_failed");
    expect(await codeOf(chain.refresh(0))).to.equal("journal_failed");
    expect(failures).to.deep.equal(["journal_failed"]);
  });
});
