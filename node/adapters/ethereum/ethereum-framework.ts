/** The legal trust framework as it stands now (contract TrustFramework). */
import type { Hex } from "../../primitives/hex.ts";
import type { CertificationTerms } from "../../trust-framework/council-action.ts";
import type {
  FrameworkReader,
  HeldRole,
  Incident,
  Member,
  Recognition,
  RegisteredFramework,
} from "../../trust-framework/ports.ts";
import type { MemberRole } from "../../trust-framework/roles.ts";
import type { ChainConnection } from "./chain-connection.ts";
import { EthereumMembers } from "./ethereum-members.ts";
import { inParallel } from "./in-parallel.ts";
import { decodeWord, encodeWord } from "./words.ts";

interface FrameworkStruct {
  rulesHash: string;
  rulesUri: string;
  jurisdiction: string;
  levels: string[];
}

interface CertificationStruct {
  frameworkId: string;
  jurisdiction: string;
  controlGroup: string;
  maxGrade: bigint;
  validFrom: bigint;
  validUntil: bigint;
  identityPolicyHash: string;
  securityPolicyHash: string;
  privacyPolicyHash: string;
  dataClasses: string[];
}

interface IncidentStruct {
  member: string;
  reporter: string;
  reportedBlock: bigint;
  resolvedBlock: bigint;
  reportHash: string;
  reportUri: string;
  recourseHash: string;
  recourseUri: string;
}

export class EthereumFramework implements FrameworkReader {
  readonly #chain: ChainConnection;
  readonly #members: EthereumMembers;

  constructor(chain: ChainConnection) {
    this.#chain = chain;
    this.#members = new EthereumMembers(chain);
  }

  async frameworks(): Promise<RegisteredFramework[]> {
    const count = Number(await this.#read("frameworkCount"));
    return await inParallel(Array(count).keys(), async (i) => {
      const id = String(await this.#read("frameworkAt", i));
      const { rulesHash, rulesUri, jurisdiction, levels } = (await this.#read(
        "frameworkOf",
        id,
      )) as FrameworkStruct;
      return {
        id: decodeWord(id),
        rulesHash,
        rulesUri,
        jurisdiction: decodeWord(jurisdiction),
        levels: [...levels].map(decodeWord),
      };
    });
  }

  async recognitions(): Promise<Recognition[]> {
    const ids = (await this.frameworks()).map(({ id }) => id);
    const pairs = ids.flatMap((from) => ids.filter((to) => to !== from).map((to) => ({ from, to })));
    const caps = await inParallel(pairs, async ({ from, to }) => ({
      from,
      to,
      gradeCap: Number(await this.#read("gradeCapOf", encodeWord(from), encodeWord(to))),
    }));
    return caps.filter(({ gradeCap }) => gradeCap > 0);
  }

  async members(): Promise<Member[]> {
    return await inParallel(await this.#members.all(), (address) => this.#member(address));
  }

  async member(address: Hex): Promise<Member | undefined> {
    const member = await this.#member(address);
    return member.roles.length === 0 ? undefined : member;
  }

  async incidents(): Promise<Incident[]> {
    const count = Number(await this.#read("incidentCount"));
    return await inParallel(Array(count).keys(), async (id) =>
      incidentFrom(id, (await this.#read("incidentOf", id)) as IncidentStruct),
    );
  }

  async #member(address: Hex): Promise<Member> {
    const [controlGroup, suspended, roles] = await Promise.all([
      this.#read("controlGroupOf", address),
      this.#read("isSuspended", address),
      this.#members.rolesOf(address),
    ]);
    return {
      address,
      controlGroup: decodeWord(String(controlGroup)),
      suspended: suspended === true,
      roles: await Promise.all(roles.map((role) => this.#heldRole(address, role))),
    };
  }

  async #heldRole(member: Hex, role: MemberRole): Promise<HeldRole> {
    const [certification, status] = await Promise.all([
      this.#read("certificationOf", member, encodeWord(role)) as Promise<CertificationStruct>,
      this.#members.presentStatus(member, role),
    ]);
    return { role, status, terms: termsFrom(certification) };
  }

  #read(view: string, ...args: unknown[]): Promise<unknown> {
    return this.#chain.readOne("trustFramework", view, args);
  }
}

function termsFrom(certification: CertificationStruct): CertificationTerms {
  const { identityPolicyHash, securityPolicyHash, privacyPolicyHash } = certification;
  return {
    framework: decodeWord(certification.frameworkId),
    jurisdiction: decodeWord(certification.jurisdiction),
    controlGroup: decodeWord(certification.controlGroup),
    maxGrade: Number(certification.maxGrade),
    validFromS: Number(certification.validFrom),
    validUntilS: Number(certification.validUntil),
    identityPolicyHash,
    securityPolicyHash,
    privacyPolicyHash,
    dataClasses: [...certification.dataClasses].map(decodeWord),
  };
}

function incidentFrom(id: number, incident: IncidentStruct): Incident {
  const { reportHash, reportUri, recourseHash, recourseUri } = incident;
  const block = Number(incident.resolvedBlock);
  return {
    id,
    member: incident.member.toLowerCase(),
    reporter: incident.reporter.toLowerCase(),
    reportedBlock: Number(incident.reportedBlock),
    reportHash,
    reportUri,
    resolution: block === 0 ? undefined : { block, recourseHash, recourseUri },
  };
}
