/**
 * Copies of the data files of datasets that need consent, in which people-filter.ts keeps who takes part. A copy is a cache: made when it is first
 * needed, given up with its file or after any failure, never read by another process, and removed when its process is gone. One plan at
 * a time works on a copy, so that limits are the plan's own. Like every instance here it can read no other file and no network.
 */
import { constants, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { chmod, copyFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import type { PeopleFilter } from "../../data-sharing/ports.ts";
import { KeyedLock } from "../../primitives/keyed-lock.ts";
import { type InstanceSettings, lockedSettings } from "./data-instances.ts";
import { FilteredTables } from "./people-filter.ts";

interface Copy {
  folder: string;
  memoryBytesMax: number;
  instance: DuckDBInstance;
  connection: DuckDBConnection;
  tables: FilteredTables;
}

const folderPattern = /^consenting-([0-9]+)-/;
/** Of this process: its number may have been that of one that is gone. */
const ownFolders = new Set<string>();

export class ConsentCopies {
  /** By the data file's path; the most recently used last. */
  readonly #copies = new Map<string, Copy>();
  readonly #locks = new KeyedLock();
  readonly #copiesMax: number;

  /** @param folder Of the data files, where processes that were killed may have left copies. */
  constructor(folder: string, copiesMax: number) {
    this.#copiesMax = copiesMax;
    removeOrphans(folder);
  }

  /** `views` are to be made by the connection that runs the plan. */
  async use<T>(
    settings: InstanceSettings,
    people: PeopleFilter,
    work: (instance: DuckDBInstance, views: readonly string[]) => Promise<T>,
  ): Promise<T> {
    const { path } = settings;
    return await this.#locks.run(path, async () => {
      const known = this.#copies.get(path);
      if (known !== undefined && known.memoryBytesMax !== settings.memoryBytesMax) this.#remove(path);
      const copy = this.#copies.get(path) ?? (await makeCopy(settings));
      this.#copies.delete(path);
      this.#copies.set(path, copy);
      try {
        return await work(copy.instance, await copy.tables.upToDate(people));
      } catch (error) {
        this.#remove(path);
        throw error;
      } finally {
        this.#dropOldest();
      }
    });
  }

  /** Gives up copies of files that were replaced, each after the plan that works on it. */
  dropOthers(isCurrent: (path: string) => boolean): void {
    for (const path of this.#copies.keys()) if (!isCurrent(path)) this.#removeLater(path);
  }

  #dropOldest(): void {
    const [oldest] = this.#copies.keys();
    if (this.#copies.size > this.#copiesMax) this.#removeLater(oldest!);
  }

  #removeLater(path: string): void {
    void this.#locks.run(path, async () => this.#remove(path));
  }

  #remove(path: string): void {
    const copy = this.#copies.get(path);
    this.#copies.delete(path);
    if (copy !== undefined) dispose(copy);
  }
}

async function makeCopy(settings: InstanceSettings): Promise<Copy> {
  const parent = dirname(settings.path);
  removeOrphans(parent);
  const folder = mkdtempSync(join(parent, `consenting-${process.pid}-`));
  ownFolders.add(folder);
  let instance: DuckDBInstance | undefined;
  try {
    const path = join(folder, "data.duckdb");
    // Where the file system can, the blocks are shared until they change.
    await copyFile(settings.path, path, constants.COPYFILE_FICLONE);
    await chmod(path, 0o600);
    instance = await DuckDBInstance.create(path, {
      ...lockedSettings({ ...settings, path }),
      access_mode: "READ_WRITE",
    });
    const connection = await instance.connect();
    const tables = await FilteredTables.prepare(connection);
    return { folder, memoryBytesMax: settings.memoryBytesMax, instance, connection, tables };
  } catch (error) {
    instance?.closeSync();
    removeFolder(folder);
    throw error;
  }
}

function dispose({ folder, connection, instance }: Copy): void {
  connection.closeSync();
  instance.closeSync();
  removeFolder(folder);
}

function removeFolder(folder: string): void {
  ownFolders.delete(folder);
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Tried again with the next copy.
  }
}

/** What processes left that were killed. */
function removeOrphans(parent: string): void {
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    const folder = join(parent, name);
    if (folderPattern.test(name) && !isInUse(folder)) removeFolder(folder);
  }
}

function isInUse(folder: string): boolean {
  const owner = Number(folderPattern.exec(basename(folder))![1]);
  if (owner === process.pid) return ownFolders.has(folder);
  try {
    process.kill(owner, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
