/** What the trust framework needs from the outside; `adapters/` implements it. */
import type { Block } from "../ledger/ports.ts";
import type { Hex } from "../primitives/hex.ts";
import type { MemberRole } from "./roles.ts";

export type CertificationStatus = "none" | "not-yet-valid" | "active" | "suspended" | "expired" | "revoked";

/** Who is certified, at a block. Fails with `chain_unavailable` when no endpoint answers in time. */
export interface MemberReader {
  certificationStatus(member: Hex, role: MemberRole, at: Block): Promise<CertificationStatus>;
  /** All that were ever certified for the role. */
  membersOf(role: MemberRole): Promise<Hex[]>;
}
