/** What the trust framework needs from the outside; `adapters/` implements it. */
import type { Block } from "../ledger/ports.ts";
import type { Hex } from "../primitives/hex.ts";
import type { CertificationTerms, CouncilAction, FrameworkTerms } from "./council-action.ts";
import type { MemberRole } from "./roles.ts";

export type CertificationStatus = "none" | "not-yet-valid" | "active" | "suspended" | "expired" | "revoked";

/** Who is certified, at a block. Fails with `chain_unavailable` when no endpoint answers in time. */
export interface MemberReader {
  certificationStatus(member: Hex, role: MemberRole, at: Block): Promise<CertificationStatus>;
  /** All that were ever certified for the role. */
  membersOf(role: MemberRole): Promise<Hex[]>;
}

export interface RegisteredFramework extends FrameworkTerms {
  id: string;
}

/** Grades issued under `from` count under `to`, up to `gradeCap`. */
export interface Recognition {
  from: string;
  to: string;
  gradeCap: number;
}

export interface HeldRole {
  role: MemberRole;
  status: CertificationStatus;
  /** Those of the newest certification, whatever became of it. */
  terms: CertificationTerms;
}

export interface Member {
  address: Hex;
  controlGroup: string;
  suspended: boolean;
  /** All roles that the member ever held. */
  roles: HeldRole[];
}

/** What was reported about a member, and how it was settled. A report is a claim by its reporter, not a finding. */
export interface Incident {
  id: number;
  member: Hex;
  reporter: Hex;
  reportedBlock: number;
  reportHash: Hex;
  reportUri: string;
  /** Undefined until the council has settled it. */
  resolution: { block: number; recourseHash: Hex; recourseUri: string } | undefined;
}

/** The legal trust framework as it stands now. */
export interface FrameworkReader {
  frameworks(): Promise<RegisteredFramework[]>;
  recognitions(): Promise<Recognition[]>;
  members(): Promise<Member[]>;
  /** Undefined for an account that was never certified. */
  member(address: Hex): Promise<Member | undefined>;
  incidents(): Promise<Incident[]>;
}

export interface Council {
  members: Hex[];
  /** Approvals that carry a proposal. */
  threshold: number;
  /** Votes that suspend a member at once. */
  emergencyQuorum: number;
  /** Between the last approval needed and the execution. */
  delayS: number;
}

/** Pending: too few approvals by seated members. Waiting: enough, the delay runs. Ready: anyone may execute. */
export type ProposalState = "pending" | "waiting" | "ready" | "executed" | "expired";

export interface ProposedAction {
  target: Hex;
  valueWei: string;
  payload: Hex;
  /** What it means; undefined if it is none of the actions known here. Nobody should approve what nobody can read. */
  action: CouncilAction | undefined;
}

export interface Proposal {
  id: Hex;
  proposer: Hex;
  description: string;
  actions: ProposedAction[];
  /** Members seated now whose approval counts. */
  approvers: Hex[];
  state: ProposalState;
  createdS: number;
  /** Undefined until enough have approved. */
  readyS: number | undefined;
  expiresS: number;
}

export interface CouncilReader {
  council(): Promise<Council>;
  /** Oldest first. */
  proposals(): Promise<Proposal[]>;
  proposal(id: Hex): Promise<Proposal | undefined>;
  /** Votes that count now for suspending the member at once. */
  suspensionVotes(member: Hex): Promise<number>;
}

/**
 * The council, for one of its members. Each call returns when the chain has it for good, and may be repeated: what stands already is
 * not done twice. @throws TrustedDataError `chain_rejected` with the contract's reason in `fields.contractError`.
 */
export interface CouncilWriter {
  /** Proposes, which is also the proposer's approval, and gives the id. Another `salt` (32 bytes) makes the same actions another proposal. */
  propose(actions: readonly CouncilAction[], description: string, salt: Hex): Promise<Hex>;
  approve(id: Hex): Promise<void>;
  withdrawApproval(id: Hex): Promise<void>;
  /** Anyone may, once it is ready. */
  execute(id: Hex): Promise<void>;
  /** Votes to suspend all roles of the member; the vote that completes the emergency quorum does it, at once. */
  suspend(member: Hex, reason: string): Promise<void>;
  withdrawSuspensionVote(member: Hex): Promise<void>;
}

/** For auditors certified now. Each call makes a new incident: look before repeating one that failed. */
export interface IncidentWriter {
  report(member: Hex, reportHash: Hex, reportUri: string): Promise<void>;
}
