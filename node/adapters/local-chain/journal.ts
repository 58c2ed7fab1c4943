/**
 * An append-only file of what went into the local chain: one record a line, each behind its own checksum.
 *
 * A crash can only tear the end: a last line without its line feed, or one with the zero bytes of pages that never reached
 * the disk, was not acknowledged to anyone and is cut off. Any other line that does not match its checksum was damaged
 * later and is an error: what was acknowledged is never dropped in silence.
 *
 * The checksum finds accidents. It does not stop somebody who can write the file.
 */
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { TrustedDataError } from "../../errors.ts";
import type { Hex } from "../../primitives/hex.ts";
import { sha256Hex } from "../../primitives/hex.ts";

/** What the chain started from. Always the first record. */
export interface ChainSettings {
  format: 1;
  chainId: number;
  hardfork: string;
  /** Seconds. */
  genesisTimestamp: number;
}

/** A block; replaying it must give this hash. At most one transaction, as the sender signed it. */
export interface BlockRecord {
  block: number;
  /** Seconds. */
  timestamp: number;
  hash: Hex;
  transactions: Hex[];
}

/** `fund` sets balances (wei, decimal) by address before the next block. */
export type JournalRecord = { settings: ChainSettings } | { fund: Record<Hex, string> } | BlockRecord;

const checksumLength = 16;
const lineFeed = 0x0a;

export class Journal {
  readonly #handle: FileHandle;
  #failure: TrustedDataError | undefined;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /**
   * Opens the file, or makes it, and reads what is there. The caller holds the lock of the folder.
   * @throws TrustedDataError `journal_damaged` with `fields.line`, counted from 1.
   */
  static async open(file: string): Promise<{ journal: Journal; records: JournalRecord[] }> {
    const handle = await open(file, "a+", 0o600);
    try {
      const { records, length } = parse(await handle.readFile(), file);
      await handle.truncate(length);
      await handle.sync();
      await syncFolder(dirname(file));
      return { journal: new Journal(handle), records };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * Appends the records; they are on the disk when it returns. Calls must not overlap.
   * @throws TrustedDataError `journal_failed`; from then on always, as nobody knows what reached the disk.
   */
  async append(records: readonly JournalRecord[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#handle.appendFile(records.map(lineOf).join(""));
      await this.#handle.datasync();
    } catch (error) {
      const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown";
      this.#failure = new TrustedDataError(
        "journal_failed",
        `The chain's journal cannot be written (${reason}): check the disk, then start again.`,
        { reason },
      );
      throw this.#failure;
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** The records, and the length in bytes of the part that holds them. */
function parse(bytes: Buffer, file: string): { records: JournalRecord[]; length: number } {
  const records: JournalRecord[] = [];
  let start = 0;
  for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, start)) {
    const line = bytes.subarray(start, end);
    const record = recordOf(line);
    if (record === undefined) {
      if (end === bytes.length - 1 && line.includes(0)) break;
      throw new TrustedDataError(
        "journal_damaged",
        `Line ${records.length + 1} of the chain's journal ${file} is damaged: restore it from a backup, or start with --fresh.`,
        { file, line: String(records.length + 1) },
      );
    }
    records.push(record);
    start = end + 1;
  }
  return { records, length: start };
}

function lineOf(record: JournalRecord): string {
  const text = JSON.stringify(record);
  return `${checksum(text)} ${text}\n`;
}

function recordOf(line: Buffer): JournalRecord | undefined {
  const text = line.subarray(checksumLength + 1);
  if (line.toString("latin1", 0, checksumLength + 1) !== `${checksum(text)} `) return undefined;
  return JSON.parse(text.toString("utf8")) as JournalRecord;
}

function checksum(text: string | Buffer): string {
  return sha256Hex(text).slice(2, 2 + checksumLength);
}

/** A new file is there after a power failure only if its folder was synced too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
