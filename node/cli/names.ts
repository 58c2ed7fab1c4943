/** Accounts and hashes as people read and type them. */
import { TrustedDataError } from "../errors.ts";
import { addressPattern, type Hex } from "../primitives/hex.ts";
import type { Client } from "./context.ts";

/** Enough of a hash to tell two apart by eye; the whole one is in `--json`. */
export function shortHex(hex: Hex): string {
  return hex.length <= 14 ? hex : `${hex.slice(0, 8)}…${hex.slice(-4)}`;
}

/** The name, if known, and the account: a name alone could be anybody's. */
export function accountText({ names }: Pick<Client, "names">, address: Hex): string {
  const name = names.get(address);
  return name === undefined ? address : `${name} (${shortHex(address)})`;
}

/** The account that somebody typed: an address, an organisation's id, or its name. @throws TrustedDataError `member_unknown`. */
export function accountFrom({ names, ids }: Pick<Client, "names" | "ids">, text: string): Hex {
  const typed = text.toLowerCase();
  if (addressPattern.test(typed)) return typed;
  const found = ids.get(text) ?? [...names].find(([, name]) => name.toLowerCase() === typed)?.[0];
  if (found !== undefined) return found;
  const known = [...ids.keys()].join(", ");
  throw new TrustedDataError(
    "member_unknown",
    `Nobody here is called ${JSON.stringify(text)}; give an account (0x and 40 digits)${known === "" ? "" : ` or one of ${known}`}.`,
    { member: text },
  );
}

/** The one of `hashes` that begins with what was typed, at least six digits of it; undefined if none or several do. */
export function hashFrom(hashes: readonly Hex[], text: string): Hex | undefined {
  const typed = text.toLowerCase().replace(/^(?!0x)/, "0x");
  if (!/^0x[0-9a-f]{6,64}$/.test(typed)) return undefined;
  const found = hashes.filter((hash) => hash.startsWith(typed));
  return found.length === 1 ? found[0] : undefined;
}

/** A second since 1970 as a person reads it, in UTC. */
export function timeText(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** Millionths as a decimal number without needless zeros: 500000 is 0.5. */
export function rhoText(microRho: string | bigint): string {
  const digits = String(microRho).padStart(7, "0");
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, "");
}

/** A name as part of a file's name. */
export function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/['’]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
