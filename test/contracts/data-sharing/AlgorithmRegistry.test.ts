import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { encodeBytes32String as word } from "ethers";
import {
  AlgorithmStatus,
  certifyAction,
  connect,
  DATA_CLASS,
  decide,
  deployWithFramework,
  momentOf,
  signApproval,
  YEAR_2040_SECONDS,
} from "../support/system.ts";

const connection = await connect();
const { networkHelpers } = connection;
const algorithm = word("union wage premium");

/** An author and vetters: two of one control group, one of another, one of the author's, one for another class of data. */
async function published() {
  const system = await deployWithFramework(connection);
  const [author, first, sibling, second, own, otherClass, outsider] = system.outsiders as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  const vetter = (signer: HardhatEthersSigner, controlGroup: string, dataClasses = [DATA_CLASS]) =>
    certifyAction(system, signer.address, "vetter", { controlGroup, dataClasses });
  await decide(
    connection,
    system,
    certifyAction(system, author.address, "querier", { controlGroup: "university" }),
    vetter(first, "bank"),
    vetter(sibling, "bank"),
    vetter(second, "city"),
    vetter(own, "university"),
    vetter(otherClass, "hospital", [word("health")]),
  );
  const { algorithms } = system;
  await algorithms.connect(author).publish(algorithm, "https://example.org/a", word("sql"), DATA_CLASS);
  const approve = async (signer: HardhatEthersSigner, expires = YEAR_2040_SECONDS) =>
    await algorithms.approve(
      algorithm,
      signer.address,
      expires,
      word("review"),
      await signApproval(system, signer, algorithm, expires),
    );
  return { system, algorithms, author, first, sibling, second, own, otherClass, outsider, approve };
}

const load = () => networkHelpers.loadFixture(published);

