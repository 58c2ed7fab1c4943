/**
 * The datasets of one custodian as DuckDB files in one folder, each imported whole or not at all. Files are readable by the owner only.
 * Nothing is encrypted: the folder is as private as the machine.
 */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { DatasetManifest } from "../../data-sharing/manifests/dataset-manifest.ts";
import type { DatasetStore, ImportProgress, ImportReport, Randomness } from "../../data-sharing/ports.ts";
import { assert } from "../../primitives/assert.ts";
import { commitDataset, createWorkFolder, removeLeftOvers, removeWorkFolder } from "./dataset-files.ts";
import { DatasetRecords, recordVersion } from "./dataset-records.ts";
import { buildDataFile } from "./import-file.ts";
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
}

/** Opens the folder and removes what an interrupted import left. */
export function openDatasetStore(options: DatasetStoreOptions): DuckDbDatasetStore {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  removeLeftOvers(options.folder);
  return new DuckDbDatasetStore(options);
}

export class DuckDbDatasetStore implements DatasetStore {
  readonly #options: Required<DatasetStoreOptions>;
  readonly #records: DatasetRecords;
  /** Imports run one after the other, as each may fill the memory it is given. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DatasetStoreOptions) {
    this.#options = {
      fileBytesMax: Number.POSITIVE_INFINITY,
      importMemoryBytesMax: 1 << 30,
      threads: 2,
      ...options,
    };
    this.#records = new DatasetRecords(options.folder);
  }

  importFile(
    file: string,
    manifest: DatasetManifest,
    onProgress: (progress: ImportProgress) => void = () => {},
  ): Promise<ImportReport> {
    const mine = this.#last.then(() => this.#import(file, manifest, onProgress));
    this.#last = mine.catch(() => {});
    return mine;
  }

  manifests(): DatasetManifest[] {
    return this.#records.all().map((record) => record.manifest);
  }

  async #import(
    file: string,
    manifest: DatasetManifest,
    onProgress: (progress: ImportProgress) => void,
  ): Promise<ImportReport> {
    const { folder, randomness, fileBytesMax, importMemoryBytesMax, threads } = this.#options;
    const workFolder = createWorkFolder(folder);
    try {
      const target = join(workFolder, "data.duckdb");
      const report = await buildDataFile(file, manifest, target, {
        workFolder,
        key: randomness.bytes(32),
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
}
