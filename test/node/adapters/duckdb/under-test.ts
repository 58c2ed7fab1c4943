/** The DuckDB store and engine over one new folder. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DatasetStoreOptions,
  openDatasetStore,
} from "../../../../node/adapters/duckdb/duckdb-dataset-store.ts";
import { DuckDbEngine, type DuckDbEngineOptions } from "../../../../node/adapters/duckdb/duckdb-engine.ts";
import { SystemRandomness } from "../../../../node/adapters/system-randomness.ts";
import type { DataUnderTest } from "../../../ports/data-files.ts";

export interface DuckDbUnderTest extends DataUnderTest {
  folder: string;
  failures: string[];
}

export function duckDbUnderTest(
  store: Partial<DatasetStoreOptions> = {},
  engine: Partial<DuckDbEngineOptions> = {},
): DuckDbUnderTest {
  const root = mkdtempSync(join(tmpdir(), "itd-duckdb-"));
  const [folder, inbox] = [join(root, "it's [a] folder"), join(root, "inbox")];
  mkdirSync(inbox);
  const failures: string[] = [];
  const opened = new DuckDbEngine({ folder, onFailure: (detail) => failures.push(detail), ...engine });
  return {
    store: openDatasetStore({ folder, randomness: new SystemRandomness(), ...store }),
    engine: opened,
    folder,
    inbox,
    failures,
    listing: () => readdirSync(folder).sort(),
    dispose: () => {
      opened.close();
      rmSync(root, { recursive: true });
    },
  };
}
