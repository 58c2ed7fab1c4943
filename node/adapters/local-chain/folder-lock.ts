/**
 * Keeps two processes from writing one folder.
 *
 * The lock is the operating system's, taken through SQLite, so it dies with its process: nothing stale to clean up after
 * a crash. Not promised on network file systems, whose locks SQLite warns about (sqlite.org/lockingv3.html).
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { TrustedDataError } from "../../errors.ts";

/**
 * Makes the folder if need be and locks it until `release` is called or the process ends.
 * @throws TrustedDataError `state_in_use` when another process, or this one, holds it already.
 */
export function lockFolder(folder: string): { release(): void } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(folder, "lock.sqlite"), { timeout: 0 });
  try {
    database.exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new TrustedDataError(
      "state_in_use",
      `The folder ${folder} is in use by another process: stop that one first, or choose another folder.`,
      { folder },
    );
  }
  return { release: () => database.close() };
}

/** SQLITE_BUSY and SQLITE_LOCKED. */
function isBusy(error: unknown): boolean {
  const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  return code === 5 || code === 6;
}
