import { expect } from "chai";
import { ZeroAddress } from "ethers";
import {
  type Action,
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
} from "../support/system.ts";

const connection = await connect();
const { ethers, networkHelpers } = connection;

type Change = "addMember" | "removeMember" | "replaceMember" | "setThreshold" | "setEmergencyQuorum";

const change = (s: System, name: Change, ...args: unknown[]): Action => ({
  target: s.council,
  data: s.council.interface.encodeFunctionData(name as "addMember", args as [string]),
});

describe("CouncilMembers", () => {
  const load = () => networkHelpers.loadFixture(fresh);
  async function fresh() {
    return await deploySystem(connection);
  }

  describe("at construction", () => {
    const deploy = async (members: string[], threshold: number, quorum: number) =>
      (await ethers.getContractFactory("TrustCouncil")).deploy(members, threshold, quorum, 60);

    it("refuses a threshold of one, of zero, or above the number of members", async () => {
      const { council, members } = await load();
      const seats = members.slice(0, 3).map((m) => m.address);
      for (const threshold of [0, 1, 4]) {
        await expect(deploy(seats, threshold, 2))
          .to.be.revertedWithCustomError(council, "InvalidThreshold")
          .withArgs(threshold, 3);
      }
      await expect(deploy(seats.slice(0, 1), 1, 1)).to.be.revertedWithCustomError(
        council,
        "InvalidThreshold",
      );
    });

    it("refuses an emergency quorum of one or above the threshold", async () => {
      const { council, members } = await load();
      const seats = members.map((m) => m.address);
      for (const quorum of [0, 1, 4]) {
        await expect(deploy(seats, 3, quorum))
          .to.be.revertedWithCustomError(council, "InvalidEmergencyQuorum")
          .withArgs(quorum, 3);
      }
    });

    it("refuses the same member twice, the zero address, and too many members", async () => {
      const { council, members } = await load();
      const [a, b] = members.map((m) => m.address);
      await expect(deploy([a!, b!, a!], 2, 2))
        .to.be.revertedWithCustomError(council, "AlreadyMember")
        .withArgs(a!);
      await expect(deploy([a!, ZeroAddress], 2, 2))
        .to.be.revertedWithCustomError(council, "InvalidMember")
        .withArgs(ZeroAddress);
      const crowd = Array.from({ length: 33 }, () => ethers.Wallet.createRandom().address);
      await expect(deploy(crowd, 2, 2)).to.be.revertedWithCustomError(council, "TooManyMembers");
    });
  });

  it("prevents members and outsiders from changing anything directly", async () => {
    const { council, members, outsiders } = await load();
    for (const caller of [members[0]!, outsiders[0]!]) {
      const direct = council.connect(caller);
      for (const attempt of [
        () => direct.addMember(outsiders[0]!),
        () => direct.removeMember(members[1]!),
        () => direct.replaceMember(members[1]!, outsiders[0]!),
        () => direct.setThreshold(2),
        () => direct.setEmergencyQuorum(3),
      ]) {
        await expect(attempt())
          .to.be.revertedWithCustomError(council, "OnlyCouncilItself")
          .withArgs(caller.address);
      }
    }
  });

  it("replaces a member by decision of the council", async () => {
    const s = await load();
    const [old, next] = [s.members[4]!.address, s.outsiders[0]!.address];
    await expect(decide(connection, s, change(s, "replaceMember", old, next)))
      .to.emit(s.council, "MemberRemoved")
      .withArgs(old)
      .and.to.emit(s.council, "MemberAdded")
      .withArgs(next);
    expect(await s.council.isMember(old)).to.equal(false);
    expect(await s.council.members())
      .to.include(next)
      .and.to.have.lengthOf(5);
  });

  it("lets a member approve its own replacement", async () => {
    const s = await load();
    await decide(connection, s, change(s, "replaceMember", s.members[0]!.address, s.outsiders[0]!.address));
    expect(await s.council.isMember(s.members[0]!)).to.equal(false);
  });

  it("adds members, and raises the threshold in the same decision", async () => {
    const s = await load();
    await decide(
      connection,
      s,
      change(s, "addMember", s.outsiders[0]!.address),
      change(s, "setThreshold", 4),
      change(s, "setEmergencyQuorum", 3),
    );
    const settings = [s.council.memberCount(), s.council.threshold(), s.council.emergencyQuorum()];
    expect(await Promise.all(settings)).to.deep.equal([6n, 4n, 3n]);
  });

  it("refuses decisions after which one key would suffice, or the threshold could not be met", async () => {
    const s = await load();
    const remove = (i: number) => change(s, "removeMember", s.members[i]!.address);
    const cases: [Action[], string][] = [
      [[change(s, "setThreshold", 1)], "InvalidThreshold"],
      [[change(s, "setThreshold", 6)], "InvalidThreshold"],
      [[change(s, "setEmergencyQuorum", 1)], "InvalidEmergencyQuorum"],
      [[change(s, "setEmergencyQuorum", 4)], "InvalidEmergencyQuorum"],
      [[remove(0), remove(1), remove(2)], "InvalidThreshold"],
      [[change(s, "addMember", s.members[0]!.address)], "AlreadyMember"],
      [[change(s, "addMember", await s.council.getAddress())], "InvalidMember"],
      [[change(s, "removeMember", s.outsiders[0]!.address)], "NotMember"],
      [[change(s, "replaceMember", s.members[0]!.address, s.members[1]!.address)], "AlreadyMember"],
    ];
    for (const [actions, error] of cases) {
      await expect(decide(connection, s, ...actions)).to.be.revertedWithCustomError(s.council, error);
    }
  });

  it("does not count approvals of a member who left meanwhile", async () => {
    const s = await load();
    const id = await schedule(s, frameworkAction(s, FRAMEWORK_ID));
    await decide(connection, s, change(s, "replaceMember", s.members[0]!.address, s.outsiders[0]!.address));
    expect(await s.council.approvalCount(id)).to.equal(2);
    await expect(s.council["execute(bytes32)"](id))
      .to.be.revertedWithCustomError(s.council, "UnexpectedProposalState")
      .withArgs(id, ProposalState.Pending);
  });

  it("does not revive old approvals when the member is seated again", async () => {
    const s = await load();
    const member = s.members[0]!.address;
    const { id } = await propose(s, [frameworkAction(s, FRAMEWORK_ID)]);
    await decide(connection, s, change(s, "removeMember", member), change(s, "addMember", member));
    expect(await s.council.isMember(member)).to.equal(true);
    expect(await s.council.hasApproved(id, member)).to.equal(false);
    await s.council.connect(s.members[0]!).approve(id);
    expect(await s.council.hasApproved(id, member)).to.equal(true);
  });

  it("measures open proposals by the threshold of now", async () => {
    const s = await load();
    const id = await schedule(s, frameworkAction(s, FRAMEWORK_ID));
    await decide(connection, s, change(s, "setThreshold", 4));
    expect(await s.council.stateOf(id)).to.equal(ProposalState.Pending);
    await s.council.connect(s.members[3]!).approve(id);
    expect(await s.council.stateOf(id)).to.equal(ProposalState.Waiting);
    await networkHelpers.time.increase(DELAY_SECONDS);
    await s.council["execute(bytes32)"](id);
  });

  it("starts the delay of a proposal that a lower threshold completes when one more member approves", async () => {
    const s = await load();
    const { id } = await propose(s, [frameworkAction(s, FRAMEWORK_ID)]);
    await s.council.connect(s.members[1]!).approve(id);
    await decide(connection, s, change(s, "setThreshold", 2));
    expect(await s.council.stateOf(id)).to.equal(ProposalState.Pending);
    await s.council.connect(s.members[2]!).approve(id);
    expect(await s.council.stateOf(id)).to.equal(ProposalState.Waiting);
  });
});
