import { expect } from "chai";
import { encodeBytes32String as word, ZeroAddress, ZeroHash } from "ethers";
import {
  certifyAction,
  connect,
  decide,
  deployWithFramework,
  frameworkCall,
  momentOf,
  MemberStatus as Status,
} from "../support/system.ts";

const connection = await connect();
const { networkHelpers } = connection;
const URI = "https://example.org/report";
const MAX_URI_BYTES = 512;

/** A repository, and an auditor who may report about it. */
async function audited() {
  const s = await deployWithFramework(connection);
  const [repository, auditor, stranger] = [s.outsiders[0]!, s.outsiders[1]!, s.outsiders[2]!];
  const act = async (name: string, ...args: unknown[]) =>
    await decide(connection, s, frameworkCall(s, name, ...args));
  await decide(
    connection,
    s,
    certifyAction(s, repository.address, "repository", { controlGroup: "bank" }),
    certifyAction(s, auditor.address, "auditor", { controlGroup: "auditors" }),
  );
  const report = () => s.framework.connect(auditor).reportIncident(repository, word("report"), URI);
  return { s, framework: s.framework, repository, auditor, stranger, act, report };
}

const load = () => networkHelpers.loadFixture(audited);

describe("Incidents", () => {
  describe("reporting", () => {
    it("records who reported what about whom, and when", async () => {
      const { framework, repository, auditor, report } = await load();
      const sent = report();
      await expect(sent)
        .to.emit(framework, "IncidentReported")
        .withArgs(0, repository.address, auditor.address, word("report"), URI);
      const incident = await framework.incidentOf(0);
      expect([incident.member, incident.reporter]).to.deep.equal([repository.address, auditor.address]);
      expect(incident.reportedBlock).to.equal((await momentOf(await sent)).block);
      expect([incident.reportHash, incident.reportUri]).to.deep.equal([word("report"), URI]);
      expect([incident.resolvedBlock, incident.recourseHash, incident.recourseUri]).to.deep.equal([
        0n,
        ZeroHash,
        "",
      ]);
      expect(await framework.incidentCount()).to.equal(1);
    });

    it("is open to the council as well", async () => {
      const { s, framework, repository, act } = await load();
      await act("reportIncident", repository.address, word("report"), "");
      expect((await framework.incidentOf(0)).reporter).to.equal(await s.council.getAddress());
    });

    it("is closed to other members, to council members alone, and to strangers", async () => {
      const { s, framework, repository, stranger } = await load();
      for (const caller of [repository, s.members[0]!, stranger]) {
        await expect(framework.connect(caller).reportIncident(repository, word("report"), URI))
          .to.be.revertedWithCustomError(framework, "NotReporter")
          .withArgs(caller.address);
      }
    });

    it("is closed to an auditor who is suspended or revoked", async () => {
      const { framework, auditor, act, report } = await load();
      await act("suspend", auditor.address, word("r"));
      await expect(report()).to.be.revertedWithCustomError(framework, "NotReporter");
      await act("reinstate", auditor.address, word("r"));
      await report();
      await act("revokeCertification", auditor.address, word("auditor"), word("r"));
      await expect(report()).to.be.revertedWithCustomError(framework, "NotReporter");
    });

    it("concerns members, those who lost their certification included, and nobody else", async () => {
      const { framework, repository, auditor, stranger, act, report } = await load();
      await act("revokeCertification", repository.address, word("repository"), word("r"));
      await report();
      for (const account of [stranger.address, ZeroAddress]) {
        await expect(framework.connect(auditor).reportIncident(account, word("report"), URI))
          .to.be.revertedWithCustomError(framework, "UnknownMember")
          .withArgs(account);
      }
    });

    it("changes no status by itself", async () => {
      const { framework, repository, report } = await load();
      await report();
      expect(await framework.statusOf(repository, word("repository"))).to.equal(Status.Active);
    });

    it("needs a document with a hash and an address that is not too long", async () => {
      const { framework, repository, auditor } = await load();
      const reporting = framework.connect(auditor);
      await expect(reporting.reportIncident(repository, ZeroHash, URI))
        .to.be.revertedWithCustomError(framework, "InvalidDocument")
        .withArgs(ZeroHash, URI.length);
      await expect(reporting.reportIncident(repository, word("report"), "u".repeat(MAX_URI_BYTES + 1)))
        .to.be.revertedWithCustomError(framework, "InvalidDocument")
        .withArgs(word("report"), MAX_URI_BYTES + 1);
      await reporting.reportIncident(repository, word("report"), "u".repeat(MAX_URI_BYTES));
    });
  });

  describe("resolving", () => {
    it("records the recourse beside the report", async () => {
      const { framework, report, act } = await load();
      await report();
      await report();
      const sent = act("resolveIncident", 1, word("recourse"), "https://example.org/recourse");
      await expect(sent)
        .to.emit(framework, "IncidentResolved")
        .withArgs(1, word("recourse"), "https://example.org/recourse");
      const incident = await framework.incidentOf(1);
      expect(incident.resolvedBlock).to.equal((await momentOf(await sent)).block);
      expect([incident.reportHash, incident.recourseHash]).to.deep.equal([word("report"), word("recourse")]);
      expect((await framework.incidentOf(0)).resolvedBlock).to.equal(0);
    });

    it("happens once, for an incident that exists, with a document", async () => {
      const { framework, report, act } = await load();
      await report();
      await expect(act("resolveIncident", 0, ZeroHash, URI)).to.be.revertedWithCustomError(
        framework,
        "InvalidDocument",
      );
      await expect(act("resolveIncident", 1, word("recourse"), URI))
        .to.be.revertedWithCustomError(framework, "UnknownIncident")
        .withArgs(1);
      await act("resolveIncident", 0, word("recourse"), URI);
      await expect(act("resolveIncident", 0, word("better"), URI))
        .to.be.revertedWithCustomError(framework, "AlreadyResolved")
        .withArgs(0);
    });

    it("is for the council alone, not for the auditor who reported", async () => {
      const { s, framework, auditor, report } = await load();
      await report();
      for (const caller of [auditor, s.members[0]!]) {
        await expect(framework.connect(caller).resolveIncident(0, word("recourse"), URI))
          .to.be.revertedWithCustomError(framework, "OnlyCouncil")
          .withArgs(caller.address);
      }
    });
  });

  it("does not know incidents that were never reported", async () => {
    const { framework } = await load();
    await expect(framework.incidentOf(0))
      .to.be.revertedWithCustomError(framework, "UnknownIncident")
      .withArgs(0);
  });
});
