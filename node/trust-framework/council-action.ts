/**
 * What the council can decide, as data: which contract does what, with names in plain text and hashes in hexadecimal.
 * The contracts judge an action only when it is carried out; a proposal of nonsense can be approved, and then fails.
 */
import type { Hex } from "../primitives/hex.ts";
import type { MemberRole } from "./roles.ts";

export type GovernedContract = "trust-framework" | "trust-council" | "algorithm-registry";

export type ActionArgument = string | number | ActionArgument[] | { [field: string]: ActionArgument };

/** One call by the council. Roles, frameworks, groups, levels, classes and reasons are names of up to 31 ASCII characters. */
export interface CouncilAction {
  contract: GovernedContract;
  function: string;
  args: ActionArgument[];
}

/** The terms under which a member holds a role. */
export interface CertificationTerms {
  framework: string;
  jurisdiction: string;
  /** Who controls the member; one name across all frameworks. */
  controlGroup: string;
  /** The highest level of assurance that the member may grant; 0 for roles that grant none. */
  maxGrade: number;
  /** From this second. */
  validFromS: number;
  /** Until the second before. */
  validUntilS: number;
  identityPolicyHash: Hex;
  securityPolicyHash: Hex;
  privacyPolicyHash: Hex;
  /** For vetters the classes of data, 1 to 16; else none. */
  dataClasses: string[];
}

/** A legal trust framework: its rules, and its levels of assurance, lowest first. */
export interface FrameworkTerms {
  rulesHash: Hex;
  rulesUri: string;
  jurisdiction: string;
  levels: string[];
}

export function registerFramework(framework: string, terms: FrameworkTerms): CouncilAction {
  return onFramework("registerFramework", framework, { ...terms });
}

export function changeRules(framework: string, rulesHash: Hex, rulesUri: string): CouncilAction {
  return onFramework("changeRules", framework, rulesHash, rulesUri);
}

/** Lets grades issued under `from` count under `to`, up to `gradeCap`; one way, not transitive. */
export function recognise(from: string, to: string, gradeCap: number): CouncilAction {
  return onFramework("recognise", from, to, gradeCap);
}

export function withdrawRecognition(from: string, to: string): CouncilAction {
  return onFramework("withdrawRecognition", from, to);
}

/** For a role that the member does not hold, or that was revoked. */
export function certify(member: Hex, role: MemberRole, terms: CertificationTerms): CouncilAction {
  return onFramework("certify", member, role, certificationFields(terms));
}

/** Replaces a certification, expired ones included. */
export function renew(member: Hex, role: MemberRole, terms: CertificationTerms): CouncilAction {
  return onFramework("renew", member, role, certificationFields(terms));
}

export function revokeCertification(member: Hex, role: MemberRole, reason: string): CouncilAction {
  return onFramework("revokeCertification", member, role, reason);
}

/** All roles. Takes the delay; the emergency quorum does it at once (`CouncilWriter.suspend`). */
export function suspend(member: Hex, reason: string): CouncilAction {
  return onFramework("suspend", member, reason);
}

export function reinstate(member: Hex, reason: string): CouncilAction {
  return onFramework("reinstate", member, reason);
}

export function changeControlGroup(member: Hex, newGroup: string): CouncilAction {
  return onFramework("changeControlGroup", member, newGroup);
}

export function reportIncident(member: Hex, reportHash: Hex, reportUri: string): CouncilAction {
  return onFramework("reportIncident", member, reportHash, reportUri);
}

export function resolveIncident(incident: number, recourseHash: Hex, recourseUri: string): CouncilAction {
  return onFramework("resolveIncident", incident, recourseHash, recourseUri);
}

export function revokeAlgorithm(algorithm: Hex, reason: string): CouncilAction {
  return { contract: "algorithm-registry", function: "revoke", args: [algorithm, reason] };
}

export function addCouncilMember(member: Hex): CouncilAction {
  return onCouncil("addMember", member);
}

export function removeCouncilMember(member: Hex): CouncilAction {
  return onCouncil("removeMember", member);
}

export function replaceCouncilMember(oldMember: Hex, newMember: Hex): CouncilAction {
  return onCouncil("replaceMember", oldMember, newMember);
}

export function changeThreshold(threshold: number): CouncilAction {
  return onCouncil("setThreshold", threshold);
}

export function changeEmergencyQuorum(quorum: number): CouncilAction {
  return onCouncil("setEmergencyQuorum", quorum);
}

export function changeDelay(delayS: number): CouncilAction {
  return onCouncil("updateDelay", delayS);
}

function onFramework(name: string, ...args: ActionArgument[]): CouncilAction {
  return { contract: "trust-framework", function: name, args };
}

function onCouncil(name: string, ...args: ActionArgument[]): CouncilAction {
  return { contract: "trust-council", function: name, args };
}

/** The fields under the names that ICertifications.sol gives them. */
function certificationFields(terms: CertificationTerms): ActionArgument {
  const { framework, validFromS, validUntilS, ...others } = terms;
  return { ...others, frameworkId: framework, validFrom: validFromS, validUntil: validUntilS };
}
