import { expect } from "chai";
import { encodeBytes32String as word, ZeroAddress, ZeroHash } from "ethers";
import {
  type Action,
  type CertificationOptions,
  certification,
  connect,
  DATA_CLASS,
  decide,
  deployWithFramework,
  FRAMEWORK_ID,
  frameworkCall,
  momentOf,
  MemberStatus as Status,
  type System,
} from "../support/system.ts";

const connection = await connect();
const { ethers, networkHelpers } = connection;
const [QUERIER, VETTER, REPOSITORY] = [word("querier"), word("vetter"), word("repository")];
const HOUR_SECONDS = 3600;

/** One member, certified as a querier of the bank, and a decision at hand for every function. */
async function certified() {
  const s = await deployWithFramework(connection);
  const member = s.outsiders[0]!.address;
  const call = (name: string, ...args: unknown[]) => frameworkCall(s, name, ...args);
  const carry = async (...actions: Action[]) => await decide(connection, s, ...actions);
  const act = async (name: string, ...args: unknown[]) => await carry(call(name, ...args));
  const terms = (options: Partial<CertificationOptions> = {}) =>
    certification({ controlGroup: "bank", ...options });
  const first = await momentOf(await act("certify", member, QUERIER, terms()));
  return {
    s,
    framework: s.framework,
    member,
    stranger: s.outsiders[1]!.address,
    call,
    carry,
    act,
    terms,
    first,
  };
}

const load = () => networkHelpers.loadFixture(certified);
const now = () => networkHelpers.time.latest();

