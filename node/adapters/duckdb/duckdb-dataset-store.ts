/**
 * The datasets of one custodian as DuckDB files in one folder, each imported whole or not at all. Files are readable by the owner only.
 * Nothing is encrypted: the folder is as private as the machine.
 */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { catalogueDatasetsMax, catalogueOf } from "../../data-sharing/catalogue.ts";
import { personHash } from "../../data-sharing/consent/person-hash.ts";
import type { EnrolmentCheck } from "../../data-sharing/consent/ports.ts";
import { type DatasetManifest, needsConsent } from "../../data-sharing/manifests/dataset-manifest.ts";
import type { DatasetStore, ImportProgress, ImportReport, Randomness } from "../../data-sharing/ports.ts";
import { TrustedDataError } from "../../errors.ts";
import { assert } from "../../primitives/assert.ts";
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { unknownDataset } from "../engine-errors.ts";
import { openPersonSecret } from "../keys/person-secret.ts";
import { commitDataset, createWorkFolder, removeLeftOvers, removeWorkFolder } from "./dataset-files.ts";
import { DatasetRecords, type OnDamaged, recordVersion } from "./dataset-records.ts";
import { buildDataFile } from "./import-file.ts";
import { countPeopleMissing } from "./people-missing.ts";
import { shapeHash } from "./stored-columns.ts";
import { hashFile } from "./whole-files.ts";

export interface DatasetStoreOptions {
  /** Created if it is not there. */
  folder: string;
  randomness: Randomness;
  /** No limit by default: reading takes constant memory. */
  fileBytesMax?: number;
  /** What DuckDB may hold while importing; larger work goes to the folder's disk. */
  importMemoryBytesMax?: number;
  threads?: number;
  /** Of the canonical catalogue of all datasets here, without its signature: directories take 1 MiB, and titles may still grow by hand. */
  catalogueBytesMax?: number;
  /** Told of a dataset that is not offered because its record is damaged; once, and again when the record's file has changed. */
  onDamaged?: OnDamaged;
}

/** Opens the folder and removes what an interrupted import left. */
export function openDatasetStore(options: DatasetStoreOptions): DuckDbDatasetStore {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  removeLeftOvers(options.folder);
  return new DuckDbDatasetStore(options);
}

export class DuckDbDatasetStore implements DatasetStore, EnrolmentCheck {
  readonly #options: Required<DatasetStoreOptions>;
  readonly #records: DatasetRecords;
  /** Imports run one after the other, as each may fill the memory it is given. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DatasetStoreOptions) {
    this.#options = {
      fileBytesMax: Number.POSITIVE_INFINITY,
      importMemoryBytesMax: 1 << 30,
      threads: 2,
      catalogueBytesMax: 768 * 1024,
      onDamaged: () => {},
      ...options,
    };
    this.#records = new DatasetRecords(options.folder, this.#options.onDamaged);
  }

  importFile(
    file: string,
    manifest: DatasetManifest,
    onProgress: (progress: ImportProgress) => void = () => {},
    furtherFiles: Readonly<Record<string, string>> = {},
  ): Promise<ImportReport> {
    const mine = this.#last.then(() => this.#import({ ...furtherFiles }, file, manifest, onProgress));
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** Damaged ones are left out: they must not keep anybody from the others, nor from importing them again. */
  manifests(): DatasetManifest[] {
    return this.#records.all().map((record) => record.manifest);
  }

  async countPeopleMissing(dataset: string, people: ReadonlySet<string>): Promise<number> {
    const { folder, randomness } = this.#options;
    const record = this.#records.one(dataset);
    if (record === undefined || !needsConsent(record.manifest)) throw unknownDataset(dataset);
    const secret = await openPersonSecret(folder, randomness);
    const hashes = Buffer.concat([...people].map((person) => personHash(secret, dataset, person)));
    return await countPeopleMissing(join(folder, record.data), hashes);
  }

  async #import(
    furtherFiles: Readonly<Record<string, string>>,
    file: string,
    manifest: DatasetManifest,
    onProgress: (progress: ImportProgress) => void,
  ): Promise<ImportReport> {
    const { folder, randomness, fileBytesMax, importMemoryBytesMax, threads } = this.#options;
    const files = filesOf(manifest, file, furtherFiles);
    this.#requireRoom(manifest);
    const workFolder = createWorkFolder(folder);
    try {
      const target = join(workFolder, "data.duckdb");
      const report = await buildDataFile(files, manifest, target, {
        workFolder,
        key: randomness.bytes(32),
        personSecret: needsConsent(manifest) ? await openPersonSecret(folder, randomness) : undefined,
        fileBytesMax,
        memoryBytesMax: importMemoryBytesMax,
        threads,
        onProgress,
      });
      assert(!readdirSync(workFolder).includes("data.duckdb.wal"), "the data file is complete");
      const unique = Buffer.from(randomness.bytes(8)).toString("hex");
      commitDataset(folder, target, {
        version: recordVersion,
        data: `${manifest.name}.${unique}.duckdb`,
        sha256: await hashFile(target),
        shape: shapeHash(manifest),
        manifest,
      });
      return report;
    } finally {
      removeWorkFolder(workFolder);
    }
  }

  /** A catalogue that directories do not take would hide the datasets that are here already, too. */
  #requireRoom(manifest: DatasetManifest): void {
    const others = this.manifests().filter(({ name }) => name !== manifest.name);
    const catalogue = catalogueOf(`0x${"00".repeat(20)}`, "", [...others, manifest]);
    const bytes = Buffer.byteLength(canonicalJson(catalogue));
    const { catalogueBytesMax } = this.#options;
    if (bytes <= catalogueBytesMax && others.length < catalogueDatasetsMax) return;
    throw new TrustedDataError(
      "catalogue_too_large",
      `With ${manifest.name} the catalogue has ${others.length + 1} datasets and ${bytes} bytes; at most ${catalogueDatasetsMax} and ${catalogueBytesMax} go. Shorten domains and descriptions, or use another node.`,
      { bytes: String(bytes), bytesMax: String(catalogueBytesMax) },
    );
  }
}

/** By table. @throws TrustedDataError `data_file_not_found` */
function filesOf(
  manifest: DatasetManifest,
  file: string,
  furtherFiles: Readonly<Record<string, string>>,
): Map<string, string> {
  const further = Object.keys(manifest.furtherTables);
  const missing = further.find((table) => !Object.hasOwn(furtherFiles, table));
  if (missing !== undefined)
    throw new TrustedDataError(
      "data_file_not_found",
      `The manifest of ${manifest.name} declares a table ${missing}: give its file, too.`,
      { table: missing },
    );
  const unknown = Object.keys(furtherFiles).find((table) => !further.includes(table));
  if (unknown !== undefined)
    throw new TrustedDataError(
      "data_file_not_found",
      `The manifest of ${manifest.name} declares no further table ${unknown}; it has ${further.join(", ") || "none"}.`,
      { table: unknown },
    );
  return new Map([[manifest.table, file], ...further.map((table) => [table, furtherFiles[table]!] as const)]);
}
