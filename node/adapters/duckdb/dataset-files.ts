/**
 * Which files make up the datasets of a folder. `<name>.json` names the manifest and the data file that belong together, so that one rename
 * replaces both; the data file, `<name>.<16 hex digits>.duckdb`, is never changed once it is named.
 * Of two imports of one dataset at the same time, the one that ends last stays.
 */
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import {
  type DatasetManifest,
  datasetManifestSchema,
} from "../../data-sharing/manifests/dataset-manifest.ts";
import { TrustedDataError } from "../../errors.ts";
import { parseStrictJson } from "../../primitives/strict-json.ts";

const dataFilePattern = /^([a-z0-9_-]+)\.[0-9a-f]{16}\.duckdb$/;
const recordSchema = z.strictObject({
  version: z.literal("itd-dataset/1"),
  data: z.string().regex(dataFilePattern),
  manifest: datasetManifestSchema,
});

export type DatasetRecord = z.infer<typeof recordSchema>;

/** @throws TrustedDataError `dataset_damaged` where the record cannot be read. */
export function readDataset(folder: string, name: string): DatasetRecord | undefined {
  if (!/^[a-z][a-z0-9_-]{0,63}$/.test(name)) return undefined;
  const text = readIfThere(join(folder, `${name}.json`));
  if (text === undefined) return undefined;
  try {
    return recordSchema.parse(parseStrictJson(text));
  } catch {
    throw new TrustedDataError(
      "dataset_damaged",
      `The record of the dataset ${name} cannot be read: import the dataset again.`,
      { dataset: name },
    );
  }
}

export function readDatasets(folder: string): DatasetRecord[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .flatMap((file) => readDataset(folder, file.slice(0, -".json".length)) ?? []);
}

/** Puts the data file, complete and on disk at `path`, in the place of the dataset's former one; durable when it returns. */
export function commitDataset(folder: string, path: string, data: string, manifest: DatasetManifest): void {
  const former = readFormerData(folder, manifest.name);
  syncFile(path);
  renameSync(path, join(folder, data));
  const record = join(folder, `${manifest.name}.json`);
  const descriptor = openSync(`${record}.new`, "w", 0o600);
  writeSync(descriptor, `${JSON.stringify({ version: "itd-dataset/1", data, manifest }, null, 2)}\n`);
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(`${record}.new`, record);
  syncFile(folder);
  // Queries that run on it keep it open; what cannot be removed now is removed at the next opening.
  if (former !== undefined) removeQuietly(join(folder, former));
}

/** Removes what interrupted imports left behind; what belongs to an import that runs, here or in another process, stays. */
export function removeLeftOvers(folder: string): void {
  const files = readdirSync(folder);
  const running = files.filter((file) => workFolderPattern.test(file) && isRunning(join(folder, file)));
  const named = new Set(files.map((file) => dataNamedBy(folder, file)));
  for (const file of files) {
    const ofImport = file.endsWith(".json.new") || (dataFilePattern.test(file) && !named.has(file));
    const ofDead = workFolderPattern.test(file) && !running.includes(file);
    if (ofDead || (ofImport && running.length === 0)) removeQuietly(join(folder, file));
  }
}

const workFolderPattern = /^import-([0-9]+)-/;
/** Of imports of this process, as its number may be that of a process that is gone. */
const ownWorkFolders = new Set<string>();

/** A new folder for one import, named after its process. */
export function createWorkFolder(folder: string): string {
  const path = mkdtempSync(join(folder, `import-${process.pid}-`));
  ownWorkFolders.add(path);
  return path;
}

export function removeWorkFolder(path: string): void {
  ownWorkFolders.delete(path);
  removeQuietly(path);
}

function isRunning(workFolder: string): boolean {
  const owner = Number(workFolderPattern.exec(basename(workFolder))![1]);
  if (owner === process.pid) return ownWorkFolders.has(workFolder);
  try {
    process.kill(owner, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A damaged record keeps its data: nothing is removed that somebody could still want to save. */
function dataNamedBy(folder: string, file: string): string | undefined {
  if (!file.endsWith(".json")) return undefined;
  return /"data": "([^"]+)"/.exec(readFileSync(join(folder, file), "utf8"))?.[1];
}

function readFormerData(folder: string, name: string): string | undefined {
  try {
    return readDataset(folder, name)?.data;
  } catch {
    return undefined;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function syncFile(path: string): void {
  const descriptor = openSync(path, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Tried again at the next opening.
  }
}
