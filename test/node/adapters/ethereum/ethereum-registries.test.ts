import { expect } from "chai";
import { interfaces } from "../../../../node/adapters/ethereum/contracts.ts";
import { EthereumAlgorithmWriter } from "../../../../node/adapters/ethereum/ethereum-algorithm-writer.ts";
import { EthereumAlgorithms } from "../../../../node/adapters/ethereum/ethereum-algorithms.ts";
import { EthereumCouncil } from "../../../../node/adapters/ethereum/ethereum-council.ts";
import { EthereumCouncilWriter } from "../../../../node/adapters/ethereum/ethereum-council-writer.ts";
import { EthereumDirectory } from "../../../../node/adapters/ethereum/ethereum-directory.ts";
import { EthereumDirectoryWriter } from "../../../../node/adapters/ethereum/ethereum-directory-writer.ts";
import { EthereumFramework } from "../../../../node/adapters/ethereum/ethereum-framework.ts";
import { EthereumIncidentWriter } from "../../../../node/adapters/ethereum/ethereum-incident-writer.ts";
import { EthereumMembers } from "../../../../node/adapters/ethereum/ethereum-members.ts";
import { accountKeyOf } from "../../../../node/adapters/keys/account-key.ts";
import { approvalStruct } from "../../../../node/data-sharing/approval.ts";
import { TrustedDataError } from "../../../../node/errors.ts";
import type { Block } from "../../../../node/ledger/ports.ts";
import { sha256Hex } from "../../../../node/primitives/hex.ts";
import * as council from "../../../../node/trust-framework/council-action.ts";
import { codeOf } from "../../../ports/anchor-chain.ts";
import {
  account,
  ChainWorld,
  certificationTerms,
  DisturbingProxy,
  delaySeconds,
  euRules,
} from "./chain-world.ts";

const address = (index: number) => account(index).address.toLowerCase();
const [author, vetterA, vetterB, repository, auditor] = [5, 6, 7, 8, 9] as const;
const hash = sha256Hex("an algorithm");
const farS = Date.UTC(2090, 0) / 1000;

