/** What data sharing needs from the outside; `adapters/` implements it. */
import type { DatasetManifest } from "./manifests/dataset-manifest.ts";
import type { Plan } from "./plan/plan.ts";

export interface Randomness {
  /** `count` bytes, uniform and unpredictable. Answers are only as private as this is. */
  bytes(count: number): Uint8Array;
}

/** The exact integers behind an answer. They never leave the repository: only `release` may see them. */
export interface ExactAnswer {
  /** `vectors[v][g]`: vector v of group g; group g counts through the keys' domains, the last key fastest. */
  vectors: bigint[][];
}

export interface EngineLimits {
  timeMsMax: number;
  memoryBytesMax: number;
}

/** An engine runs plans over one custodian's data. All engines give equal integers. */
export interface PlanEngine {
  /**
   * Runs `plan` over `dataset`.
   * @throws TrustedDataError `engine_limit` when a limit is hit, `engine_failed` for anything else; neither carries engine text.
   */
  execute(dataset: string, plan: Plan, limits: EngineLimits): Promise<ExactAnswer>;
}

export interface ImportProgress {
  bytesRead: number;
  bytesTotal: number;
}

/** What the custodian is told after a dataset was connected. Never leaves the custodian's side: it is exact. */
export interface ImportReport {
  rows: number;
  people: number;
  /** Rows left out because their person had more than the declared number. */
  rowsLeftOut: number;
  /** Per column, values that were moved to a bound. */
  clamped: Record<string, number>;
}

/** Keeps the custodian's datasets, each imported whole or not at all. */
export interface DatasetStore {
  /**
   * Reads a CSV or Parquet file into the store, replacing the dataset of this name.
   * @throws TrustedDataError `data_file_*` with line numbers; then nothing has changed.
   */
  importFile(
    file: string,
    manifest: DatasetManifest,
    onProgress?: (progress: ImportProgress) => void,
  ): Promise<ImportReport>;
  /** Manifests of all datasets here, by name. */
  manifests(): DatasetManifest[];
}