describe("Certifications", () => {
  describe("certifying", () => {
    it("makes a member, with everything that was certified open to all", async () => {
      const { framework, member, stranger, act, terms } = await load();
      const given = terms({ controlGroup: "city", maxGrade: 1 });
      await expect(act("certify", stranger, REPOSITORY, given))
        .to.emit(framework, "ControlGroupChanged")
        .withArgs(stranger, ZeroHash, word("city"))
        .and.to.emit(framework, "MemberCertified");
      expect(await framework.statusOf(stranger, REPOSITORY)).to.equal(Status.Active);
      expect(await framework.isCertified(stranger, REPOSITORY)).to.equal(true);
      const stored = await framework.certificationOf(stranger, REPOSITORY);
      const { frameworkId, jurisdiction, controlGroup, maxGrade, validUntil, privacyPolicyHash } = stored;
      expect([frameworkId, jurisdiction, controlGroup]).to.deep.equal([
        FRAMEWORK_ID,
        word("EU"),
        word("city"),
      ]);
      expect([maxGrade, validUntil]).to.deep.equal([1n, BigInt(given.validUntil)]);
      expect(privacyPolicyHash).to.equal(word("privacy policy"));
      expect(await framework.memberCount()).to.equal(2);
      expect([await framework.memberAt(0), await framework.memberAt(1)]).to.deep.equal([member, stranger]);
      expect(await framework.rolesOf(stranger)).to.deep.equal([REPOSITORY]);
    });

    it("leaves everybody else without status", async () => {
      const { framework, member, stranger } = await load();
      expect(await framework.statusOf(stranger, QUERIER)).to.equal(Status.None);
      expect(await framework.statusOf(member, VETTER)).to.equal(Status.None);
      expect(await framework.isCertifiedInAnyRole(stranger)).to.equal(false);
      expect(await framework.isCertifiedInAnyRole(member)).to.equal(true);
      expect((await framework.certificationOf(member, VETTER)).frameworkId).to.equal(ZeroHash);
      expect((await framework.certificationOf(member, VETTER)).controlGroup).to.equal(ZeroHash);
      expect(await framework.controlGroupOf(stranger)).to.equal(ZeroHash);
    });

    it("knows ten roles, and one member may hold them all", async () => {
      const { framework, member, call, carry, terms } = await load();
      const roles = [
        ["repository", "directory", "vetter", "identity-provider", "core-identity-provider"],
        ["transaction-identity-provider", "share-store", "mpc-node", "auditor"],
      ].flat();
      const classes = (role: string) => (role === "vetter" ? [DATA_CLASS] : []);
      await carry(
        ...roles.map((role) => call("certify", member, word(role), terms({ dataClasses: classes(role) }))),
      );
      for (const role of roles) expect(await framework.isCertified(member, word(role)), role).to.equal(true);
      expect(await framework.rolesOf(member)).to.have.lengthOf(10);
      expect(await framework.memberCount()).to.equal(1);
    });

    it("allows every grade of the framework, and none at all", async () => {
      const { framework, act, terms, stranger } = await load();
      await act("certify", stranger, QUERIER, terms({ maxGrade: 3 }));
      await act("certify", stranger, REPOSITORY, terms({ maxGrade: 0 }));
      expect((await framework.certificationOf(stranger, QUERIER)).maxGrade).to.equal(3);
    });

    it("refuses each bad input by a name of its own", async () => {
      const { framework, member, stranger, act, terms } = await load();
      const past = (await now()) - 1;
      const many = Array.from({ length: 17 }, (_, i) => word(`class ${i}`));
      const cases: [string, string, unknown, string, unknown[]][] = [
        [stranger, word("king"), terms(), "UnknownRole", [word("king")]],
        [ZeroAddress, QUERIER, terms(), "InvalidMember", [ZeroAddress]],
        [member, QUERIER, terms(), "AlreadyCertified", [member, QUERIER]],
        [stranger, QUERIER, terms({ frameworkId: word("none") }), "UnknownFramework", [word("none")]],
        [stranger, QUERIER, terms({ maxGrade: 4 }), "InvalidFramework", [FRAMEWORK_ID]],
        [
          stranger,
          QUERIER,
          terms({ controlGroup: "" }),
          "ControlGroupMismatch",
          [stranger, ZeroHash, ZeroHash],
        ],
        [stranger, QUERIER, terms({ validFrom: 5, validUntil: past }), "InvalidValidity", [5, past]],
        [
          stranger,
          QUERIER,
          terms({ validFrom: 2 ** 40, validUntil: 2 ** 40 }),
          "InvalidValidity",
          [2 ** 40, 2 ** 40],
        ],
        [
          stranger,
          QUERIER,
          { ...terms(), identityPolicyHash: ZeroHash },
          "MissingPolicy",
          [stranger, QUERIER],
        ],
        [
          stranger,
          QUERIER,
          { ...terms(), securityPolicyHash: ZeroHash },
          "MissingPolicy",
          [stranger, QUERIER],
        ],
        [
          stranger,
          QUERIER,
          { ...terms(), privacyPolicyHash: ZeroHash },
          "MissingPolicy",
          [stranger, QUERIER],
        ],
        [stranger, QUERIER, terms({ dataClasses: [DATA_CLASS] }), "InvalidDataClasses", [QUERIER, 1]],
        [stranger, VETTER, terms(), "InvalidDataClasses", [VETTER, 0]],
        [stranger, VETTER, terms({ dataClasses: [DATA_CLASS, ZeroHash] }), "InvalidDataClasses", [VETTER, 2]],
        [stranger, VETTER, terms({ dataClasses: many }), "InvalidDataClasses", [VETTER, 17]],
      ];
      for (const [account, role, given, error, args] of cases) {
        await expect(act("certify", account, role, given))
          .to.be.revertedWithCustomError(framework, error)
          .withArgs(...args);
      }
      expect(await framework.memberCount()).to.equal(1);
    });

    it("is for the council alone, like all that follows", async () => {
      const { s, framework, member, terms } = await load();
      for (const caller of [s.members[0]!, s.outsiders[0]!]) {
        const direct = framework.connect(caller);
        for (const attempt of [
          () => direct.certify(member, VETTER, terms({ dataClasses: [DATA_CLASS] })),
          () => direct.renew(member, QUERIER, terms()),
          () => direct.revokeCertification(member, QUERIER, word("r")),
          () => direct.suspend(member, word("r")),
          () => direct.reinstate(member, word("r")),
          () => direct.changeControlGroup(member, word("city")),
        ]) {
          await expect(attempt())
            .to.be.revertedWithCustomError(framework, "OnlyCouncil")
            .withArgs(caller.address);
        }
      }
    });

    it("obeys a contract, never a plain key", async () => {
      const { s, framework } = await load();
      await expect(ethers.deployContract("TrustFramework", [s.members[0]!]))
        .to.be.revertedWithCustomError(framework, "CouncilWithoutCode")
        .withArgs(s.members[0]!.address);
    });
  });

  describe("the time of validity", () => {
    it("begins and ends to the second, also for the past", async () => {
      const { framework, stranger, act, terms } = await load();
      const from = (await now()) + 10 * HOUR_SECONDS;
      const until = from + HOUR_SECONDS;
      const { block } = await momentOf(
        await act("certify", stranger, QUERIER, terms({ validFrom: from, validUntil: until })),
      );
      await networkHelpers.mine();
      const at = (time: number) => framework.statusAt(stranger, QUERIER, block, time);
      expect(await at(from - 1)).to.equal(Status.NotYetValid);
      expect(await at(from)).to.equal(Status.Active);
      expect(await at(until - 1)).to.equal(Status.Active);
      expect(await at(until)).to.equal(Status.Expired);
      expect(await framework.statusOf(stranger, QUERIER)).to.equal(Status.NotYetValid);
      await networkHelpers.time.increaseTo(from);
      expect(await framework.statusOf(stranger, QUERIER)).to.equal(Status.Active);
      await networkHelpers.time.increaseTo(until);
      expect(await framework.statusOf(stranger, QUERIER)).to.equal(Status.Expired);
      expect(await framework.isCertifiedInAnyRole(stranger)).to.equal(false);
    });

    it("is prolonged by renewal, even after it ended, but not by certifying twice", async () => {
      const { framework, stranger, act, terms } = await load();
      const until = (await now()) + 3 * HOUR_SECONDS;
      await act("certify", stranger, QUERIER, terms({ validUntil: until }));
      await networkHelpers.time.increaseTo(until);
      const { block, timestamp } = await momentOf(await act("renew", stranger, QUERIER, terms()));
      await expect(act("certify", stranger, QUERIER, terms())).to.be.revertedWithCustomError(
        framework,
        "AlreadyCertified",
      );
      expect(await framework.statusOf(stranger, QUERIER)).to.equal(Status.Active);
      expect(await framework.statusAt(stranger, QUERIER, block - 1, timestamp - 1)).to.equal(Status.Expired);
      expect((await framework.certificationAt(stranger, QUERIER, block - 1)).validUntil).to.equal(until);
    });
  });

  describe("renewing", () => {
    it("replaces the terms, and the old ones stay on record", async () => {
      const { framework, member, act, terms, first } = await load();
      await expect(act("renew", member, QUERIER, terms({ maxGrade: 1 }))).to.emit(
        framework,
        "CertificationRenewed",
      );
      expect((await framework.certificationOf(member, QUERIER)).maxGrade).to.equal(1);
      expect((await framework.certificationAt(member, QUERIER, first.block)).maxGrade).to.equal(2);
      expect((await framework.certificationAt(member, QUERIER, first.block - 1)).frameworkId).to.equal(
        ZeroHash,
      );
    });

    it("checks the new terms like the first ones", async () => {
      const { framework, member, stranger, act, terms } = await load();
      const cases: [string, string, unknown, string][] = [
        [stranger, QUERIER, terms(), "NotCertified"],
        [member, VETTER, terms({ dataClasses: [DATA_CLASS] }), "NotCertified"],
        [member, QUERIER, terms({ controlGroup: "city" }), "ControlGroupMismatch"],
        [member, QUERIER, terms({ maxGrade: 9 }), "InvalidFramework"],
        [member, QUERIER, terms({ validUntil: 1 }), "InvalidValidity"],
        [member, QUERIER, terms({ dataClasses: [DATA_CLASS] }), "InvalidDataClasses"],
      ];
      for (const [account, role, given, error] of cases) {
        await expect(act("renew", account, role, given)).to.be.revertedWithCustomError(framework, error);
      }
    });
  });

  describe("revoking", () => {
    it("ends one role at once, and what was true before stays true", async () => {
      const { framework, member, act, terms, first } = await load();
      await act("certify", member, REPOSITORY, terms());
      await expect(act("revokeCertification", member, QUERIER, word("fraud")))
        .to.emit(framework, "CertificationRevoked")
        .withArgs(member, QUERIER, word("fraud"));
      expect(await framework.statusOf(member, QUERIER)).to.equal(Status.Revoked);
      expect(await framework.statusOf(member, REPOSITORY)).to.equal(Status.Active);
      expect(await framework.statusAt(member, QUERIER, first.block, first.timestamp)).to.equal(Status.Active);
    });

    it("is final: no renewal, no second time, only certifying anew", async () => {
      const { framework, member, act, terms } = await load();
      const revoked = await momentOf(await act("revokeCertification", member, QUERIER, word("fraud")));
      for (const attempt of [
        () => act("renew", member, QUERIER, terms()),
        () => act("revokeCertification", member, QUERIER, word("again")),
        () => act("revokeCertification", member, VETTER, word("never held")),
      ]) {
        await expect(attempt()).to.be.revertedWithCustomError(framework, "NotCertified");
      }
      await act("certify", member, QUERIER, terms());
      expect(await framework.statusOf(member, QUERIER)).to.equal(Status.Active);
      expect(await framework.statusAt(member, QUERIER, revoked.block, revoked.timestamp)).to.equal(
        Status.Revoked,
      );
      expect(await framework.memberCount()).to.equal(1);
    });

    it("outranks suspension, which outranks expiry", async () => {
      const { framework, member, act, terms, call, carry } = await load();
      const until = (await now()) + 4 * HOUR_SECONDS;
      await carry(call("certify", member, REPOSITORY, terms({ validUntil: until })));
      await carry(
        call("suspend", member, word("s")),
        call("revokeCertification", member, QUERIER, word("r")),
      );
      await networkHelpers.time.increaseTo(until);
      expect(await framework.statusOf(member, QUERIER)).to.equal(Status.Revoked);
      expect(await framework.statusOf(member, REPOSITORY)).to.equal(Status.Suspended);
      await act("reinstate", member, word("over"));
      expect(await framework.statusOf(member, REPOSITORY)).to.equal(Status.Expired);
      expect(await framework.statusOf(member, QUERIER)).to.equal(Status.Revoked);
    });
  });

  describe("suspending", () => {
    it("stops all roles, those certified or renewed later included, until reinstatement", async () => {
      const { framework, member, act, terms } = await load();
      const suspended = await momentOf(await act("suspend", member, word("leak")));
      await act("certify", member, REPOSITORY, terms());
      await act("renew", member, QUERIER, terms());
      for (const role of [QUERIER, REPOSITORY]) {
        expect(await framework.statusOf(member, role)).to.equal(Status.Suspended);
      }
      expect(await framework.isCertifiedInAnyRole(member)).to.equal(false);
      await expect(act("reinstate", member, word("cleared")))
        .to.emit(framework, "MemberReinstated")
        .withArgs(member, word("cleared"));
      for (const role of [QUERIER, REPOSITORY]) {
        expect(await framework.statusOf(member, role)).to.equal(Status.Active);
      }
      const { block, timestamp } = suspended;
      expect(await framework.statusAt(member, QUERIER, block, timestamp)).to.equal(Status.Suspended);
      expect(await framework.statusAt(member, QUERIER, block - 1, timestamp)).to.equal(Status.Active);
    });

    it("refuses strangers, and what is so already", async () => {
      const { framework, member, stranger, act } = await load();
      await expect(act("suspend", stranger, word("r")))
        .to.be.revertedWithCustomError(framework, "UnknownMember")
        .withArgs(stranger);
      await expect(act("reinstate", member, word("r")))
        .to.be.revertedWithCustomError(framework, "NotSuspended")
        .withArgs(member);
      await act("suspend", member, word("r"));
      await expect(act("suspend", member, word("r")))
        .to.be.revertedWithCustomError(framework, "AlreadySuspended")
        .withArgs(member);
    });
  });

  describe("the control group", () => {
    it("is one per member, across roles and frameworks", async () => {
      const { framework, member, act, terms } = await load();
      await expect(act("certify", member, REPOSITORY, terms({ controlGroup: "city" })))
        .to.be.revertedWithCustomError(framework, "ControlGroupMismatch")
        .withArgs(member, word("bank"), word("city"));
    });

    it("changes by a decision of its own, in all roles, and keeps its history", async () => {
      const { framework, member, act, first } = await load();
      await expect(act("changeControlGroup", member, word("city")))
        .to.emit(framework, "ControlGroupChanged")
        .withArgs(member, word("bank"), word("city"));
      expect(await framework.controlGroupOf(member)).to.equal(word("city"));
      expect((await framework.certificationOf(member, QUERIER)).controlGroup).to.equal(word("city"));
      expect(await framework.controlGroupAt(member, first.block)).to.equal(word("bank"));
      expect(await framework.controlGroupAt(member, first.block - 1)).to.equal(ZeroHash);
      const then = await framework.certificationAt(member, QUERIER, first.block);
      expect(then.controlGroup).to.equal(word("bank"));
    });

    it("refuses strangers, no group, and the same group", async () => {
      const { framework, member, stranger, act } = await load();
      await expect(act("changeControlGroup", stranger, word("city"))).to.be.revertedWithCustomError(
        framework,
        "UnknownMember",
      );
      for (const group of [ZeroHash, word("bank")]) {
        await expect(act("changeControlGroup", member, group))
          .to.be.revertedWithCustomError(framework, "ControlGroupMismatch")
          .withArgs(member, word("bank"), group);
      }
    });
  });

  it("tells for which classes of data a vetter is certified, now and then", async () => {
    const { framework, member, act, terms } = await load();
    const health = word("health");
    const sixteen = [DATA_CLASS, ...Array.from({ length: 15 }, (_, i) => word(`class ${i}`))];
    const before = await momentOf(await act("certify", member, VETTER, terms({ dataClasses: sixteen })));
    await act("renew", member, VETTER, terms({ dataClasses: [health] }));
    expect(await framework.isCertifiedForClass(member, VETTER, DATA_CLASS)).to.equal(false);
    expect(await framework.isCertifiedForClass(member, VETTER, health)).to.equal(true);
    expect(await framework.isCertifiedForClass(member, QUERIER, health)).to.equal(false);
    const then = (dataClass: string) =>
      framework.isCertifiedForClassAt(member, VETTER, dataClass, before.block, before.timestamp);
    expect([await then(DATA_CLASS), await then(word("class 14")), await then(health)]).to.deep.equal([
      true,
      true,
      false,
    ]);
    await act("suspend", member, word("r"));
    expect(await framework.isCertifiedForClass(member, VETTER, health)).to.equal(false);
    expect(await then(DATA_CLASS)).to.equal(true);
  });

  it("lets the last of several changes inside one block count", async () => {
    const { framework, member, call, carry, terms } = await load();
    const { block, timestamp } = await momentOf(
      await carry(
        call("revokeCertification", member, QUERIER, word("r")),
        call("certify", member, QUERIER, terms({ maxGrade: 1 })),
        call("suspend", member, word("r")),
        call("reinstate", member, word("r")),
        call("changeControlGroup", member, word("city")),
        call("changeControlGroup", member, word("state")),
      ),
    );
    await networkHelpers.mine();
    expect(await framework.statusAt(member, QUERIER, block, timestamp)).to.equal(Status.Active);
    expect((await framework.certificationAt(member, QUERIER, block)).maxGrade).to.equal(1);
    expect(await framework.controlGroupAt(member, block)).to.equal(word("state"));
  });

  it("does not answer about a block that is not mined yet", async () => {
    const { s, member } = await load();
    const future = (await ethers.provider.getBlockNumber()) + 1;
    for (const question of questionsAbout(s, member, future)) {
      await expect(question).to.be.revertedWithCustomError(s.framework, "BlockNotYetMined");
    }
  });
});

function questionsAbout({ framework }: System, member: string, block: number) {
  return [
    framework.statusAt(member, QUERIER, block, 0),
    framework.isCertifiedForClassAt(member, VETTER, DATA_CLASS, block, 0),
    framework.controlGroupAt(member, block),
    framework.certificationAt(member, QUERIER, block),
    framework.gradeCapAt(FRAMEWORK_ID, FRAMEWORK_ID, block),
  ];
}
