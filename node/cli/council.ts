/** `itd council ...`: the distributed authority. Nothing here is decided by one key. */
import { Command } from "commander";
import type { Council, Proposal } from "../trust-framework/ports.ts";
import { defineCommand, type Ending, type Invocation, usageError } from "./command.ts";
import type { Client, Context } from "./context.ts";
import { actionNames, actionUsage, buildAction } from "./council-actions.ts";
import {
  actionText,
  findProposal,
  proposalDocument,
  proposalText,
  proposeActions,
  requireProposal,
} from "./council-acts.ts";
import { accountFrom, accountText, timeText } from "./names.ts";
import { renderTable } from "./table.ts";

export function councilCommands(context: Context, ending: Ending): Command {
  const group = new Command("council")
    .summary("what the members decide together: propose, approve, execute; suspend at once")
    .description(
      "A proposal is carried out after enough members have approved it and a delay has passed, in which anyone can see it coming. " +
        "Only a suspension is at once, by a smaller quorum.",
    );
  group.addCommand(showCommand(context, ending));
  group.addCommand(proposeCommand(context, ending));
  group.addCommand(approveCommand(context, ending));
  group.addCommand(executeCommand(context, ending));
  group.addCommand(suspendCommand(context, ending));
  return group;
}

function showCommand(context: Context, ending: Ending): Command {
  return defineCommand(
    {
      usage: "show [proposal]",
      summary: "the council and its proposals, or one proposal in full",
      examples: [
        ["council show", "Members, rules and proposals"],
        ["council show 0x6a2f91c0", "One proposal by the beginning of its id"],
      ],
      run: async ([id], _options, invocation) => {
        const client = await invocation.client();
        if (id !== undefined) {
          const proposal = await findProposal(client, id);
          return { document: proposalDocument(proposal), text: proposalText(client, proposal) };
        }
        const [council, proposals] = await Promise.all([
          client.council.council(),
          client.council.proposals(),
        ]);
        return {
          document: { ...council, proposals: proposals.map(proposalDocument) },
          text: [...councilLines(council, client), "", proposalsTable(proposals, client, invocation)].join(
            "\n",
          ),
        };
      },
    },
    context,
    ending,
  );
}

function proposeCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ description?: string }>(
    {
      usage: "propose <action> [arguments...]",
      summary: "propose a decision; that is your approval too",
      description: `Actions:\n${actionUsage()}\n\nMembers are accounts, or in a lab the names of organisations. certify and recognise: itd framework --help.`,
      examples: [
        ["council propose threshold 4 --as city", "From now on four must approve"],
        ['council propose reinstate bank "audit passed" --as city', "After a suspension"],
      ],
      configure: (command) => command.option("--description <text>", "what the other members read"),
      run: async ([name, ...args], { description }, invocation) => {
        if (!actionNames().includes(name!))
          throw usageError(
            `There is no action ${JSON.stringify(name)}; there are: ${actionNames().join(", ")}.`,
          );
        const client = await invocation.client();
        const action = buildAction(client, name!, args);
        const proposal = await proposeActions(client, [action], description ?? [name, ...args].join(" "));
        return { document: proposalDocument(proposal), text: proposalText(client, proposal) };
      },
    },
    context,
    ending,
  );
}

function approveCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ withdraw?: boolean }>(
    {
      usage: "approve <proposal>",
      summary: "approve a proposal as a member of the council",
      description: "PROPOSAL may be the beginning of its id. Repeating it changes nothing.",
      examples: [["council approve 0x6a2f91c0 --as bank", "As the lab's bank"]],
      configure: (command) => command.option("--withdraw", "take your approval back"),
      run: async ([id], { withdraw }, invocation) => {
        const client = await invocation.client();
        const found = await findProposal(client, id!);
        requireReadable(found);
        const writer = await client.councilWriter();
        await (withdraw === true ? writer.withdrawApproval(found.id) : writer.approve(found.id));
        const proposal = await requireProposal(client, found.id);
        return { document: proposalDocument(proposal), text: proposalText(client, proposal) };
      },
    },
    context,
    ending,
  );
}

function executeCommand(context: Context, ending: Ending): Command {
  return defineCommand(
    {
      usage: "execute <proposal>",
      summary: "carry out a proposal that is ready; anyone may",
      examples: [["council execute 0x6a2f91c0", "By the beginning of its id"]],
      run: async ([id], _options, invocation) => {
        const client = await invocation.client();
        const found = await findProposal(client, id!);
        await (await client.councilWriter()).execute(found.id);
        const proposal = await requireProposal(client, found.id);
        return { document: proposalDocument(proposal), text: proposalText(client, proposal) };
      },
    },
    context,
    ending,
  );
}

function suspendCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ reason: string; withdraw?: boolean }>(
    {
      usage: "suspend <member>",
      summary: "vote to suspend all roles of a member at once",
      description:
        "The vote that completes the emergency quorum does it. Only a proposal (reinstate) takes it back.",
      examples: [['council suspend hospital --reason "key stolen" --as bank', "One vote"]],
      configure: (command) =>
        command
          .option("--reason <text>", "why, at most 31 characters", "emergency")
          .option("--withdraw", "take your vote back"),
      run: async ([text], { reason, withdraw }, invocation) => {
        if (!/^[\x20-\x7e]{1,31}$/.test(reason)) throw usageError("--reason takes 1 to 31 plain characters.");
        const client = await invocation.client();
        const member = accountFrom(client, text!);
        const writer = await client.councilWriter();
        await (withdraw === true ? writer.withdrawSuspensionVote(member) : writer.suspend(member, reason));
        const [votes, { emergencyQuorum }, found] = await Promise.all([
          client.council.suspensionVotes(member),
          client.council.council(),
          client.framework.member(member),
        ]);
        const suspended = found?.suspended === true;
        const who = accountText(client, member);
        return {
          document: { member, suspended, votes, emergencyQuorum },
          text: suspended
            ? `${who} is suspended in all roles. npx itd council propose reinstate takes it back.`
            : `${votes} of ${emergencyQuorum} votes to suspend ${who}; the vote that completes them does it.`,
        };
      },
    },
    context,
    ending,
  );
}

function councilLines({ members, threshold, emergencyQuorum, delayS }: Council, client: Client): string[] {
  return [
    `${members.length} members:`,
    ...members.map((member) => `  ${accountText(client, member)}`),
    `${threshold} must approve a proposal; it can be carried out ${delayS} s later. ${emergencyQuorum} can suspend a member at once.`,
  ];
}

function proposalsTable(
  proposals: readonly Proposal[],
  client: Client,
  { terminal, paint }: Invocation,
): string {
  if (proposals.length === 0) return "Nothing was ever proposed.";
  const rows = proposals.map(({ id, state, description, actions, approvers, expiresS }) => [
    id.slice(0, 10),
    state,
    description ||
      actions.map(({ action }) => (action ? actionText(client, action) : "unreadable")).join("; "),
    String(approvers.length),
    timeText(expiresS),
  ]);
  const titles = ["proposal", "state", "what", "approvals", "expires"].map((title) => ({
    title,
    isWhole: title === "proposal",
  }));
  return renderTable(titles, rows, terminal.columns, paint);
}

function requireReadable({ actions }: Proposal): void {
  const strange = actions.find(({ action }) => action === undefined);
  if (strange === undefined) return;
  throw usageError(
    `This proposal calls ${strange.target} in a way that cannot be read here; nobody should approve what nobody can read.`,
  );
}