describe("AlgorithmRegistry", () => {
  it("approves an algorithm that vetters of two other control groups signed", async () => {
    const { algorithms, first, second, approve } = await load();
    await approve(first);
    expect(await algorithms.statusOf(algorithm)).to.equal(AlgorithmStatus.Published);
    await approve(second);
    expect(await algorithms.statusOf(algorithm)).to.equal(AlgorithmStatus.Approved);
  });

  it("does not take two vetters of one control group for independent", async () => {
    const { algorithms, first, sibling, approve } = await load();
    await approve(first);
    await approve(sibling);
    expect(await algorithms.statusOf(algorithm)).to.equal(AlgorithmStatus.Published);
  });

  it("does not let one vetter count twice", async () => {
    const { algorithms, first, approve } = await load();
    await approve(first);
    await approve(first, YEAR_2040_SECONDS - 1);
    expect(await algorithms.statusOf(algorithm)).to.equal(AlgorithmStatus.Published);
  });

  it("refuses vetters of the author's own group, of another class of data, and of no certification", async () => {
    const { algorithms, own, otherClass, outsider, approve } = await load();
    await expect(approve(own)).to.be.revertedWithCustomError(algorithms, "VetterOfAuthorsGroup");
    for (const signer of [otherClass, outsider]) {
      await expect(approve(signer))
        .to.be.revertedWithCustomError(algorithms, "UncertifiedVetter")
        .withArgs(signer.address, DATA_CLASS);
    }
  });

  it("refuses a signature of somebody else, and one over other terms", async () => {
    const { system, algorithms, first, second } = await load();
    const submit = (signature: string) =>
      algorithms.approve(algorithm, first.address, YEAR_2040_SECONDS, word("review"), signature);
    const forged = [
      await signApproval(system, second, algorithm, YEAR_2040_SECONDS),
      await signApproval(system, first, word("another"), YEAR_2040_SECONDS),
      await signApproval(system, first, algorithm, YEAR_2040_SECONDS + 1),
      await signApproval(system, first, algorithm, YEAR_2040_SECONDS, word("other review")),
    ];
    for (const signature of forged) {
      await expect(submit(signature)).to.be.revertedWithCustomError(algorithms, "InvalidApprovalSignature");
    }
  });

  it("ends an approval when it expires, and says so for the time that is asked about", async () => {
    const { algorithms, first, second, approve } = await load();
    const expires = (await networkHelpers.time.latest()) + 1_000;
    await approve(first, expires);
    const { block, timestamp } = await momentOf(await approve(second));
    await networkHelpers.mine();
    expect(await algorithms.statusAt(algorithm, block, timestamp)).to.equal(AlgorithmStatus.Approved);
    await networkHelpers.time.increaseTo(expires + 1);
    expect(await algorithms.statusOf(algorithm)).to.equal(AlgorithmStatus.Published);
    expect(await algorithms.statusAt(algorithm, block, timestamp)).to.equal(AlgorithmStatus.Approved);
  });

  it("ends at once when a vetter withdraws, and its old signature cannot bring the approval back", async () => {
    const { system, algorithms, first, second, approve } = await load();
    await approve(first);
    const approved = await momentOf(await approve(second));
    await algorithms.connect(second).withdrawApproval(algorithm);
    expect(await algorithms.statusOf(algorithm)).to.equal(AlgorithmStatus.Published);
    expect(await algorithms.statusAt(algorithm, approved.block, approved.timestamp)).to.equal(
      AlgorithmStatus.Approved,
    );
    const signature = await signApproval(system, second, algorithm, YEAR_2040_SECONDS);
    await expect(
      algorithms
        .connect(second)
        .approve(algorithm, second.address, YEAR_2040_SECONDS, word("review"), signature),
    ).to.be.revertedWithCustomError(algorithms, "ApprovalAlreadyUsed");
    await expect(approve(second, YEAR_2040_SECONDS - 5)).to.be.revertedWithCustomError(
      algorithms,
      "WithdrawnVetterMustSubmit",
    );
  });

  it("ends at once when a vetter is suspended by the emergency quorum", async () => {
    const { system, algorithms, first, second, approve } = await load();
    await approve(first);
    await approve(second);
    const suspend = (i: number) =>
      system.council.connect(system.members[i]!).suspend(system.framework, first.address, word("leak"));
    await suspend(0);
    expect(await algorithms.statusOf(algorithm)).to.equal(AlgorithmStatus.Approved);
    await suspend(1);
    expect(await algorithms.statusOf(algorithm)).to.equal(AlgorithmStatus.Published);
  });

  it("is revoked at once and for good by its author, and by nobody else but the council", async () => {
    const { algorithms, author, first, second, outsider, approve } = await load();
    await approve(first);
    const approved = await momentOf(await approve(second));
    for (const signer of [first, outsider]) {
      await expect(algorithms.connect(signer).revoke(algorithm, word("no"))).to.be.revertedWithCustomError(
        algorithms,
        "NotRevoker",
      );
    }
    const revoked = await momentOf(await algorithms.connect(author).revoke(algorithm, word("mistake")));
    await networkHelpers.mine();
    expect(await algorithms.statusOf(algorithm)).to.equal(AlgorithmStatus.Revoked);
    expect(await algorithms.statusAt(algorithm, approved.block, approved.timestamp)).to.equal(
      AlgorithmStatus.Approved,
    );
    expect(await algorithms.statusAt(algorithm, revoked.block, revoked.timestamp)).to.equal(
      AlgorithmStatus.Revoked,
    );
    await expect(approve(first, YEAR_2040_SECONDS - 7)).to.be.revertedWithCustomError(
      algorithms,
      "AlgorithmIsRevoked",
    );
  });

  it("is published by a certified member, once", async () => {
    const { algorithms, author, first, outsider } = await load();
    const publish = (signer: HardhatEthersSigner, hash: string) =>
      algorithms.connect(signer).publish(hash, "https://example.org/b", word("sql"), DATA_CLASS);
    await expect(publish(outsider, word("new"))).to.be.revertedWithCustomError(
      algorithms,
      "UncertifiedAuthor",
    );
    await expect(publish(first, algorithm))
      .to.be.revertedWithCustomError(algorithms, "AlreadyPublished")
      .withArgs(algorithm, author.address);
  });

  it("does not answer about blocks to come", async () => {
    const { algorithms } = await load();
    const block = await connection.ethers.provider.getBlockNumber();
    await expect(algorithms.statusAt(algorithm, block + 100, YEAR_2040_SECONDS)).to.be.revert(
      connection.ethers,
    );
  });
});
