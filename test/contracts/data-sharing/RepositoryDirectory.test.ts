import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { encodeBytes32String as word, ZeroHash } from "ethers";
import { certifyAction, connect, decide, deployWithFramework, momentOf } from "../support/system.ts";

const connection = await connect();
const { networkHelpers } = connection;
const repository = word("repository");
const endpoint = "https://127.0.0.1:7001";

async function certified() {
  const system = await deployWithFramework(connection);
  const [bank, outsider] = system.outsiders as [HardhatEthersSigner, HardhatEthersSigner];
  await decide(
    connection,
    system,
    certifyAction(system, bank.address, "repository", { controlGroup: "bank" }),
    certifyAction(system, bank.address, "querier", { controlGroup: "bank" }),
  );
  const set = (signer: HardhatEthersSigner, metadata = word("metadata"), role = repository, url = endpoint) =>
    system.directory.connect(signer).setEntry(role, url, word("fingerprint"), metadata);
  return { system, directory: system.directory, bank, outsider, set };
}

const load = () => networkHelpers.loadFixture(certified);

describe("RepositoryDirectory", () => {
  it("shows what a certified repository wrote", async () => {
    const { directory, bank, set } = await load();
    await set(bank);
    const entry = await directory.entryOf(bank.address, repository);
    expect([entry.endpoint, entry.tlsFingerprint, entry.metadataHash]).to.deep.equal([
      endpoint,
      word("fingerprint"),
      word("metadata"),
    ]);
    expect(await directory.entryCount(repository)).to.equal(1);
  });

  it("refuses members without that role, also when they hold another", async () => {
    const { directory, bank, outsider, set } = await load();
    await expect(set(outsider)).to.be.revertedWithCustomError(directory, "UncertifiedMember");
    await expect(set(bank, word("m"), word("directory")))
      .to.be.revertedWithCustomError(directory, "UncertifiedMember")
      .withArgs(bank.address, word("directory"));
  });

  it("refuses roles that have no place in it", async () => {
    const { directory, bank, set } = await load();
    await expect(set(bank, word("m"), word("querier")))
      .to.be.revertedWithCustomError(directory, "InvalidEntryRole")
      .withArgs(word("querier"));
  });

  it("refuses an entry without address, and one longer than a URL needs", async () => {
    const { directory, bank, set } = await load();
    for (const url of ["", `https://${"a".repeat(5_000)}`]) {
      await expect(set(bank, word("m"), repository, url)).to.be.revertedWithCustomError(
        directory,
        "InvalidEntry",
      );
    }
  });

  it("refuses a suspended member at once", async () => {
    const { system, directory, bank, set } = await load();
    for (const i of [0, 1]) {
      await system.council
        .connect(system.members[i]!)
        .suspend(system.framework, bank.address, word("incident"));
    }
    await expect(set(bank)).to.be.revertedWithCustomError(directory, "UncertifiedMember");
  });

  it("remembers which metadata was in force at any block", async () => {
    const { directory, bank, set } = await load();
    const first = await momentOf(await set(bank, word("one")));
    const second = await momentOf(await set(bank, word("two")));
    await networkHelpers.mine();
    const at = (block: number) => directory.metadataHashAt(bank.address, repository, block);
    expect(await at(first.block - 1)).to.equal(ZeroHash);
    expect(await at(first.block)).to.equal(word("one"));
    expect(await at(second.block)).to.equal(word("two"));
  });

  it("lets a member take its own entry back, and only that", async () => {
    const { directory, bank, outsider, set } = await load();
    await set(bank);
    await expect(directory.connect(outsider).remove(repository)).to.be.revertedWithCustomError(
      directory,
      "UnknownEntry",
    );
    await directory.connect(bank).remove(repository);
    expect(await directory.entryCount(repository)).to.equal(0);
  });
});
