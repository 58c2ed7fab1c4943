/** The council's actions as they are typed: a table of names, arguments and what they build. */
import { hash32Pattern } from "../primitives/hex.ts";
import {
  addCouncilMember,
  type CouncilAction,
  changeControlGroup,
  changeDelay,
  changeEmergencyQuorum,
  changeThreshold,
  reinstate,
  removeCouncilMember,
  replaceCouncilMember,
  resolveIncident,
  revokeAlgorithm,
  revokeCertification,
  suspend,
  withdrawRecognition,
} from "../trust-framework/council-action.ts";
import { type MemberRole, memberRoles } from "../trust-framework/roles.ts";
import { usageError } from "./command.ts";
import type { Client } from "./context.ts";
import { accountFrom } from "./names.ts";

type Names = Pick<Client, "names" | "ids">;

interface Action {
  /** What is typed after the name. */
  takes: readonly string[];
  says: string;
  build: (args: readonly string[], client: Names) => CouncilAction;
}

const actions: Readonly<Record<string, Action>> = {
  "add-member": {
    takes: ["ACCOUNT"],
    says: "give an account a seat in the council",
    build: ([member], client) => addCouncilMember(accountFrom(client, member!)),
  },
  "remove-member": {
    takes: ["MEMBER"],
    says: "take a seat away",
    build: ([member], client) => removeCouncilMember(accountFrom(client, member!)),
  },
  "replace-member": {
    takes: ["MEMBER", "ACCOUNT"],
    says: "give a member's seat to another account",
    build: ([member, other], client) =>
      replaceCouncilMember(accountFrom(client, member!), accountFrom(client, other!)),
  },
  threshold: {
    takes: ["NUMBER"],
    says: "how many must approve a proposal",
    build: ([number]) => changeThreshold(wholeFrom(number!)),
  },
  "emergency-quorum": {
    takes: ["NUMBER"],
    says: "how many can suspend a member at once",
    build: ([number]) => changeEmergencyQuorum(wholeFrom(number!)),
  },
  delay: {
    takes: ["SECONDS"],
    says: "between the last approval and the execution",
    build: ([seconds]) => changeDelay(wholeFrom(seconds!)),
  },
  suspend: {
    takes: ["MEMBER", "REASON"],
    says: "suspend all roles (after the delay; at once: itd council suspend)",
    build: ([member, reason], client) => suspend(accountFrom(client, member!), wordFrom(reason!)),
  },
  reinstate: {
    takes: ["MEMBER", "REASON"],
    says: "end a suspension",
    build: ([member, reason], client) => reinstate(accountFrom(client, member!), wordFrom(reason!)),
  },
  "revoke-certification": {
    takes: ["MEMBER", "ROLE", "REASON"],
    says: "take one role away",
    build: ([member, role, reason], client) =>
      revokeCertification(accountFrom(client, member!), roleFrom(role!), wordFrom(reason!)),
  },
  "change-control-group": {
    takes: ["MEMBER", "GROUP"],
    says: "after a merger or a sale",
    build: ([member, group], client) => changeControlGroup(accountFrom(client, member!), wordFrom(group!)),
  },
  "withdraw-recognition": {
    takes: ["FROM", "TO"],
    says: "grades of one framework no longer count under another",
    build: ([from, to]) => withdrawRecognition(wordFrom(from!), wordFrom(to!)),
  },
  "resolve-incident": {
    takes: ["NUMBER", "HASH", "URI"],
    says: "how an incident was settled, by the hash of the document that says so",
    build: ([incident, hash, uri]) => resolveIncident(wholeFrom(incident!), hashOf(hash!), uri!),
  },
  "revoke-algorithm": {
    takes: ["HASH", "REASON"],
    says: "stop an algorithm for good, whoever wrote it",
    build: ([hash, reason]) => revokeAlgorithm(hashOf(hash!), wordFrom(reason!)),
  },
};

export function actionNames(): string[] {
  return Object.keys(actions);
}

/** One line for each action. */
export function actionUsage(): string {
  const calls = Object.entries(actions).map(([name, { takes }]) => [name, ...takes].join(" "));
  const width = Math.max(...calls.map((call) => call.length));
  return Object.values(actions)
    .map(({ says }, i) => `  ${calls[i]!.padEnd(width)}  ${says}`)
    .join("\n");
}

/** @throws TrustedDataError `usage`, `member_unknown`. */
export function buildAction(client: Names, name: string, args: readonly string[]): CouncilAction {
  const { takes, build } = actions[name]!;
  if (args.length !== takes.length)
    throw usageError(`${name} takes ${takes.join(" ")} (quote what holds blanks); ${args.length} given.`);
  return build(args, client);
}

export function roleFrom(text: string): MemberRole {
  const role = memberRoles.find((known) => known === text);
  if (role !== undefined) return role;
  throw usageError(`There is no role ${JSON.stringify(text)}; there are: ${memberRoles.join(", ")}.`);
}

/** Names on the chain are bytes32. */
export function wordFrom(text: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]{0,29}[\x21-\x7e])?$/.test(text)) return text;
  throw usageError(
    `${JSON.stringify(text)} must be 1 to 31 plain characters, as it goes onto the chain as a word.`,
  );
}

export function wholeFrom(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw usageError(`${JSON.stringify(text)} must be a whole number.`);
}

function hashOf(text: string): string {
  const hash = text.toLowerCase();
  if (hash32Pattern.test(hash)) return hash;
  throw usageError(`${JSON.stringify(text)} must be a hash: 0x and 64 hexadecimal digits.`);
}
