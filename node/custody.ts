/** Joins the adapters for a custodian's own commands: the data folder of one node, whether or not its daemon runs. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openPersonSecret } from "./adapters/keys/person-secret.ts";
import { enrolmentFileName, openEnrolmentFile } from "./adapters/sqlite/enrolment-file.ts";
import { SystemRandomness } from "./adapters/system-randomness.ts";
import type { ClientOptions, Custody } from "./cli/context.ts";
import { labState, organisationFile } from "./client-config.ts";
import { loadConfig } from "./config.ts";
import { readConsentCounts } from "./consent-counts.ts";
import { openCustodianData } from "./custodian-data.ts";
import { personHash } from "./data-sharing/consent/person-hash.ts";
import { TrustedDataError } from "./errors.ts";
import { databasesFolderName, datasetsFolderName } from "./repository-role.ts";

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
  const filesFolder = join(stateFolder, datasetsFolderName);
  const randomness = new SystemRandomness();
  const damaged = new Map<string, string>();
  const { datasets, isInDatabase, propose } = openCustodianData({
    filesFolder,
    databasesFolder: join(stateFolder, databasesFolderName),
    randomness,
    onDamaged: (dataset, { message }) => damaged.set(dataset, message),
  });
  const enrolments = openEnrolmentFile(join(stateFolder, enrolmentFileName), randomness);
  return {
    datasets,
    isInDatabase,
    damaged: () => {
      datasets.manifests();
      return [...damaged].map(([dataset, message]) => ({ dataset, message }));
    },
    name,
    folder: stateFolder,
    propose,
    enrolments,
    readText: async (file) =>
      await readFile(file, "utf8").catch((error) => Promise.reject(unreadable(file, error))),
    personHash: async (dataset) => {
      const secret = await openPersonSecret(filesFolder, randomness);
      return (person) => personHash(secret, dataset, person);
    },
    consentCounts: () => readConsentCounts(stateFolder),
    close: async () => enrolments.close(),
  };
}

function unreadable(file: string, error: NodeJS.ErrnoException): TrustedDataError {
  const reason = error.code === "ENOENT" ? "there is no such file" : (error.code ?? "unknown");
  return new TrustedDataError("file_unreadable", `${file} cannot be read: ${reason}.`, { file, reason });
}
