/**
 * Which files make up the datasets of a folder. `<name>.json` names the manifest and the data file that belong together, so that one rename
 * replaces both; the data file, `<name>.<16 hex digits>.duckdb`, is never changed once it is named.
 * Of two imports of one dataset at the same time, the one that ends last stays.
 */
import {
  closeSync,
  existsSync,
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
import { type DatasetRecord, dataFilePattern } from "./dataset-records.ts";

/** Puts the data file, complete and on disk at `path`, in the place of the dataset's former one; durable when it returns. */
export function commitDataset(folder: string, path: string, record: DatasetRecord): void {
  const { data, manifest } = record;
  const file = join(folder, `${manifest.name}.json`);
  // Also where the record is damaged otherwise.
  const former = existsSync(file) ? dataNamedBy(folder, `${manifest.name}.json`) : undefined;
  syncFile(path);
  renameSync(path, join(folder, data));
  const descriptor = openSync(`${file}.new`, "w", 0o600);
  writeSync(descriptor, `${JSON.stringify(record, null, 2)}\n`);
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(`${file}.new`, file);
  syncFile(folder);
  // Queries that run on it keep it open; what cannot be removed now is removed at the next opening.
  if (former !== undefined && dataFilePattern.exec(former)?.[1] === manifest.name)
    removeQuietly(join(folder, former));
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
