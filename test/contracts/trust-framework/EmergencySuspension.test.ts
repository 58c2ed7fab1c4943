import { expect } from "chai";
import { encodeBytes32String as word } from "ethers";
import {
  type Action,
  certifyAction,
  connect,
  DELAY_SECONDS,
  decide,
  deploySystem,
  deployWithFramework,
  frameworkCall,
  type System,
} from "../support/system.ts";

const connection = await connect();
const { ethers, networkHelpers } = connection;
const WEEK_SECONDS = 7 * 86_400;
const REASON = word("leak");

const councilCall = (
  s: System,
  name: "replaceMember" | "setEmergencyQuorum",
  ...args: unknown[]
): Action => ({
  target: s.council,
  data: s.council.interface.encodeFunctionData(name as "setThreshold", args as [bigint]),
});

/** Two certified members to suspend, and each council member's vote at hand. */
async function certified() {
  const s = await deployWithFramework(connection);
  const [member, other] = [s.outsiders[0]!.address, s.outsiders[1]!.address];
  await decide(
    connection,
    s,
    certifyAction(s, member, "repository", { controlGroup: "bank" }),
    certifyAction(s, other, "querier", { controlGroup: "city" }),
  );
  const { council, framework } = s;
  const vote = (voter: number, account = member) =>
    council.connect(s.members[voter]!).suspend(framework, account, REASON);
  const withdraw = (voter: number) =>
    council.connect(s.members[voter]!).withdrawSuspensionVote(framework, member);
  const votes = () => council.suspensionVotes(framework, member);
  const carry = async (...actions: Action[]) => await decide(connection, s, ...actions);
  return { s, council, framework, member, other, vote, withdraw, votes, carry };
}

const load = () => networkHelpers.loadFixture(certified);

