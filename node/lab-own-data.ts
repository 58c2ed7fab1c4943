/** Imports the user's own file into the lab's bank, under the manifest beside it (`FILE.yaml`), or under one that is proposed and written there. */
import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { proposeManifest } from "./adapters/duckdb/propose-manifest.ts";
import { type DatasetManifest, parseDatasetManifest } from "./data-sharing/manifests/dataset-manifest.ts";
import type { DatasetStore } from "./data-sharing/ports.ts";
import { TrustedDataError } from "./errors.ts";
import { datasetLines } from "./living-lab/content.ts";
import { personColumnNames, underLabTerms } from "./living-lab/own-data.ts";
import type { LabOutput } from "./living-lab/ports.ts";

/** @throws TrustedDataError `data_file_*`, `manifest_invalid`: then the bank's data is as it was. */
export async function importOwnData(store: DatasetStore, file: string, output: LabOutput): Promise<void> {
  const manifestFile = `${file}.yaml`;
  const manifest = existsSync(manifestFile)
    ? await givenManifest(manifestFile)
    : requireOtherName(await proposed(file, manifestFile, output), manifestFile);
  const { rows, people } = await store.importFile(file, manifest);
  output.progress(`the bank imports ${manifest.name}: ${rows} rows of ${people} people, from ${file}`);
}

/**
 * Before anything of the lab is started or removed: what would fail at the import is told at once.
 * @throws TrustedDataError `data_file_not_found`, `manifest_invalid`
 */
export async function requireOwnData(file: string): Promise<void> {
  const isFile = await stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) throw new TrustedDataError("data_file_not_found", `There is no file at ${file}.`, { file });
  const manifestFile = `${file}.yaml`;
  if (existsSync(manifestFile)) await givenManifest(manifestFile);
}

async function givenManifest(manifestFile: string): Promise<DatasetManifest> {
  return requireOtherName(parseDatasetManifest(await readFile(manifestFile, "utf8")), manifestFile);
}

function requireOtherName(manifest: DatasetManifest, manifestFile: string): DatasetManifest {
  if (!Object.hasOwn(datasetLines, manifest.name)) return manifest;
  throw new TrustedDataError(
    "manifest_invalid",
    `The lab has a dataset called ${manifest.name} already: give yours another name in ${manifestFile}.`,
    { name: manifest.name },
  );
}

async function proposed(file: string, manifestFile: string, output: LabOutput): Promise<DatasetManifest> {
  for (const person of personColumnNames) {
    try {
      const { manifest, warnings } = await proposeManifest(file, person);
      const terms = underLabTerms(manifest);
      await writeFile(manifestFile, stringify(terms));
      output.progress(`wrote ${manifestFile}: read it, correct it, and start again`);
      for (const warning of warnings) output.progress(`  ${warning}`);
      return terms;
    } catch (error) {
      if (!(error instanceof TrustedDataError) || error.code !== "data_file_column_missing") throw error;
    }
  }
  throw new TrustedDataError(
    "data_file_column_missing",
    `No column of ${file} is called ${personColumnNames.join(", ")}: name the one that says whom a row belongs to so, or write a manifest into ${manifestFile} (docs/custodians.md).`,
    { file },
  );
}
