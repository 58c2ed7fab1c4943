/** `itd framework ...`: the legal trust framework: who is certified for what, under which rules. Changes are proposals to the council. */
import { Command } from "commander";
import { TrustedDataError } from "../errors.ts";
import { sha256Hex } from "../primitives/hex.ts";
import { recognise, reportIncident } from "../trust-framework/council-action.ts";
import type {
  HeldRole,
  Incident,
  Member,
  Recognition,
  RegisteredFramework,
} from "../trust-framework/ports.ts";
import { certifyCommand } from "./certify.ts";
import { defineCommand, type Ending, type Invocation, usageError } from "./command.ts";
import type { Client, Context } from "./context.ts";
import { wholeFrom, wordFrom } from "./council-actions.ts";
import { proposalDocument, proposalText, proposeActions } from "./council-acts.ts";
import { accountFrom, accountText, isoTime, timeText } from "./names.ts";
import { renderTable } from "./table.ts";

export function frameworkCommands(context: Context, ending: Ending): Command {
  const group = new Command("framework")
    .summary("the legal trust framework: members, roles, rules, incidents")
    .description(
      "Everybody who takes part is certified for roles under the rules of a framework, for a time. Certifying and recognising are " +
        "decisions of the council: these commands propose them (then: itd council approve).",
    );
  group.addCommand(showCommand(context, ending));
  group.addCommand(certifyCommand(context, ending));
  group.addCommand(recogniseCommand(context, ending));
  group.addCommand(incidentCommand(context, ending));
  return group;
}

function showCommand(context: Context, ending: Ending): Command {
  return defineCommand(
    {
      usage: "show [member]",
      summary: "frameworks, members with their roles, and incidents; or one member in full",
      examples: [
        ["framework show", "All of it"],
        ["framework show bank", "One member, in a lab by name"],
      ],
      run: async ([text], _options, invocation) => {
        const client = await invocation.client();
        if (text !== undefined) return await showMember(client, text);
        const { framework } = client;
        const [frameworks, recognitions, members, incidents] = await Promise.all([
          framework.frameworks(),
          framework.recognitions(),
          framework.members(),
          framework.incidents(),
        ]);
        return {
          document: { frameworks, recognitions, members: members.map(memberDocument), incidents },
          text: [
            ...frameworkLines(frameworks, recognitions),
            membersTable(members, client, invocation),
            ...incidentLines(incidents, client),
          ].join("\n"),
        };
      },
    },
    context,
    ending,
  );
}

function recogniseCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ grade: string; description?: string }>(
    {
      usage: "recognise <from> <to>",
      summary: "propose that grades issued under one framework count under another",
      description: "One way, not transitive, and up to a grade.",
      examples: [["framework recognise eu lab --grade 2 --as city", "Grades of eu count under lab, up to 2"]],
      configure: (command) =>
        command
          .option("--grade <number>", "the highest grade that counts", "1")
          .option("--description <text>", "what the other members read"),
      run: async ([from, to], { grade, description }, invocation) => {
        const action = recognise(wordFrom(from!), wordFrom(to!), wholeFrom(grade));
        const client = await invocation.client();
        const words = description ?? `Recognise ${from} under ${to}, up to grade ${grade}`;
        const proposal = await proposeActions(client, [action], words);
        return { document: proposalDocument(proposal), text: proposalText(client, proposal) };
      },
    },
    context,
    ending,
  );
}

function incidentCommand(context: Context, ending: Ending): Command {
  return defineCommand<{ report: string; uri: string }>(
    {
      usage: "incident <member>",
      summary: "report an incident: at once as a certified auditor, else by a proposal to the council",
      description:
        "The chain keeps the hash of the report and where it can be read. A report is a claim by its reporter, not a finding; the council " +
        "settles it (itd council propose resolve-incident).",
      examples: [
        [
          "framework incident hospital --report report.md --uri https://example.org/report.md --as city",
          "About a member",
        ],
      ],
      configure: (command) =>
        command
          .requiredOption("--report <file>", "the report; its SHA-256 goes onto the chain")
          .option("--uri <uri>", "where the report can be read", ""),
      run: async ([text], { report, uri }, invocation) => {
        if (uri.length > 256) throw usageError("--uri takes at most 256 characters.");
        const client = await invocation.client();
        const member = accountFrom(client, text!);
        const reportHash = sha256Hex(await invocation.terminal.readFile(report));
        const { address } = await client.signer();
        const head = await client.chain.head();
        const who = accountText(client, member);
        if ((await client.members.certificationStatus(address, "auditor", head)) === "active") {
          await (await client.incidentWriter()).report(member, reportHash, uri);
          const incident = (await client.framework.incidents()).findLast(
            (one) => one.member === member && one.reportHash === reportHash,
          );
          return {
            document: { member, reportHash, uri, incident: incident?.id ?? null, proposal: null },
            text: `Incident ${incident?.id ?? ""} about ${who} is on the chain.`,
          };
        }
        const { members } = await client.council.council();
        if (!members.includes(address))
          throw new TrustedDataError(
            "chain_rejected",
            `${client.name} is neither a certified auditor nor a member of the council, so it cannot report incidents; use --as to act for one who is.`,
            { account: address },
          );
        const action = reportIncident(member, reportHash, uri);
        const proposal = await proposeActions(client, [action], `Report an incident about ${who}`);
        return {
          document: { member, reportHash, uri, incident: null, proposal: proposalDocument(proposal) },
          text: proposalText(client, proposal),
        };
      },
    },
    context,
    ending,
  );
}

