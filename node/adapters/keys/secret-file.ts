/** Files that hold keys: for their owner alone (0600 in 0700 folders), written whole or not at all, never overwritten. */
import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { TrustedDataError } from "../../errors.ts";

/** @throws TrustedDataError `key_exists` if there is such a file. */
export async function writeSecretFile(file: string, text: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unfinished = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  const handle = await open(unfinished, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
    await handle.close();
    await link(unfinished, file); // unlike rename, refuses to replace
  } catch (error) {
    await handle.close();
    if (!hasCode(error, "EEXIST")) throw error;
    throw new TrustedDataError(
      "key_exists",
      `There is a key in ${file} already; keys are never overwritten.`,
      { file },
    );
  } finally {
    await unlink(unfinished);
  }
  await syncFolder(folder);
}

/** @throws TrustedDataError `key_not_found`, `key_file_readable_by_others`. */
export async function readSecretFile(file: string): Promise<string> {
  try {
    const { mode } = await stat(file);
    // Windows has no such bits.
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw new TrustedDataError(
        "key_file_readable_by_others",
        `Other users can reach the key in ${file}: run chmod 600 on it, and make a new key if others may have read it.`,
        { file, mode: (mode & 0o777).toString(8) },
      );
    }
    return await readFile(file, "utf8");
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
    throw new TrustedDataError("key_not_found", `There is no key in ${file}; create one first.`, { file });
  }
}

/** So that the new name survives a power cut. Not every file system has it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
