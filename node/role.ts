/** What `node.ts` gives to a role of the daemon, and what a role gives back to be served. */
import type { Logger } from "pino";
import type { ChainConnection } from "./adapters/ethereum/chain-connection.ts";
import type { EthereumLedger } from "./adapters/ethereum/ethereum-ledger.ts";
import type { EthereumSender } from "./adapters/ethereum/ethereum-sender.ts";
import type { HttpsPeerClient } from "./adapters/https/peer-client.ts";
import type { AccountKey } from "./adapters/keys/account-key.ts";
import type { StateDatabase } from "./adapters/sqlite/state-database.ts";
import type { Route } from "./api/route.ts";
import type { NodeConfig } from "./config.ts";
import type { TrustedDataError } from "./errors.ts";
import type { Deployment } from "./ledger/deployment.ts";
import type { Hex } from "./primitives/hex.ts";

/** What the roles share. */
export interface NodeParts {
  config: NodeConfig;
  deployment: Deployment;
  log: Logger;
  account: AccountKey;
  database: StateDatabase;
  chain: ChainConnection;
  ledger: EthereumLedger;
  sender: EthereumSender;
  peers: HttpsPeerClient;
  /** Logs what went wrong in a loop that goes on. */
  onProblem: (error: unknown) => void;
  /** Ends the node: its state or its key is not to be used any more. */
  onFatal: (error: TrustedDataError) => void;
}

export interface OwnPeer {
  endpoint: string;
  tlsFingerprint: Hex;
}

/** One role of the node, ready to be served. */
export interface Role {
  routes: Route[];
  notReadyReasons: () => { code: string; reason: string }[];
  /** Loops that run once the node is reachable; each ends when the signal aborts. */
  loops: ((own: OwnPeer, signal: AbortSignal) => Promise<void>)[];
  close: () => void;
}
