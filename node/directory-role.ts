/** A directory as the daemon runs it: its entry on the chain, what it keeps, and what it gives to anyone. */
import { EthereumAlgorithms } from "./adapters/ethereum/ethereum-algorithms.ts";
import { EthereumDirectory } from "./adapters/ethereum/ethereum-directory.ts";
import { EthereumDirectoryWriter } from "./adapters/ethereum/ethereum-directory-writer.ts";
import { SqliteDirectoryStore } from "./adapters/sqlite/sqlite-directory-store.ts";
import { systemClock } from "./adapters/system-clock.ts";
import { directoryRoutes } from "./api/directory.ts";
import { Directory, type DirectoryDescription } from "./data-sharing/directory.ts";
import { retryDelayMs } from "./data-sharing/publish-catalogue.ts";
import { canonicalHash } from "./primitives/canonical-json.ts";
import type { NodeParts, OwnPeer, Role } from "./role.ts";

/** The entry is compared with the chain again after this. */
const entryCheckMs = 60_000;

export function joinDirectory({
  config,
  deployment,
  account,
  database,
  chain,
  sender,
  onProblem,
}: NodeParts): Role {
  const description: DirectoryDescription = {
    version: "itd-directory/1",
    directory: account.signer.address,
    name: config.name,
  };
  const writer = new EthereumDirectoryWriter({ chain, sender });
  let isPublished = false;
  const keepEntry = async ({ endpoint, tlsFingerprint }: OwnPeer, signal: AbortSignal) => {
    for (let failures = 0; !signal.aborted; ) {
      try {
        await writer.setEntry("directory", endpoint, tlsFingerprint, canonicalHash(description));
        isPublished = true;
        failures = 0;
      } catch (error) {
        onProblem(error);
        failures++;
      }
      const waitMs = failures === 0 ? entryCheckMs : retryDelayMs(failures);
      await systemClock.sleep(waitMs, signal).catch(() => undefined);
    }
  };
  const directory = new Directory({
    deployment,
    clock: systemClock,
    directory: new EthereumDirectory(chain),
    algorithms: new EthereumAlgorithms(chain),
    store: new SqliteDirectoryStore(database),
  });
  return {
    routes: directoryRoutes(directory, description),
    notReadyReasons: () => {
      const reason =
        "The directory's entry is not on the chain; is it certified, and does its account hold ether?";
      return isPublished ? [] : [{ code: "not_ready", reason }];
    },
    loops: [keepEntry],
    close: () => undefined,
  };
}
