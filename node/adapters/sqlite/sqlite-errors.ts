/** What SQLite reports (https://www.sqlite.org/rescode.html), as errors of the project. SQLite's own text never leaves. */
import { TrustedDataError } from "../../errors.ts";
import { assert } from "../../primitives/assert.ts";

const busy = 5;
const readOnly = 8;
const inputOutput = 10;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const constraint = 19;
const notDatabase = 26;

/** Returns the error to throw instead; an error that is not SQLite's comes back as it is. */
export function translated(error: unknown): unknown {
  switch (primaryCode(error)) {
    case full:
      return new TrustedDataError(
        "storage_full",
        "The disk is full, nothing was changed; free some space and try again.",
      );
    case readOnly:
    case inputOutput:
    case cannotOpen:
      return new TrustedDataError(
        "storage_failed",
        "The state file cannot be read or written safely; check the disk and its permissions, then start again.",
        { sqliteCode: String(extendedCode(error)) },
      );
    case corrupt:
    case notDatabase:
      return new TrustedDataError(
        "state_damaged",
        "The state file is damaged; restore it from a backup, then start again.",
        { sqliteCode: String(extendedCode(error)) },
      );
    case busy:
      return new TrustedDataError(
        "state_in_use",
        "Another daemon runs on this state folder; stop it or name another folder.",
      );
    case constraint:
      assert(false, "what is written keeps the constraints of the state file");
      break;
    default:
      return error;
  }
}

/** After these nothing that the process believes about its state can be trusted. */
export function isFatal(error: unknown): error is TrustedDataError {
  return (
    error instanceof TrustedDataError && (error.code === "storage_failed" || error.code === "state_damaged")
  );
}

function primaryCode(error: unknown): number | undefined {
  const code = extendedCode(error);
  return code === undefined ? undefined : code & 0xff;
}

function extendedCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}
