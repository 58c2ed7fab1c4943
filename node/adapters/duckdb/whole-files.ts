/**
 * Whether a data file is the one that was imported: its SHA-256 is the record's, and it was built by the record's manifest. A file is read
 * whole once, and again only when it changes. What is looked at is the file, never a question, so that nobody learns about rows.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import { TrustedDataError } from "../../errors.ts";
import { toHex } from "../../primitives/hex.ts";
import { lockedSettings } from "./data-instances.ts";
import { type DatasetRecord, damaged, fileStamp } from "./dataset-records.ts";

const chunkBytes = 1 << 20;
/** For one row of one column. */
const memoryBytes = 64 << 20;

export class WholeFiles {
  /** By path, what the look at the file found; shared by questions that come side by side. */
  readonly #looks = new Map<string, { stamp: string; look: Promise<void> }>();
  readonly #hash: (path: string) => Promise<string>;

  constructor(hash: (path: string) => Promise<string> = hashFile) {
    this.#hash = hash;
  }

  /** @throws TrustedDataError `dataset_damaged` */
  async require(path: string, record: DatasetRecord): Promise<void> {
    const { name } = record.manifest;
    const file = fileStamp(path);
    if (file === undefined) throw damaged(name, `The data of ${name} is gone: import the dataset again.`);
    const stamp = [file, record.sha256, record.shape].join(" ");
    const known = this.#looks.get(path);
    if (known?.stamp === stamp) return await known.look;
    const look = requireWhole(path, record, this.#hash);
    this.#looks.set(path, { stamp, look });
    try {
      await look;
    } catch (error) {
      // What keeps this machine from looking (no file descriptor or memory left) may pass; damage stays until the file changes.
      if (!isDamage(error) && this.#looks.get(path)?.look === look) this.#looks.delete(path);
      throw error;
    }
  }

  /** Forgets files that were replaced. */
  dropOthers(isCurrent: (path: string) => boolean): void {
    for (const path of this.#looks.keys()) if (!isCurrent(path)) this.#looks.delete(path);
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof TrustedDataError && error.code === "dataset_damaged";
}

async function requireWhole(
  path: string,
  { manifest, sha256, shape }: DatasetRecord,
  hash: (path: string) => Promise<string>,
): Promise<void> {
  const isWhole = (await hash(path)) === sha256 && (await shapeWithin(path)) === shape;
  if (!isWhole) {
    const sentence = `The data of ${manifest.name} is not what was imported: import the dataset again.`;
    throw damaged(manifest.name, sentence);
  }
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) hash.update(chunk);
  return toHex(hash.digest());
}

/** What the file says that it was built by. */
async function shapeWithin(path: string): Promise<unknown> {
  const instance = await DuckDBInstance.create(
    path,
    lockedSettings({ path, memoryBytesMax: memoryBytes, threads: 1 }),
  );
  try {
    const connection = await instance.connect();
    const found = await connection.runAndReadAll("SELECT shape FROM built_");
    connection.closeSync();
    return found.getRows()[0]?.[0];
  } finally {
    instance.closeSync();
  }
}