describe("the registries on an EVM chain", () => {
  let world: ChainWorld;
  before(async () => {
    world = await ChainWorld.start();
    const classes = { dataClasses: ["wages"] };
    await world.decide(
      council.registerFramework("eu", euRules),
      council.registerFramework("ch", { ...euRules, jurisdiction: "CH" }),
      council.recognise("ch", "eu", 2),
      council.certify(address(author), "querier", certificationTerms({ controlGroup: "authors" })),
      council.certify(
        address(vetterA),
        "vetter",
        certificationTerms({ controlGroup: "vetters-a", ...classes }),
      ),
      council.certify(
        address(vetterB),
        "vetter",
        certificationTerms({ controlGroup: "vetters-b", ...classes }),
      ),
      council.certify(address(repository), "repository", certificationTerms({ controlGroup: "hospital" })),
      council.certify(address(auditor), "auditor", certificationTerms({ controlGroup: "auditors" })),
    );
  });
  after(() => world.stop());

  const writers = (index: number) => {
    const chain = world.open();
    const modules = { chain, sender: world.sender(index, chain) };
    return {
      algorithms: new EthereumAlgorithmWriter(modules),
      council: new EthereumCouncilWriter(modules),
      directory: new EthereumDirectoryWriter(modules),
      incidents: new EthereumIncidentWriter(modules),
    };
  };
  const approve = async (vetter: number, expiresS = farS) => {
    const { signer } = accountKeyOf(account(vetter));
    const approval = { algorithm: hash, vetter: signer.address, expiresS, reviewHash: sha256Hex("review") };
    const signature = await signer.sign(approvalStruct(world.deployment, approval));
    return () =>
      writers(author).algorithms.approve(hash, signer.address, expiresS, sha256Hex("review"), signature);
  };

  it("shows the framework as the council registered it", async () => {
    const framework = new EthereumFramework(world.open());
    expect(await framework.frameworks()).to.deep.equal([
      { id: "eu", ...euRules },
      { id: "ch", ...euRules, jurisdiction: "CH" },
    ]);
    expect(await framework.recognitions()).to.deep.equal([{ from: "ch", to: "eu", gradeCap: 2 }]);
    expect((await framework.members()).map((member) => member.address)).to.deep.equal(
      [author, vetterA, vetterB, repository, auditor].map(address),
    );
    expect(await framework.member(address(vetterA))).to.deep.equal({
      address: address(vetterA),
      controlGroup: "vetters-a",
      suspended: false,
      roles: [
        {
          role: "vetter",
          status: "active",
          terms: certificationTerms({ controlGroup: "vetters-a", dataClasses: ["wages"] }),
        },
      ],
    });
    expect(await framework.member(address(15))).to.equal(undefined);
  });

  it("names the members of a role", async () => {
    const members = new EthereumMembers(world.open());
    expect(await members.membersOf("vetter")).to.deep.equal([address(vetterA), address(vetterB)]);
    expect(await members.membersOf("mpc-node")).to.deep.equal([]);
  });

  it("records a member's history, and answers the same about a block for ever", async () => {
    const member = address(16);
    const chain = world.open();
    const members = new EthereumMembers(chain);
    const seen: { block: Block; status: string }[] = [];
    const look = async () => {
      const block = await chain.newestBlock();
      seen.push({ block, status: await members.certificationStatus(member, "querier", block) });
    };
    await look();
    const nowS = (await chain.newestBlock()).timestampS;
    const terms = certificationTerms({
      controlGroup: "others",
      validFromS: nowS + 500,
      validUntilS: nowS + 1_000,
    });
    await world.decide(council.certify(member, "querier", terms));
    await look();
    await world.passTime(500);
    await look();
    await writers(0).council.suspend(member, "emergency");
    await look();
    await writers(1).council.suspend(member, "emergency");
    await look();
    await world.decide(council.reinstate(member, "settled"));
    await look();
    await world.passTime(1_000);
    await look();
    await world.decide(council.revokeCertification(member, "querier", "fraud"));
    await look();
    const expected = [
      "none",
      "not-yet-valid",
      "active",
      "active",
      "suspended",
      "active",
      "expired",
      "revoked",
    ];
    expect(seen.map(({ status }) => status)).to.deep.equal(expected);
    for (const { block, status } of seen) {
      expect(await members.certificationStatus(member, "querier", block), `block ${block.number}`).to.equal(
        status,
      );
    }
  });

  it("reads the newest block too on nodes whose calls run in that block", async () => {
    const proxy = await DisturbingProxy.start(world.url);
    const statusAt = interfaces.trustFramework.getFunction("statusAt")!;
    // As geth does: a call on the newest state runs with the newest block's number, so that block is not yet past.
    proxy.treat = async (method, params) => {
      const [{ data } = { data: "" }, tag] = params as [{ data: string }?, string?];
      if (method !== "eth_call" || tag !== "latest" || !data.startsWith(statusAt.selector)) return "pass";
      const newest = await world.provider.getBlockNumber();
      const asked = interfaces.trustFramework.decodeFunctionData(statusAt, data)[2] as bigint;
      if (asked < newest) return "pass";
      const revert = interfaces.trustFramework.encodeErrorResult("BlockNotYetMined", [asked, newest]);
      return { code: 3, message: "execution reverted", data: revert };
    };
    try {
      const chain = world.open({ urls: [proxy.url] });
      const members = new EthereumMembers(chain);
      const newest = await chain.newestBlock();
      for (const number of [newest.number, newest.number - 1]) {
        const block = (await chain.blockAt(number))!;
        expect(await members.certificationStatus(address(author), "querier", block)).to.equal("active");
      }
      const future = { ...newest, number: newest.number + 1 };
      expect(await codeOf(members.certificationStatus(address(author), "querier", future))).to.equal(
        "chain_unavailable",
      );
    } finally {
      await proxy.stop();
    }
  });

  it("shows proposals with their actions in words, and carries them through", async () => {
    const chain = world.open();
    const reader = new EthereumCouncil(chain);
    expect(await reader.council()).to.deep.equal({
      members: [0, 1, 2].map(address),
      threshold: 2,
      emergencyQuorum: 2,
      delayS: delaySeconds,
    });
    const actions = [
      council.certify(address(17), "directory", certificationTerms({ controlGroup: "library" })),
      council.revokeAlgorithm(sha256Hex("unsafe"), "leaks"),
      council.changeDelay(60),
    ];
    const salt = sha256Hex("a salt");
    const id = await writers(0).council.propose(actions, "Admit the library", salt);
    expect(await writers(0).council.propose(actions, "Admit the library", salt)).to.equal(id);
    const pending = await reader.proposal(id);
    expect(pending).to.include({
      id,
      proposer: address(0),
      description: "Admit the library",
      state: "pending",
    });
    expect(pending?.actions.map(({ action }) => action)).to.deep.equal(actions);
    expect(pending?.approvers).to.deep.equal([address(0)]);
    expect(pending?.readyS).to.equal(undefined);
    await writers(1).council.approve(id);
    await writers(1).council.approve(id);
    expect((await reader.proposal(id))?.state).to.equal("waiting");
    await writers(1).council.withdrawApproval(id);
    expect((await reader.proposal(id))?.state).to.equal("pending");
    expect((await reader.proposals()).at(-1)?.id).to.equal(id);
    expect(await reader.proposal(sha256Hex("no proposal"))).to.equal(undefined);
  });

  it("executes once, and says why it cannot yet", async () => {
    const actions = [council.changeThreshold(2)];
    const id = await writers(0).council.propose(actions, "Nothing new", sha256Hex("another salt"));
    const error = await writers(0)
      .council.execute(id)
      .catch((e: unknown) => e);
    expect(error).to.be.instanceOf(TrustedDataError);
    expect((error as TrustedDataError).message).to.match(
      /unexpected proposal state \(id 0x.*, state pending\)/,
    );
    await writers(1).council.approve(id);
    await world.passTime(delaySeconds);
    await writers(1).council.execute(id);
    await writers(2).council.execute(id);
    expect((await new EthereumCouncil(world.open()).proposal(id))?.state).to.equal("executed");
  });

  it("does not claim to read what it cannot", async () => {
    const { trustFramework } = world.deployment.contracts;
    const chain = world.open();
    const garbage = ["0x12345678", "0x", `0x${"00".repeat(40)}`];
    const args = [garbage.map(() => trustFramework), [0, 0, 1], garbage, sha256Hex("salt"), "Trust me"];
    await world.sender(0, chain).send("trustCouncil", "propose", args);
    const proposal = (await new EthereumCouncil(chain).proposals()).at(-1)!;
    expect(proposal.actions.map(({ action }) => action)).to.deep.equal([undefined, undefined, undefined]);
    expect(proposal.actions.map(({ payload }) => payload)).to.deep.equal(garbage);
  });

  it("refuses actions that do not fit the contracts", async () => {
    const { propose } = bound(writers(0).council);
    const wrong = [
      { ...council.changeDelay(1), function: "selfDestruct" },
      { ...council.changeDelay(1), args: [] },
      { ...council.changeDelay(1), args: ["soon"] },
      council.suspend("0x12", "reason"),
      council.suspend(address(author), "a reason that is longer than 31 characters"),
    ];
    for (const action of wrong) {
      expect(await codeOf(propose([action], "x", sha256Hex("x"))), action.function).to.equal(
        "parameter_invalid",
      );
    }
  });

  it("publishes, approves and revokes an algorithm, each once", async () => {
    const chain = world.open();
    const reader = new EthereumAlgorithms(chain);
    const statuses: { block: Block; status: string }[] = [];
    const look = async () => {
      const block = await chain.newestBlock();
      statuses.push({ block, status: await reader.algorithmStatus(hash, block) });
    };
    expect(await reader.algorithm(hash)).to.equal(undefined);
    await look();
    const { algorithms } = writers(author);
    await algorithms.publish(hash, "https://example.org/mean.json", "plan", "wages");
    await algorithms.publish(hash, "https://example.org/mean.json", "plan", "wages");
    await look();
    expect(await codeOf(algorithms.publish(hash, "https://example.org/other", "plan", "wages"))).to.equal(
      "chain_rejected",
    );
    const [first, second] = [await approve(vetterA), await approve(vetterB)];
    await first();
    await look();
    await second();
    await second();
    await look();
    const published = await reader.algorithm(hash);
    expect(published).to.deep.equal({
      hash,
      author: address(author),
      dataClass: "wages",
      kind: "plan",
      uri: "https://example.org/mean.json",
      status: "approved",
      approvals: [vetterA, vetterB].map((vetter) => ({
        vetter: address(vetter),
        expiresS: farS,
        withdrawn: false,
        counts: true,
      })),
    });
    await writers(vetterB).algorithms.withdrawApproval(hash);
    await writers(vetterB).algorithms.withdrawApproval(hash);
    await look();
    expect(await codeOf(second())).to.equal("chain_rejected");
    await algorithms.revoke(hash, "leaks");
    await algorithms.revoke(hash, "leaks");
    await look();
    expect((await reader.algorithms()).map((algorithm) => algorithm.status)).to.deep.equal(["revoked"]);
    const expected = ["none", "published", "published", "approved", "published", "revoked"];
    expect(statuses.map(({ status }) => status)).to.deep.equal(expected);
    for (const { block, status } of statuses) {
      expect(await reader.algorithmStatus(hash, block), `block ${block.number}`).to.equal(status);
    }
  });

  it("keeps directory entries, and writes none twice", async () => {
    const reader = new EthereumDirectory(world.open());
    const { directory } = writers(repository);
    expect(await reader.entry(address(repository), "repository")).to.equal(undefined);
    const [tlsFingerprint, metadataHash] = [sha256Hex("certificate"), sha256Hex("description")];
    const endpoint = "https://127.0.0.1:8443";
    for (let i = 0; i < 2; i++)
      await directory.setEntry("repository", endpoint, tlsFingerprint, metadataHash);
    const entry = {
      member: address(repository),
      role: "repository",
      endpoint,
      tlsFingerprint,
      metadataHash,
      certified: true,
    };
    expect(await reader.entry(address(repository), "repository")).to.deep.equal(entry);
    expect(await reader.entries("repository")).to.deep.equal([entry]);
    expect(await reader.entries("directory")).to.deep.equal([]);
    expect(await world.provider.getTransactionCount(address(repository))).to.equal(1);
    expect(
      await codeOf(directory.setEntry("directory", endpoint, tlsFingerprint, metadataHash)),
      "not certified for it",
    ).to.equal("chain_rejected");
    for (let i = 0; i < 2; i++) await directory.removeEntry("repository");
    expect(await reader.entries("repository")).to.deep.equal([]);
  });

  it("sends what several writers of one key want, one after the other", async () => {
    const chain = world.open();
    const modules = { chain, sender: world.sender(repository, chain) };
    const directory = new EthereumDirectoryWriter(modules);
    const algorithms = new EthereumAlgorithmWriter(modules);
    const hashes = ["one", "two", "three"].map((text) => sha256Hex(text));
    await Promise.all([
      ...hashes.map((each) => algorithms.publish(each, "", "plan", "wages")),
      directory.setEntry("repository", "https://localhost", sha256Hex("c"), sha256Hex("d")),
    ]);
    const published = (await new EthereumAlgorithms(chain).algorithms()).map((algorithm) => algorithm.hash);
    expect(published).to.include.members(hashes);
    expect(await new EthereumDirectory(chain).entries("repository")).to.have.length(1);
  });

  it("records incidents and how they were settled", async () => {
    const reader = new EthereumFramework(world.open());
    const [reportHash, recourseHash] = [sha256Hex("report"), sha256Hex("recourse")];
    await writers(auditor).incidents.report(address(repository), reportHash, "https://example.org/report");
    expect(await codeOf(writers(author).incidents.report(address(repository), reportHash, ""))).to.equal(
      "chain_rejected",
    );
    const [incident] = await reader.incidents();
    expect(incident).to.include({
      id: 0,
      member: address(repository),
      reporter: address(auditor),
      reportHash,
    });
    expect(incident?.resolution).to.equal(undefined);
    await world.decide(council.resolveIncident(0, recourseHash, "https://example.org/recourse"));
    expect((await reader.incidents())[0]?.resolution).to.include({ recourseHash });
  });
});

function bound(writer: EthereumCouncilWriter): Pick<EthereumCouncilWriter, "propose"> {
  return { propose: writer.propose.bind(writer) };
}
