/** Joins the adapters for a custodian's own commands: the data folder of one node, whether or not its daemon runs. */
import { join } from "node:path";
import { openDatasetStore } from "./adapters/duckdb/duckdb-dataset-store.ts";
import { SystemRandomness } from "./adapters/system-randomness.ts";
import type { ClientOptions, Custody } from "./cli/context.ts";
import { labState, organisationFile } from "./client-config.ts";
import { loadConfig } from "./config.ts";
import { TrustedDataError } from "./errors.ts";
import { datasetsFolderName } from "./repository-role.ts";

/** The node of `--config FILE`, or of the lab's organisation `--as ID`. */
export async function openCustody(options: ClientOptions & { config?: string }): Promise<Custody> {
  const file = options.config ?? organisationFile(labState(options), options.as ?? "", "node.yaml");
  const { stateFolder, name, roles } = loadConfig(file);
  if (!roles.includes("repository")) {
    throw new TrustedDataError(
      "config_invalid",
      `${name} runs no repository (its roles: ${roles.join(", ")}), so it cannot hold data; choose another organisation.`,
      { roles: roles.join(" ") },
    );
  }
  const datasets = openDatasetStore({
    folder: join(stateFolder, datasetsFolderName),
    randomness: new SystemRandomness(),
  });
  return {
    datasets,
    name,
    folder: stateFolder,
    propose: async (data, person) => {
      const { proposeManifest } = await import("./adapters/duckdb/propose-manifest.ts");
      return await proposeManifest(data, person);
    },
    close: async () => undefined,
  };
}
