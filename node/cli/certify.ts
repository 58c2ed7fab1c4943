/** `itd framework certify`: proposes that a member holds a role, or holds it for longer. */
import type { Command } from "commander";
import { type Hex, hash32Pattern, sha256Hex } from "../primitives/hex.ts";
import { type CertificationTerms, certify, renew } from "../trust-framework/council-action.ts";
import type { Member } from "../trust-framework/ports.ts";
import type { MemberRole } from "../trust-framework/roles.ts";
import { defineCommand, type Ending, type Invocation, usageError } from "./command.ts";
import type { Context } from "./context.ts";
import { roleFrom, wholeFrom, wordFrom } from "./council-actions.ts";
import { proposalDocument, proposalText, proposeActions } from "./council-acts.ts";
import { accountFrom, accountText, timeText } from "./names.ts";

interface CertifyOptions {
  framework?: string;
  jurisdiction?: string;
  controlGroup?: string;
  grade?: string;
  days: string;
  dataClass?: string[];
  identityPolicy?: string;
  securityPolicy?: string;
  privacyPolicy?: string;
  description?: string;
}

const daySeconds = 86_400;
const daysMax = 3_650;
const policies = ["identity", "security", "privacy"] as const;

export function certifyCommand(context: Context, ending: Ending): Command {
  return defineCommand<CertifyOptions>(
    {
      usage: "certify <member> <role>",
      summary: "propose to certify a member for a role, or to renew it",
      description:
        "What is not given is taken over from what the member holds already. Policies are files whose SHA-256 goes onto the chain, or " +
        "such hashes themselves.",
      examples: [
        ["framework certify bank auditor --days 365 --as city", "Another role on the terms of those it has"],
        [
          "framework certify 0x… repository --framework lab --jurisdiction EU --control-group acme --identity-policy id.md --security-policy sec.md --privacy-policy priv.md",
          "A newcomer",
        ],
      ],
      configure: (command) =>
        command
          .option("--framework <id>", "whose rules apply")
          .option("--jurisdiction <word>", "where the member answers for it")
          .option("--control-group <word>", "who ultimately controls the member")
          .option("--grade <number>", "the highest level of assurance that it may grant")
          .option("--days <number>", "how long it holds, from now on", "365")
          .option("--data-class <class>", "class of data, for vetters; repeat for more", collect)
          .option("--identity-policy <file>", "file or hash")
          .option("--security-policy <file>", "file or hash")
          .option("--privacy-policy <file>", "file or hash")
          .option("--description <text>", "what the other members read"),
      run: async ([text, roleText], options, invocation) => {
        const role = roleFrom(roleText!);
        const client = await invocation.client();
        const address = accountFrom(client, text!);
        const member = await client.framework.member(address);
        const validFromS = (await client.chain.head()).timestampS;
        const terms = await termsOf(member, role, options, validFromS, invocation);
        const held = member?.roles.find((one) => one.role === role);
        const isRenewal = held !== undefined && held.status !== "revoked" && held.status !== "none";
        const action = isRenewal ? renew(address, role, terms) : certify(address, role, terms);
        const who = accountText(client, address);
        const words =
          options.description ??
          `${isRenewal ? "Renew" : "Certify"} ${who} as ${role} until ${timeText(terms.validUntilS)}`;
        const proposal = await proposeActions(client, [action], words);
        return { document: proposalDocument(proposal), text: proposalText(client, proposal) };
      },
    },
    context,
    ending,
  );
}

/** @throws TrustedDataError `usage`, naming all that is missing. */
async function termsOf(
  member: Member | undefined,
  role: MemberRole,
  options: CertifyOptions,
  validFromS: number,
  { terminal }: Invocation,
): Promise<CertificationTerms> {
  const days = wholeFrom(options.days);
  if (days < 1 || days > daysMax) throw usageError(`--days takes a whole number from 1 to ${daysMax}.`);
  const held = (member?.roles.find((one) => one.role === role) ?? member?.roles[0])?.terms;
  const missing: string[] = [];
  const word = (given: string | undefined, known: string | undefined, option: string): string => {
    if (given !== undefined) return wordFrom(given);
    if (known === undefined) missing.push(option);
    return known ?? "";
  };
  const framework = word(options.framework, held?.framework, "--framework");
  const jurisdiction = word(options.jurisdiction, held?.jurisdiction, "--jurisdiction");
  const controlGroup = word(options.controlGroup, member?.controlGroup, "--control-group");
  const hashes: Record<string, Hex> = {};
  for (const policy of policies) {
    const given = options[`${policy}Policy`];
    const known = held?.[`${policy}PolicyHash`];
    if (given !== undefined) hashes[policy] = await policyHash(given, terminal.readFile);
    else if (known !== undefined) hashes[policy] = known;
    else missing.push(`--${policy}-policy`);
  }
  const dataClasses = options.dataClass?.map(wordFrom) ?? held?.dataClasses ?? [];
  if (role === "vetter" && dataClasses.length === 0) missing.push("--data-class");
  if (missing.length > 0)
    throw usageError(
      `The member holds nothing from which to take these, so give them: ${missing.join(", ")}.`,
    );
  return {
    framework,
    jurisdiction,
    controlGroup,
    maxGrade: options.grade === undefined ? (held?.maxGrade ?? 0) : wholeFrom(options.grade),
    validFromS,
    validUntilS: validFromS + days * daySeconds,
    identityPolicyHash: hashes.identity!,
    securityPolicyHash: hashes.security!,
    privacyPolicyHash: hashes.privacy!,
    dataClasses: role === "vetter" ? dataClasses : [],
  };
}

async function policyHash(text: string, readFile: (path: string) => Promise<string>): Promise<Hex> {
  return hash32Pattern.test(text.toLowerCase()) ? text.toLowerCase() : sha256Hex(await readFile(text));
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
