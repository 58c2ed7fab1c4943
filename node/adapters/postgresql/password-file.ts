/**
 * The password of a database role, from where every PostgreSQL program looks for it (PostgreSQL manual, "The Password File"): PGPASSWORD, else
 * the file that PGPASSFILE names, else ~/.pgpass, with lines `host:port:database:user:password`. This program keeps no password.
 */
import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { TrustedDataError } from "../../errors.ts";
import type { DatabaseAddress } from "./database-address.ts";

/** Undefined where nothing is said: the server may ask for none. @throws TrustedDataError `key_file_readable_by_others` */
export async function databasePassword(
  address: DatabaseAddress,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string | undefined> {
  if (environment.PGPASSWORD) return environment.PGPASSWORD;
  const file = environment.PGPASSFILE || join(homedir(), ".pgpass");
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  if (process.platform !== "win32" && (found.mode & 0o077) !== 0)
    throw new TrustedDataError(
      "key_file_readable_by_others",
      `Other users can reach the passwords in ${file}: run chmod 600 on it, and change them if others may have read them.`,
      { file },
    );
  return passwordIn(await readFile(file, "utf8"), address);
}

/** The first line that matches counts. */
export function passwordIn(
  text: string,
  { host, port, database, user }: DatabaseAddress,
): string | undefined {
  const wanted = [host.startsWith("/") ? "localhost" : host, String(port), database, user];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    const fields = fieldsOf(line);
    if (fields.length !== 5) continue;
    if (wanted.every((value, at) => fields[at] === "*" || fields[at] === value)) return fields[4];
  }
  return undefined;
}

/** A backslash takes away the meaning of a colon or a backslash behind it. */
function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  let field = "";
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (character === ":" && fields.length < 4) {
      fields.push(field);
      field = "";
    } else field += character === "\\" && at + 1 < line.length ? line[++at]! : character;
  }
  return [...fields, field];
}
