/** Which people a data file of a dataset that needs consent does not have: for the custodian, who enrols them. */
import { DuckDBInstance } from "@duckdb/node-api";
import { lockedSettings } from "./data-instances.ts";
import { PersonNumbers } from "./person-numbers.ts";

/** A million people take a tenth of it. */
const memoryBytesMax = 1 << 30;

/** How many of the people, given by their hashes one after the other, have no row in the file. */
export async function countPeopleMissing(path: string, hashes: Uint8Array): Promise<number> {
  const instance = await DuckDBInstance.create(path, lockedSettings({ path, memoryBytesMax, threads: 2 }));
  const connection = await instance.connect();
  try {
    const numbers = await PersonNumbers.read(connection);
    return numbers.of(hashes).filter((number) => number === 0).length;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
