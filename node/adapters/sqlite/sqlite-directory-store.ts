/** What a directory keeps (port DirectoryStore), in the node's state file. */
import type { DirectoryStore } from "../../data-sharing/ports.ts";
import type { Hex } from "../../primitives/hex.ts";
import type { StateDatabase } from "./state-database.ts";

export class SqliteDirectoryStore implements DirectoryStore {
  readonly #database: StateDatabase;

  constructor(database: StateDatabase) {
    this.#database = database;
  }

  saveDescription(repository: Hex, description: string): void {
    const upsert = `INSERT INTO descriptions (repository, description) VALUES (?, ?)
      ON CONFLICT DO UPDATE SET description = excluded.description`;
    this.#database.transaction(() => this.#database.run(upsert, repository, description));
  }

  /** By repository. */
  descriptions(): { repository: Hex; description: string }[] {
    return this.#database
      .all<{ repository: string; description: string }>(
        "SELECT repository, description FROM descriptions ORDER BY repository",
      )
      .map(({ repository, description }) => ({ repository, description }));
  }

  saveManifest(algorithm: Hex, text: string): void {
    const upsert =
      "INSERT INTO manifests (algorithm, text) VALUES (?, ?) ON CONFLICT DO UPDATE SET text = excluded.text";
    this.#database.transaction(() => this.#database.run(upsert, algorithm, text));
  }

  manifest(algorithm: Hex): string | undefined {
    return this.#database.get<{ text: string }>("SELECT text FROM manifests WHERE algorithm = ?", algorithm)
      ?.text;
  }
}
