import { expect } from "chai";
import { encodeBytes32String as word, ZeroHash } from "ethers";
import {
  connect,
  DELAY_SECONDS,
  decide,
  deploySystem,
  FRAMEWORK_ID,
  frameworkAction,
  ProposalState,
  propose,
  type System,
  schedule,
  THRESHOLD,
} from "../support/system.ts";

const connection = await connect();
const { ethers, networkHelpers } = connection;
const DAY_SECONDS = 86_400;

const selfCall = (s: System, name: string, args: unknown[]) => ({
  target: s.council,
  data: s.council.interface.encodeFunctionData(name as "addMember", args as [string]),
});

describe("TrustCouncil", () => {
  const load = () => networkHelpers.loadFixture(fresh);
  async function fresh() {
    return await deploySystem(connection);
  }
  const registration = (s: System) => frameworkAction(s, FRAMEWORK_ID);

  describe("a proposal", () => {
    it("counts as approved by its proposer, and by nobody else", async () => {
      const s = await load();
      const { id } = await propose(s, [registration(s)], "register the framework");
      const proposal = await s.council.proposalOf(id);
      expect(proposal.approvers).to.deep.equal([s.members[0]!.address]);
      expect(proposal.description).to.equal("register the framework");
      expect(proposal.targets).to.deep.equal([await s.framework.getAddress()]);
      expect(proposal.payloads).to.deep.equal([registration(s).data]);
      expect(proposal.state).to.equal(ProposalState.Pending);
      expect([await s.council.proposalCount(), await s.council.proposalAt(0)]).to.deep.equal([1n, id]);
    });

    it("is carried out by anyone after the threshold and the delay", async () => {
      const s = await load();
      const id = await schedule(s, registration(s));
      expect(await s.council.stateOf(id)).to.equal(ProposalState.Waiting);
      await networkHelpers.time.increase(DELAY_SECONDS);
      expect(await s.council.stateOf(id)).to.equal(ProposalState.Ready);
      await expect(s.council.connect(s.outsiders[0]!)["execute(bytes32)"](id))
        .to.emit(s.framework, "FrameworkRegistered")
        .and.to.emit(s.council, "ProposalExecuted")
        .withArgs(id);
      expect(await s.council.stateOf(id)).to.equal(ProposalState.Executed);
    });

    it("cannot be carried out before the delay is over", async () => {
      const s = await load();
      const id = await schedule(s, registration(s));
      await networkHelpers.time.increase(DELAY_SECONDS - 10);
      await expect(s.council["execute(bytes32)"](id))
        .to.be.revertedWithCustomError(s.council, "UnexpectedProposalState")
        .withArgs(id, ProposalState.Waiting);
    });

    it("cannot be carried out with one approval too few, however long one waits", async () => {
      const s = await load();
      const { id } = await propose(s, [registration(s)]);
      await s.council.connect(s.members[1]!).approve(id);
      await networkHelpers.time.increase(DELAY_SECONDS * 2);
      await expect(s.council["execute(bytes32)"](id))
        .to.be.revertedWithCustomError(s.council, "UnexpectedProposalState")
        .withArgs(id, ProposalState.Pending);
    });

    it("cannot be carried out twice", async () => {
      const s = await load();
      const id = await schedule(s, registration(s));
      await networkHelpers.time.increase(DELAY_SECONDS);
      await s.council["execute(bytes32)"](id);
      await expect(s.council["execute(bytes32)"](id))
        .to.be.revertedWithCustomError(s.council, "UnexpectedProposalState")
        .withArgs(id, ProposalState.Executed);
    });

    it("succeeds as a whole or not at all", async () => {
      const s = await load();
      const id = await schedule(s, registration(s), registration(s));
      await networkHelpers.time.increase(DELAY_SECONDS);
      await expect(s.council["execute(bytes32)"](id)).to.be.revertedWithCustomError(
        s.framework,
        "FrameworkExists",
      );
      expect(await s.framework.frameworkCount()).to.equal(0);
    });

    it("cannot be made, approved or disapproved by an outsider", async () => {
      const s = await load();
      const { id, args } = await propose(s, [registration(s)]);
      const outsider = s.council.connect(s.outsiders[0]!);
      for (const attempt of [
        () => outsider.propose(...args),
        () => outsider.approve(id),
        () => outsider.withdrawApproval(id),
      ]) {
        await expect(attempt())
          .to.be.revertedWithCustomError(s.council, "NotMember")
          .withArgs(s.outsiders[0]!.address);
      }
    });

    it("cannot be approved twice by the same member", async () => {
      const s = await load();
      const { id } = await propose(s, [registration(s)]);
      await expect(s.council.approve(id))
        .to.be.revertedWithCustomError(s.council, "AlreadyApproved")
        .withArgs(id, s.members[0]!.address);
    });

    it("cannot be made again under the same salt, also after it was carried out", async () => {
      const s = await load();
      const { id, args } = await propose(s, [registration(s)]);
      await expect(s.council.connect(s.members[1]!).propose(...args))
        .to.be.revertedWithCustomError(s.council, "ProposalExists")
        .withArgs(id);
      for (let i = 1; i < THRESHOLD; ++i) await s.council.connect(s.members[i]!).approve(id);
      await networkHelpers.time.increase(DELAY_SECONDS);
      await s.council["execute(bytes32)"](id);
      await expect(s.council.propose(...args)).to.be.revertedWithCustomError(s.council, "ProposalExists");
    });

    it("has another id under another description, so a text cannot be swapped", async () => {
      const s = await load();
      const { id, args } = await propose(s, [registration(s)], "harmless");
      const [targets, values, payloads, salt] = args;
      expect(await s.council.hashProposal(targets, values, payloads, salt, "harmful")).not.to.equal(id);
    });

    it("expires when approvals come too slowly", async () => {
      const s = await load();
      const { id } = await propose(s, [registration(s)]);
      await networkHelpers.time.increase(14 * DAY_SECONDS);
      await expect(s.council.connect(s.members[1]!).approve(id))
        .to.be.revertedWithCustomError(s.council, "UnexpectedProposalState")
        .withArgs(id, ProposalState.Expired);
    });

    it("expires when nobody carries it out", async () => {
      const s = await load();
      const id = await schedule(s, registration(s));
      await networkHelpers.time.increase(DELAY_SECONDS + 14 * DAY_SECONDS);
      await expect(s.council["execute(bytes32)"](id))
        .to.be.revertedWithCustomError(s.council, "UnexpectedProposalState")
        .withArgs(id, ProposalState.Expired);
    });

    it("falls back to pending when an approval is withdrawn during the delay", async () => {
      const s = await load();
      const id = await schedule(s, registration(s));
      await s.council.connect(s.members[2]!).withdrawApproval(id);
      await networkHelpers.time.increase(DELAY_SECONDS);
      await expect(s.council["execute(bytes32)"](id))
        .to.be.revertedWithCustomError(s.council, "UnexpectedProposalState")
        .withArgs(id, ProposalState.Pending);
    });

    it("waits out the whole delay anew when approvals suffice again", async () => {
      const s = await load();
      const id = await schedule(s, registration(s));
      await s.council.connect(s.members[2]!).withdrawApproval(id);
      await networkHelpers.time.increase(DELAY_SECONDS);
      await s.council.connect(s.members[3]!).approve(id);
      expect(await s.council.stateOf(id)).to.equal(ProposalState.Waiting);
      await networkHelpers.time.increase(DELAY_SECONDS);
      expect(await s.council.stateOf(id)).to.equal(ProposalState.Ready);
    });

    it("does not restart its delay when a further member approves", async () => {
      const s = await load();
      const id = await schedule(s, registration(s));
      await networkHelpers.time.increase(DELAY_SECONDS);
      await s.council.connect(s.members[4]!).approve(id);
      expect(await s.council.stateOf(id)).to.equal(ProposalState.Ready);
    });

    it("refuses no actions, too many, and lists of different lengths", async () => {
      const s = await load();
      const { target, data } = registration(s);
      const address = await target.getAddress();
      const many = Array.from({ length: 17 }, () => address);
      for (const [targets, payloads] of [
        [[], []],
        [[address], []],
        [many, many.map(() => data)],
      ] as const) {
        await expect(
          s.council.propose(
            [...targets],
            targets.map(() => 0n),
            [...payloads],
            ZeroHash,
            "",
          ),
        ).to.be.revertedWithCustomError(s.council, "InvalidActions");
      }
    });

    it("refuses texts and payloads longer than members can read", async () => {
      const s = await load();
      const address = await s.framework.getAddress();
      const long = `0x${"00".repeat(8193)}`;
      await expect(s.council.propose([address], [0], [long], ZeroHash, ""))
        .to.be.revertedWithCustomError(s.council, "TooLong")
        .withArgs(8193, 8192);
      await expect(s.council.propose([address], [0], ["0x"], ZeroHash, "x".repeat(4097)))
        .to.be.revertedWithCustomError(s.council, "TooLong")
        .withArgs(4097, 4096);
    });

    it("is empty when its id is unknown", async () => {
      const s = await load();
      expect(await s.council.stateOf(word("nothing"))).to.equal(ProposalState.None);
      expect((await s.council.proposalOf(word("nothing"))).id).to.equal(ZeroHash);
      await expect(s.council.approve(word("nothing")))
        .to.be.revertedWithCustomError(s.council, "UnexpectedProposalState")
        .withArgs(word("nothing"), ProposalState.None);
    });
  });

  describe("the timelock underneath", () => {
    it("lets no key schedule, cancel, change the delay or hand out roles", async () => {
      const s = await load();
      const { council } = s;
      const role = await council.PROPOSER_ROLE();
      const target = await s.framework.getAddress();
      const me = s.members[0]!.address;
      const denied: [() => Promise<unknown>, string][] = [
        [
          () => council.schedule(target, 0, "0x", ZeroHash, ZeroHash, 9999),
          "AccessControlUnauthorizedAccount",
        ],
        [
          () => council.scheduleBatch([target], [0], ["0x"], ZeroHash, ZeroHash, 9999),
          "AccessControlUnauthorizedAccount",
        ],
        [() => council.cancel(word("id")), "AccessControlUnauthorizedAccount"],
        [() => council.grantRole(role, me), "AccessControlUnauthorizedAccount"],
        [() => council.revokeRole(role, council), "AccessControlUnauthorizedAccount"],
        [() => council.updateDelay(5), "TimelockUnauthorizedCaller"],
      ];
      for (const [attempt, error] of denied) {
        await expect(attempt()).to.be.revertedWithCustomError(council, error);
      }
    });

    it("is executed directly only for proposals that are ready", async () => {
      const s = await load();
      const { council } = s;
      const { id, args } = await propose(s, [registration(s)]);
      const [targets, values, payloads, salt, description] = args;
      const coder = ethers.AbiCoder.defaultAbiCoder();
      const pair = coder.encode(["bytes32", "bytes32"], [salt, ethers.id(description)]);
      const operation = [targets, values, payloads, ZeroHash, ethers.keccak256(pair)] as const;
      await expect(council.executeBatch(...operation))
        .to.be.revertedWithCustomError(council, "UnexpectedProposalState")
        .withArgs(id, ProposalState.Pending);
      for (let i = 1; i < THRESHOLD; ++i) await council.connect(s.members[i]!).approve(id);
      await council.connect(s.members[1]!).withdrawApproval(id);
      await networkHelpers.time.increase(DELAY_SECONDS);
      await expect(council.executeBatch(...operation))
        .to.be.revertedWithCustomError(council, "UnexpectedProposalState")
        .withArgs(id, ProposalState.Pending);
      const single = council["execute(address,uint256,bytes,bytes32,bytes32)"];
      await expect(
        single(targets[0]!, 0, payloads[0]!, ZeroHash, ethers.keccak256(pair)),
      ).to.be.revertedWithCustomError(council, "TimelockUnexpectedOperationState");
    });

    it("cannot be reached by a proposal: its roles and schedule are out of the council's own reach", async () => {
      const s = await load();
      const role = await s.council.PROPOSER_ROLE();
      const target = await s.framework.getAddress();
      const attempts: [string, unknown[]][] = [
        ["grantRole", [role, s.members[0]!.address]],
        ["revokeRole", [role, await s.council.getAddress()]],
        ["renounceRole", [role, await s.council.getAddress()]],
        ["schedule", [target, 0, "0x", ZeroHash, ZeroHash, 9999]],
        ["scheduleBatch", [[target], [0], ["0x"], ZeroHash, ZeroHash, 9999]],
        ["cancel", [word("id")]],
        ["executeBatch", [[target], [0], ["0x"], ZeroHash, ZeroHash]],
        ["propose", [[target], [0], ["0x"], ZeroHash, ""]],
        ["approve", [word("id")]],
        ["suspend", [target, s.members[0]!.address, ZeroHash]],
      ];
      for (const [name, args] of attempts) {
        const { data } = selfCall(s, name, args);
        await expect(s.council.propose([s.council], [0], [data], ZeroHash, ""), name)
          .to.be.revertedWithCustomError(s.council, "ForbiddenSelfCall")
          .withArgs(0, data.slice(0, 10));
      }
      await expect(s.council.propose([s.council], [0], ["0x"], ZeroHash, "")).to.be.revertedWithCustomError(
        s.council,
        "ForbiddenSelfCall",
      );
    });

    it("changes its delay by a proposal, within bounds", async () => {
      const s = await load();
      await decide(connection, s, selfCall(s, "updateDelay", [7200]));
      expect(await s.council.getMinDelay()).to.equal(7200);
      for (const delay of [0, 30 * DAY_SECONDS + 1]) {
        const factory = await ethers.getContractFactory("TrustCouncil");
        const members = s.members.map((m) => m.address);
        await expect(factory.deploy(members, 3, 2, delay))
          .to.be.revertedWithCustomError(s.council, "InvalidDelay")
          .withArgs(delay, 1, 30 * DAY_SECONDS);
      }
    });

    it("holds ether, and spends it by a proposal only", async () => {
      const s = await load();
      const receiver = s.outsiders[3]!;
      await s.members[0]!.sendTransaction({ to: s.council, value: 5n });
      const payment = { target: { getAddress: async () => receiver.address }, data: "0x", value: 5n };
      await expect(decide(connection, s, payment as never)).to.changeEtherBalance(ethers, receiver, 5n);
    });
  });

  it("survives an executed call that enters it again", async () => {
    const s = await load();
    const reentrant = await ethers.deployContract("Reentrant", [s.council]);
    const action = (name: "reenter" | "arm", args: string[]) => ({
      target: reentrant,
      data: reentrant.interface.encodeFunctionData(name as "arm", args as [string]),
    });
    const id = await schedule(s, action("reenter", []));
    await reentrant.getFunction("arm")(id);
    await networkHelpers.time.increase(DELAY_SECONDS);
    await expect(s.council["execute(bytes32)"](id)).to.be.revert(ethers);
    expect(await reentrant.getFunction("entered")()).to.equal(0);
    expect(await s.council.stateOf(id)).to.equal(ProposalState.Ready);
  });
});
