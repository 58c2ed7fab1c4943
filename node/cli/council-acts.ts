/** Proposing to the council, for every command that needs its decision. */
import { TrustedDataError } from "../errors.ts";
import { type Hex, toHex } from "../primitives/hex.ts";
import type { ActionArgument, CouncilAction } from "../trust-framework/council-action.ts";
import type { Proposal } from "../trust-framework/ports.ts";
import type { Client } from "./context.ts";
import { accountText, hashFrom, isoTime, shortHex, timeText } from "./names.ts";

/** Proposes in the client's name, which is its approval too. @throws TrustedDataError `chain_rejected`. */
export async function proposeActions(
  client: Client,
  actions: readonly CouncilAction[],
  description: string,
): Promise<Proposal> {
  const writer = await client.councilWriter();
  const id = await writer.propose(actions, description, toHex(client.randomness.bytes(32)));
  return await requireProposal(client, id);
}

/** The proposal that is meant by an id or the beginning of one. @throws TrustedDataError `proposal_unknown`. */
export async function findProposal(client: Client, text: string): Promise<Proposal> {
  const proposals = await client.council.proposals();
  const id = hashFrom(
    proposals.map((proposal) => proposal.id),
    text,
  );
  const found = proposals.find((proposal) => proposal.id === id);
  if (found !== undefined) return found;
  throw new TrustedDataError(
    "proposal_unknown",
    `No proposal, or more than one, begins with ${text}; npx itd council show lists them.`,
    { proposal: text },
  );
}

export async function requireProposal(client: Client, id: Hex): Promise<Proposal> {
  const proposal = await client.council.proposal(id);
  if (proposal !== undefined) return proposal;
  throw new TrustedDataError("proposal_unknown", `The chain has no proposal ${id}.`, { proposal: id });
}

/** What is proposed, where it stands and what comes next, in a few lines. */
export function proposalText(client: Client, proposal: Proposal): string {
  const { id, description, actions, approvers, state } = proposal;
  return [
    `Proposal ${id.slice(0, 18)}: ${description}`,
    ...actions.map(({ action, target }) =>
      action === undefined
        ? `  a call to ${target} that cannot be read here: do not approve it`
        : `  ${actionText(client, action)}`,
    ),
    `  approved by ${approvers.map((account) => accountText(client, account)).join(", ") || "nobody yet"}`,
    `  ${state}: ${nextStep(proposal)}`,
  ].join("\n");
}

/** `certify(Harbour Savings Bank (0x…), repository, ...)` */
export function actionText(client: Pick<Client, "names">, action: CouncilAction): string {
  return `${action.contract}: ${action.function}(${action.args.map((argument) => argumentText(client, argument)).join(", ")})`;
}

export function proposalDocument(proposal: Proposal) {
  const { id, proposer, description, actions, approvers, state, createdS, readyS, expiresS } = proposal;
  return {
    id,
    proposer,
    description,
    state,
    approvers,
    actions: actions.map(({ action, target, payload, valueWei }) => ({
      action: action ?? null,
      target,
      payload,
      valueWei,
    })),
    created: isoTime(createdS),
    ready: readyS === undefined ? null : isoTime(readyS),
    expires: isoTime(expiresS),
  };
}

function nextStep({ id, state, readyS, expiresS }: Proposal): string {
  const short = id.slice(0, 18);
  switch (state) {
    case "pending":
      return `other members approve it with npx itd council approve ${short} --as ORGANISATION, until ${timeText(expiresS)}`;
    case "waiting":
      return `enough have approved; from ${isoTime(readyS ?? expiresS).slice(11, 19)} UTC on ${isoTime(readyS ?? expiresS).slice(0, 10)} anyone may run npx itd council execute ${short}`;
    case "ready":
      return `anyone may carry it out now with npx itd council execute ${short}`;
    case "executed":
      return "it was carried out";
    case "expired":
      return "its time has passed; propose it again if it is still wanted";
  }
}

function argumentText(client: Pick<Client, "names">, argument: ActionArgument): string {
  if (typeof argument === "number") return String(argument);
  if (typeof argument === "string") {
    const name = client.names.get(argument.toLowerCase());
    if (name !== undefined) return `${name} (${shortHex(argument)})`;
    return /^0x[0-9a-f]{40,}$/.test(argument) ? shortHex(argument) : argument;
  }
  if (Array.isArray(argument)) return `[${argument.map((item) => argumentText(client, item)).join(", ")}]`;
  const fields = Object.entries(argument).map(([name, value]) => `${name}: ${argumentText(client, value)}`);
  return `{ ${fields.join(", ")} }`;
}
