/**
 * The records of datasets that lie in PostgreSQL: `<name>.json` holds the manifest, where the tables are, and a secret by which rows and
 * groups of a person are chosen. No password is in it. A custodian may edit the manifest in it: everything is applied to the live rows at
 * each question.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  type DatasetManifest,
  datasetManifestSchema,
  tablesOf,
} from "../../data-sharing/manifests/dataset-manifest.ts";
import type { TrustedDataError } from "../../errors.ts";
import { parseStrictJson } from "../../primitives/strict-json.ts";
import { damaged, fileStamp, type OnDamaged } from "../duckdb/dataset-records.ts";
import { addressSchema, tableNamesSchema } from "./database-address.ts";

const recordVersion = "itd-postgresql/1";

const recordSchema = z
  .strictObject({
    version: z.literal(recordVersion),
    address: addressSchema,
    tables: tableNamesSchema,
    bounded: z.array(z.string()),
    /** 32 random bytes. */
    secret: z.string().regex(/^[0-9a-f]{64}$/),
    manifest: datasetManifestSchema,
  })
  .refine(
    ({ tables, manifest }) => sameNames(Object.keys(tables), manifest),
    "each table of the manifest has its place",
  )
  .refine(
    ({ bounded, tables }) => bounded.every((name) => Object.hasOwn(tables, name)),
    "bounded names tables",
  );

export type DatabaseRecord = z.infer<typeof recordSchema>;

const namePattern = /^[a-z][a-z0-9_-]{0,63}$/;

export class DatabaseRecords {
  readonly #folder: string;
  readonly #onDamaged: OnDamaged;
  readonly #read = new Map<string, { stamp: string; outcome: DatabaseRecord | TrustedDataError }>();
  readonly #told = new Map<string, TrustedDataError>();

  /** @param folder Created when the first record is. */
  constructor(folder: string, onDamaged: OnDamaged = () => {}) {
    this.#folder = folder;
    this.#onDamaged = onDamaged;
  }

  /** Whether there is a record of this name, damaged or not. */
  has(name: string): boolean {
    return namePattern.test(name) && fileStamp(this.#fileOf(name)) !== undefined;
  }

  /** @throws TrustedDataError `dataset_damaged` */
  one(name: string): DatabaseRecord | undefined {
    if (!namePattern.test(name)) return undefined;
    const stamp = fileStamp(this.#fileOf(name));
    if (stamp === undefined) {
      this.#read.delete(name);
      return undefined;
    }
    const known = this.#read.get(name);
    const outcome = known?.stamp === stamp ? known.outcome : readRecord(this.#fileOf(name), name);
    this.#read.set(name, { stamp, outcome });
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  /** By name. Damaged ones are left out and told of once: the others go on without them. */
  all(): DatabaseRecord[] {
    return this.#names().flatMap((name) => {
      try {
        return this.one(name) ?? [];
      } catch (error) {
        // The same object as long as the file stays as it is.
        if (this.#told.get(name) !== error) this.#onDamaged(name, error as TrustedDataError);
        this.#told.set(name, error as TrustedDataError);
        return [];
      }
    });
  }

  /** Replaces the record of this name; durable when it returns. For the owner's eyes only. */
  save(record: Omit<DatabaseRecord, "version">): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const file = this.#fileOf(record.manifest.name);
    const descriptor = openSync(`${file}.new`, "w", 0o600);
    writeSync(descriptor, `${JSON.stringify({ version: recordVersion, ...record }, null, 2)}\n`);
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(`${file}.new`, file);
    const folder = openSync(this.#folder, "r");
    fsyncSync(folder);
    closeSync(folder);
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder)
        .filter((file) => file.endsWith(".json"))
        .map((file) => file.slice(0, -".json".length))
        .filter((name) => namePattern.test(name))
        .sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  #fileOf(name: string): string {
    return join(this.#folder, `${name}.json`);
  }
}

function readRecord(file: string, name: string): DatabaseRecord | TrustedDataError {
  try {
    const record = recordSchema.parse(parseStrictJson(readFileSync(file, "utf8")));
    if (record.manifest.name === name) return record;
  } catch {
    // One sentence for all of it: the file is small, and can be written anew.
  }
  return damaged(name, `The record of the dataset ${name} cannot be read: connect the database again.`);
}

function sameNames(names: readonly string[], manifest: DatasetManifest): boolean {
  const wanted = [...tablesOf(manifest).keys()];
  return names.length === wanted.length && wanted.every((name) => names.includes(name));
}
