/** Who is certified (contract TrustFramework). */
import type { Block } from "../../ledger/ports.ts";
import { assert } from "../../primitives/assert.ts";
import type { Hex } from "../../primitives/hex.ts";
import type { CertificationStatus, MemberReader } from "../../trust-framework/ports.ts";
import type { MemberRole } from "../../trust-framework/roles.ts";
import type { ChainConnection } from "./chain-connection.ts";
import { statusNumberAt } from "./ethereum-history.ts";
import { inParallel } from "./in-parallel.ts";
import { encodeWord, roleFrom } from "./words.ts";

/** In the order of ICertifications.Status. */
const statuses: readonly CertificationStatus[] = [
  "none",
  "not-yet-valid",
  "active",
  "suspended",
  "expired",
  "revoked",
];

export class EthereumMembers implements MemberReader {
  readonly #chain: ChainConnection;

  constructor(chain: ChainConnection) {
    this.#chain = chain;
  }

  async certificationStatus(member: Hex, role: MemberRole, at: Block): Promise<CertificationStatus> {
    return statusFrom(await statusNumberAt(this.#chain, "trustFramework", [member, encodeWord(role)], at));
  }

  async membersOf(role: MemberRole): Promise<Hex[]> {
    const members = await this.all();
    const roles = await inParallel(members, (member) => this.rolesOf(member));
    return members.filter((_, i) => roles[i]!.includes(role));
  }

  /** All that were ever certified, in order of their first certification. */
  async all(): Promise<Hex[]> {
    const count = Number(await this.#chain.readOne("trustFramework", "memberCount", []));
    return await inParallel(Array(count).keys(), async (i) =>
      String(await this.#chain.readOne("trustFramework", "memberAt", [i])).toLowerCase(),
    );
  }

  /** Roles that the member was ever certified for. */
  async rolesOf(member: Hex): Promise<MemberRole[]> {
    const words = (await this.#chain.readOne("trustFramework", "rolesOf", [member])) as string[];
    return words.map((word) => roleFrom(word));
  }

  /** Status in the newest state. */
  async presentStatus(member: Hex, role: MemberRole): Promise<CertificationStatus> {
    return statusFrom(
      Number(await this.#chain.readOne("trustFramework", "statusOf", [member, encodeWord(role)])),
    );
  }
}

function statusFrom(number: number): CertificationStatus {
  const status = statuses[number];
  assert(status !== undefined, "the contract has six statuses of certification");
  return status;
}