describe("EmergencySuspension", () => {
  it("suspends at once with the vote that completes the quorum", async () => {
    const { s, council, framework, member, vote } = await load();
    await expect(vote(0))
      .to.emit(council, "SuspensionVoted")
      .withArgs(framework, member, s.members[0]!.address, REASON, 1)
      .and.not.to.emit(council, "EmergencySuspension");
    expect(await framework.isSuspended(member)).to.equal(false);
    await expect(vote(1))
      .to.emit(council, "EmergencySuspension")
      .withArgs(framework, member, REASON)
      .and.to.emit(framework, "MemberSuspended")
      .withArgs(member, REASON);
    expect(await framework.isSuspended(member)).to.equal(true);
    expect(await framework.isCertified(member, word("repository"))).to.equal(false);
  });

  it("is for council members", async () => {
    const { s, council, framework, member } = await load();
    const outsider = s.outsiders[0]!;
    for (const attempt of [
      () => council.connect(outsider).suspend(framework, member, REASON),
      () => council.connect(outsider).withdrawSuspensionVote(framework, member),
    ]) {
      await expect(attempt()).to.be.revertedWithCustomError(council, "NotMember").withArgs(outsider.address);
    }
  });

  it("does not count the same member twice", async () => {
    const { s, council, framework, member, vote, votes } = await load();
    await vote(0);
    await expect(vote(0))
      .to.be.revertedWithCustomError(council, "AlreadyVoted")
      .withArgs(await framework.getAddress(), member, s.members[0]!.address);
    expect(await votes()).to.equal(1);
  });

  it("does not add up votes about different members", async () => {
    const { framework, member, other, vote } = await load();
    await vote(0, member);
    await vote(1, other);
    expect([await framework.isSuspended(member), await framework.isSuspended(other)]).to.deep.equal([
      false,
      false,
    ]);
  });

  it("lets a vote expire after seven days, to the second", async () => {
    const { framework, member, vote, votes } = await load();
    await vote(0);
    const votedAt = await networkHelpers.time.latest();
    await networkHelpers.time.increaseTo(votedAt + WEEK_SECONDS - 1);
    expect(await votes()).to.equal(1);
    await networkHelpers.time.increaseTo(votedAt + WEEK_SECONDS);
    expect(await votes()).to.equal(0);
    await vote(1);
    expect(await framework.isSuspended(member)).to.equal(false);
    await vote(0); // its first vote is over, so it may vote again
    expect(await framework.isSuspended(member)).to.equal(true);
  });

  it("uses votes up: after a reinstatement it takes fresh ones", async () => {
    const { s, framework, member, vote, votes, carry } = await load();
    await vote(0);
    await vote(1);
    expect(await votes()).to.equal(0);
    await carry(frameworkCall(s, "reinstate", member, word("cleared")));
    await vote(0);
    expect(await framework.isSuspended(member)).to.equal(false);
    await vote(1);
    expect(await framework.isSuspended(member)).to.equal(true);
  });

  it("cannot be lifted by those who voted, nor by anyone before the delay", async () => {
    const { s, framework, member, vote } = await load();
    await vote(0);
    await vote(1);
    await expect(framework.connect(s.members[0]!).reinstate(member, REASON)).to.be.revertedWithCustomError(
      framework,
      "OnlyCouncil",
    );
    const before = await networkHelpers.time.latest();
    await decide(connection, s, frameworkCall(s, "reinstate", member, REASON));
    expect((await networkHelpers.time.latest()) - before).to.be.at.least(DELAY_SECONDS);
    expect(await framework.isSuspended(member)).to.equal(false);
  });

  it("lets a member take its vote back, once", async () => {
    const { s, council, framework, member, vote, withdraw, votes } = await load();
    await vote(0);
    await expect(withdraw(0))
      .to.emit(council, "SuspensionVoteWithdrawn")
      .withArgs(framework, member, s.members[0]!.address);
    expect(await votes()).to.equal(0);
    for (const voter of [0, 1]) {
      await expect(withdraw(voter))
        .to.be.revertedWithCustomError(council, "NotVoted")
        .withArgs(await framework.getAddress(), member, s.members[voter]!.address);
    }
    await vote(1);
    expect(await framework.isSuspended(member)).to.equal(false);
    await vote(0);
    expect(await framework.isSuspended(member)).to.equal(true);
  });

  it("does not count the vote of a member who was replaced, nor passes it on, nor revives it", async () => {
    const { s, council, framework, member, vote, votes, carry } = await load();
    const [old, next] = [s.members[0]!.address, s.outsiders[5]!];
    await vote(0);
    await carry(councilCall(s, "replaceMember", old, next.address));
    expect(await votes()).to.equal(0);
    await vote(1);
    expect(await framework.isSuspended(member)).to.equal(false);
    await carry2(s, councilCall(s, "replaceMember", next.address, old));
    expect(await votes()).to.equal(1);
    await expect(council.connect(next).suspend(framework, member, REASON)).to.be.revertedWithCustomError(
      council,
      "NotMember",
    );
    await vote(0);
    expect(await framework.isSuspended(member)).to.equal(true);
  });

  it("measures by the quorum of the moment", async () => {
    const { s, framework, member, vote, carry } = await load();
    await vote(0);
    await carry(councilCall(s, "setEmergencyQuorum", 3));
    await vote(1);
    expect(await framework.isSuspended(member)).to.equal(false);
    await vote(2);
    expect(await framework.isSuspended(member)).to.equal(true);
  });

  it("refuses a framework that obeys another council, and what is no framework", async () => {
    const { s, council, member } = await load();
    const foreign = await deploySystem(connection);
    const address = await foreign.framework.getAddress();
    await expect(council.connect(s.members[0]!).suspend(address, member, REASON))
      .to.be.revertedWithCustomError(council, "FrameworkOfAnotherCouncil")
      .withArgs(address, await foreign.council.getAddress());
    for (const nothing of [s.outsiders[0]!.address, await s.anchor.getAddress()]) {
      await expect(council.connect(s.members[0]!).suspend(nothing, member, REASON)).to.be.revert(ethers);
    }
  });

  it("fails with the framework when that refuses, leaving the earlier votes", async () => {
    const { s, council, framework, member, vote, votes, carry } = await load();
    const stranger = s.outsiders[9]!.address;
    await vote(0, stranger);
    await expect(vote(1, stranger))
      .to.be.revertedWithCustomError(framework, "UnknownMember")
      .withArgs(stranger);
    expect(await council.suspensionVotes(framework, stranger)).to.equal(1);
    await carry(frameworkCall(s, "suspend", member, REASON));
    await vote(0);
    await expect(vote(1)).to.be.revertedWithCustomError(framework, "AlreadySuspended").withArgs(member);
    expect(await votes()).to.equal(1);
  });
});

/** A decision proposed by member 1, for when member 0 holds no seat. */
async function carry2(s: System, ...actions: Action[]) {
  const rotated = { ...s, members: [...s.members.slice(1), s.members[0]!] };
  await decide(connection, rotated, ...actions);
}