async function showMember(client: Client, text: string) {
  const address = accountFrom(client, text);
  const [member, incidents] = await Promise.all([
    client.framework.member(address),
    client.framework.incidents(),
  ]);
  if (member === undefined)
    throw new TrustedDataError(
      "member_unknown",
      `${accountText(client, address)} was never certified for anything.`,
      {
        member: address,
      },
    );
  const own = incidents.filter((incident) => incident.member === address);
  return {
    document: { ...memberDocument(member), incidents: own },
    text: [
      `${client.names.get(address) ?? "Member"} ${address}`,
      `controlled by ${member.controlGroup}${member.suspended ? "; SUSPENDED in all roles" : ""}`,
      ...member.roles.flatMap(roleLines),
      ...incidentLines(own, client),
    ].join("\n"),
  };
}

function roleLines({ role, status, terms }: HeldRole): string[] {
  const classes = terms.dataClasses.length > 0 ? `, for ${terms.dataClasses.join(", ")}` : "";
  return [
    `${role}: ${status}${classes}`,
    `  under ${terms.framework}, ${terms.jurisdiction}, grade ${terms.maxGrade}, ${timeText(terms.validFromS)} to ${timeText(terms.validUntilS)}`,
    `  policies: identity ${terms.identityPolicyHash}`,
    `            security ${terms.securityPolicyHash}`,
    `            privacy  ${terms.privacyPolicyHash}`,
  ];
}

function memberDocument({ address, controlGroup, suspended, roles }: Member) {
  return {
    address,
    controlGroup,
    suspended,
    roles: roles.map(({ role, status, terms: { validFromS, validUntilS, ...terms } }) => {
      return { role, status, ...terms, validFrom: isoTime(validFromS), validUntil: isoTime(validUntilS) };
    }),
  };
}

function frameworkLines(
  frameworks: readonly RegisteredFramework[],
  recognitions: readonly Recognition[],
): string[] {
  const lines = frameworks.map(
    ({ id, jurisdiction, levels, rulesUri, rulesHash }) =>
      `Framework ${id} (${jurisdiction}): levels ${levels.join(", ")}; rules ${rulesUri || rulesHash}`,
  );
  for (const { from, to, gradeCap } of recognitions)
    lines.push(`  grades of ${from} count under ${to}, up to ${gradeCap}`);
  return lines.length === 0 ? ["No framework is registered."] : lines;
}

function membersTable(members: readonly Member[], client: Client, { terminal, paint }: Invocation): string {
  if (members.length === 0) return "Nobody is certified.";
  const rows = members.map(({ address, controlGroup, suspended, roles }) => [
    accountText(client, address),
    roles
      .map(({ role, status, terms }) => {
        const classes = terms.dataClasses.length > 0 ? ` of ${terms.dataClasses.join(", ")}` : "";
        return `${role}${classes}${status === "active" ? "" : ` (${status})`}`;
      })
      .join("; "),
    controlGroup,
    suspended ? "suspended" : untilText(roles),
  ]);
  const titles = ["member", "roles", "controlled by", "until"].map((title) => ({ title }));
  return renderTable(titles, rows, terminal.columns, paint);
}

/** The first to end. */
function untilText(roles: readonly HeldRole[]): string {
  const ends = roles.filter(({ status }) => status === "active").map(({ terms }) => terms.validUntilS);
  return ends.length === 0 ? "" : isoTime(Math.min(...ends)).slice(0, 10);
}

function incidentLines(incidents: readonly Incident[], client: Client): string[] {
  return incidents.map(({ id, member, reporter, reportedBlock, reportUri, reportHash, resolution }) => {
    const settled =
      resolution === undefined
        ? "open"
        : `settled in block ${resolution.block} (${resolution.recourseUri || resolution.recourseHash})`;
    return `Incident ${id} about ${accountText(client, member)}, reported by ${accountText(client, reporter)} in block ${reportedBlock} (${reportUri || reportHash}): ${settled}`;
  });
}
