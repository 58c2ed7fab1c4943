/**
 * Certifies the five organisations through the council: one proposes, two more approve, the delay passes, anyone executes. Only what is
 * missing is proposed, so a start that was interrupted goes on where it stopped.
 */
import { sha256Hex, toHex } from "../primitives/hex.ts";
import {
  type CertificationTerms,
  type CouncilAction,
  certify,
  registerFramework,
} from "../trust-framework/council-action.ts";
import type { MemberRole } from "../trust-framework/roles.ts";
import { type Organisation, type OrganisationId, organisations } from "./organisations.ts";
import type { LabParties, Progress } from "./ports.ts";

export const frameworkId = "living-lab";
const jurisdiction = "living-lab";
const certifiedYears = 5;
/** The council takes 16 actions in a proposal. */
const actionsMax = 16;
const pollMs = 250;

const rules = `The Living Lab's rules: data stays with its holder; only vetted algorithms run; every question is logged and anchored.`;

export async function certifyOrganisations(parties: LabParties, progress: Progress): Promise<void> {
  const { framework, clock } = parties.bank;
  const known = await framework.frameworks();
  const actions: CouncilAction[] = known.some(({ id }) => id === frameworkId)
    ? []
    : [
        registerFramework(frameworkId, {
          rulesHash: sha256Hex(rules),
          rulesUri: "",
          jurisdiction,
          levels: ["low", "substantial", "high"],
        }),
      ];
  for (const organisation of organisations) {
    const account = (await parties[organisation.id].signer()).address;
    const held = (await framework.member(account))?.roles ?? [];
    for (const role of organisation.roles) {
      if (held.some((one) => one.role === role)) continue;
      actions.push(certify(account, role, termsFor(organisation, role, clock.nowMs())));
    }
  }
  for (let i = 0; i < actions.length; i += actionsMax) {
    const part = actions.slice(i, i + actionsMax);
    await decide(parties, part, `The Living Lab's rules and members, part ${i / actionsMax + 1}`, progress);
  }
}

/** Propose, approve up to the threshold, wait out the delay, execute. */
async function decide(
  parties: LabParties,
  actions: readonly CouncilAction[],
  description: string,
  progress: Progress,
): Promise<void> {
  const order: OrganisationId[] = ["bank", "hospital", "city", "university", "operator"];
  const { council, chain, clock, randomness } = parties.bank;
  const { threshold } = await council.council();
  const proposer = await parties[order[0]!].councilWriter();
  const id = await proposer.propose(actions, description, toHex(randomness.bytes(32)));
  for (const member of order.slice(1, threshold)) await (await parties[member].councilWriter()).approve(id);
  progress(`${threshold} of ${order.length} council members agreed: ${actions.length} decisions`);
  for (;;) {
    const proposal = await council.proposal(id);
    const { timestampS } = await chain.head();
    if (proposal?.readyS !== undefined && timestampS >= proposal.readyS) break;
    await clock.sleep(pollMs);
  }
  await proposer.execute(id);
}

function termsFor(organisation: Organisation, role: MemberRole, nowMs: number): CertificationTerms {
  const nowS = Math.floor(nowMs / 1000);
  return {
    framework: frameworkId,
    jurisdiction,
    controlGroup: organisation.controlGroup,
    maxGrade: 0,
    validFromS: nowS - 86_400,
    validUntilS: nowS + certifiedYears * 365 * 86_400,
    identityPolicyHash: policyHash(organisation, "identity"),
    securityPolicyHash: policyHash(organisation, "security"),
    privacyPolicyHash: policyHash(organisation, "privacy"),
    dataClasses: role === "vetter" ? [...organisation.vets] : [],
  };
}

function policyHash({ title }: Organisation, kind: string): string {
  return sha256Hex(`${title}: ${kind} policy of the Living Lab`);
}
