/** Joins a custodian's datasets of both kinds, for the daemon and for the custodian's own commands: files that were imported, and databases. */
import { CombinedDatasetStore } from "./adapters/combined-dataset-store.ts";
import type { OnDamaged } from "./adapters/duckdb/dataset-records.ts";
import { openDatasetStore } from "./adapters/duckdb/duckdb-dataset-store.ts";
import { isDatabaseUrl } from "./adapters/postgresql/database-address.ts";
import { PostgresDatasetStore } from "./adapters/postgresql/postgres-dataset-store.ts";
import type { EnrolmentCheck } from "./data-sharing/consent/ports.ts";
import type { DatasetManifest } from "./data-sharing/manifests/dataset-manifest.ts";
import type { DatasetStore, Randomness } from "./data-sharing/ports.ts";

export interface CustodianData {
  datasets: DatasetStore & EnrolmentCheck;
  /** Whether the dataset of this name lies in a database. */
  isInDatabase(name: string): boolean;
  propose(source: string, person: string): Promise<{ manifest: DatasetManifest; warnings: string[] }>;
}

export interface CustodianDataOptions {
  filesFolder: string;
  databasesFolder: string;
  randomness: Randomness;
  onDamaged?: OnDamaged;
}

export function openCustodianData(options: CustodianDataOptions): CustodianData {
  const { filesFolder, databasesFolder, ...modules } = options;
  const files = openDatasetStore({ folder: filesFolder, ...modules });
  const databases = new PostgresDatasetStore({ folder: databasesFolder, ...modules });
  return {
    datasets: new CombinedDatasetStore({ files, databases }),
    isInDatabase: (name) => databases.has(name),
    propose: async (source, person) => {
      if (isDatabaseUrl(source)) return await databases.propose(source, person);
      const { proposeManifest } = await import("./adapters/duckdb/propose-manifest.ts");
      return await proposeManifest(source, person);
    },
  };
}
