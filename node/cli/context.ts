/** What the commands are given by `main.ts`: everything outside is reached through these, so that `cli` knows nouns and no adapters. */
import type { Deployment } from "../ledger/deployment.ts";
import type { AnchorChain, Clock, Signer } from "../ledger/ports.ts";
import type { Hex } from "../primitives/hex.ts";
import type {
  AlgorithmReader,
  AlgorithmWriter,
  DatasetStore,
  DirectoryReader,
  PeerClient,
  Randomness,
} from "../data-sharing/ports.ts";
import type { DatasetManifest } from "../data-sharing/manifests/dataset-manifest.ts";
import type { CouncilReader, CouncilWriter, FrameworkReader, MemberReader } from "../trust-framework/ports.ts";

/** How a command finds its network and its account. */
export interface ClientOptions {
  /** Folder of a Living Lab (its `client.yaml` files are used); default `.itd/lab` in the working directory. */
  state?: string;
  /** Organisation of the lab in whose name the command acts; default the querier. */
  as?: string;
  /** A client configuration outside of a lab. */
  client?: string;
}

/** One party's view of the network. Readers need no key; `signer` and the writers open it when first used. */
export interface Client {
  deployment: Deployment;
  chain: AnchorChain;
  members: MemberReader;
  framework: FrameworkReader;
  council: CouncilReader;
  algorithms: AlgorithmReader;
  directory: DirectoryReader;
  peers: PeerClient;
  clock: Clock;
  randomness: Randomness;
  /** Where receipts go unless a command names a file. */
  receiptsFolder: string;
  signer(): Promise<Signer>;
  algorithmWriter(): Promise<AlgorithmWriter>;
  councilWriter(): Promise<CouncilWriter>;
  /** The names by which people know accounts (a lab's organisations), lower-case address to name. */
  names: ReadonlyMap<Hex, string>;
  close(): Promise<void>;
}

/** The custodian's side on this machine: the datasets of one node's state folder. */
export interface Custody {
  datasets: DatasetStore;
  propose(file: string, person: string): Promise<{ manifest: DatasetManifest; warnings: string[] }>;
  close(): Promise<void>;
}

export interface LabOptions {
  state: string;
  once: boolean;
  fresh: boolean;
  people: number;
  data?: string;
}

/** Where a command's words go: documents to stdout, everything else to stderr. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Whether stderr is a terminal, so that progress bars and colours make sense. */
  isInteractive: boolean;
  columns: number;
  readFile(path: string): Promise<string>;
  writeFile(path: string, text: string): Promise<void>;
}

export interface Context {
  terminal: Terminal;
  openClient(options: ClientOptions): Promise<Client>;
  openCustody(options: ClientOptions & { config?: string }): Promise<Custody>;
  /** Runs a daemon until it is told to stop. */
  runNode(configFile: string): Promise<void>;
  /** Runs the Living Lab; resolves with its document after `--once`, or when it is told to stop. */
  runLab(options: LabOptions, progress: (line: string) => void): Promise<unknown>;
}

