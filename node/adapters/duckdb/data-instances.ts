/**
 * DuckDB instances over data files, each used by one query at a time so that limits are the query's own, and kept for the next as opening
 * costs. An instance can read its data file and nothing else: no other file, no network, no extension, no disk for large work, and no
 * statement can change that.
 */
import { DuckDBInstance } from "@duckdb/node-api";

export interface InstanceSettings {
  path: string;
  memoryBytesMax: number;
  threads: number;
}

export class DataInstances {
  /** The most recently used last. */
  #idle: { key: string; instance: DuckDBInstance }[] = [];
  readonly #idleMax: number;

  constructor(idleMax: number) {
    this.#idleMax = idleMax;
  }

  async use<T>(settings: InstanceSettings, work: (instance: DuckDBInstance) => Promise<T>): Promise<T> {
    const key = JSON.stringify([settings.path, settings.memoryBytesMax, settings.threads]);
    const kept = this.#idle.findLastIndex((one) => one.key === key);
    const instance = kept < 0 ? await openLocked(settings) : this.#idle.splice(kept, 1)[0]!.instance;
    try {
      const answer = await work(instance);
      this.#idle.push({ key, instance });
      while (this.#idle.length > this.#idleMax) this.#idle.shift()!.instance.closeSync();
      return answer;
    } catch (error) {
      // An instance on which something failed is not used again.
      instance.closeSync();
      throw error;
    }
  }

  /** Lets go of files that were replaced. */
  dropOthers(isCurrent: (path: string) => boolean): void {
    const others = this.#idle.filter((one) => !isCurrent(pathOf(one.key)));
    this.#idle = this.#idle.filter((one) => !others.includes(one));
    for (const { instance } of others) instance.closeSync();
  }
}

function pathOf(key: string): string {
  return (JSON.parse(key) as [string])[0];
}

async function openLocked(settings: InstanceSettings): Promise<DuckDBInstance> {
  return await DuckDBInstance.create(settings.path, lockedSettings(settings));
}

/** The order matters: the directory cannot be set once external access is off, and nothing once the configuration is locked. */
export function lockedSettings({ memoryBytesMax, threads }: InstanceSettings): Record<string, string> {
  return {
    access_mode: "READ_ONLY",
    temp_directory: "",
    max_temp_directory_size: "0B",
    memory_limit: `${Math.max(1, Math.floor(memoryBytesMax / 1024))}KiB`,
    threads: String(threads),
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    allow_community_extensions: "false",
    enable_external_access: "false",
    lock_configuration: "true",
  };
}
