/**
 * The records of a folder's datasets: `<name>.json` names the manifest and the data file that belong together. A custodian may edit what
 * is declared around the data there (budget, purposes, title, minimumPeople); what the data was built by may not change without an import,
 * or answers would get too little noise. Records are read again when their file changes, and only then: each question asks for them.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { datasetManifestSchema } from "../../data-sharing/manifests/dataset-manifest.ts";
import { TrustedDataError } from "../../errors.ts";
import { hash32Pattern } from "../../primitives/hex.ts";
import { parseStrictJson } from "../../primitives/strict-json.ts";
import { shapeHash } from "./stored-columns.ts";

export const dataFilePattern = /^([a-z0-9_-]+)\.[0-9a-f]{16}\.duckdb$/;
export const recordVersion = "itd-dataset/3";

const recordSchema = z.strictObject({
  version: z.literal(recordVersion),
  data: z.string().regex(dataFilePattern),
  /** SHA-256 of the data file. */
  sha256: z.string().regex(hash32Pattern),
  /** `shapeHash` of the manifest at the import; the data file holds it too, where no editor reaches it. */
  shape: z.string().regex(hash32Pattern),
  manifest: datasetManifestSchema,
});

export type DatasetRecord = z.infer<typeof recordSchema>;

export type OnDamaged = (dataset: string, error: TrustedDataError) => void;

export class DatasetRecords {
  readonly #folder: string;
  readonly #onDamaged: OnDamaged;
  readonly #read = new Map<string, { stamp: string; record: DatasetRecord }>();
  /** By name, the stamp of the damaged file that was told of. */
  readonly #told = new Map<string, string | undefined>();

  constructor(folder: string, onDamaged: OnDamaged = () => {}) {
    this.#folder = folder;
    this.#onDamaged = onDamaged;
  }

  /** @throws TrustedDataError `dataset_damaged` where the record cannot be read, or does not fit what the data was built by. */
  one(name: string): DatasetRecord | undefined {
    if (!/^[a-z][a-z0-9_-]{0,63}$/.test(name)) return undefined;
    const file = join(this.#folder, `${name}.json`);
    const stamp = fileStamp(file);
    if (stamp === undefined) {
      this.#read.delete(name);
      return undefined;
    }
    const known = this.#read.get(name);
    if (known?.stamp === stamp) return known.record;
    const record = readRecord(file, name);
    if (record !== undefined) this.#read.set(name, { stamp, record });
    return record;
  }

  /** By name. Damaged ones are left out and told of, once each time that their file changes: the others go on without them. */
  all(): DatasetRecord[] {
    return readdirSync(this.#folder)
      .filter((file) => file.endsWith(".json"))
      .sort()
      .flatMap((file) => this.#oneIfWhole(file.slice(0, -".json".length)) ?? []);
  }

  #oneIfWhole(name: string): DatasetRecord | undefined {
    try {
      const record = this.one(name);
      this.#told.delete(name);
      return record;
    } catch (error) {
      if (!(error instanceof TrustedDataError && error.code === "dataset_damaged")) throw error;
      const stamp = fileStamp(join(this.#folder, `${name}.json`));
      if (!this.#told.has(name) || this.#told.get(name) !== stamp) this.#onDamaged(name, error);
      this.#told.set(name, stamp);
      return undefined;
    }
  }
}

/** Changes whenever the file is written or replaced; undefined where there is none. */
export function fileStamp(file: string): string | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat && [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(" ");
}

function readRecord(file: string, name: string): DatasetRecord | undefined {
  let record: DatasetRecord;
  try {
    record = recordSchema.parse(parseStrictJson(readFileSync(file, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw damaged(name, `The record of the dataset ${name} cannot be read: import the dataset again.`);
  }
  if (record.shape === shapeHash(record.manifest) && record.manifest.name === name) return record;
  throw damaged(
    name,
    `The manifest of ${name} was edited in what its data was built by (name, table, person, rowsPerPerson, columns, furtherTables): import it again, or take the edit back.`,
  );
}

export function damaged(dataset: string, sentence: string): TrustedDataError {
  return new TrustedDataError("dataset_damaged", sentence, { dataset });
}
