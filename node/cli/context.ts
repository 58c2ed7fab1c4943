/** What the commands are given by `main.ts`: everything outside is reached through these, so that `cli` knows nouns and no adapters. */

import type { ConsentArchive, EnrolmentCheck, EnrolmentStore } from "../data-sharing/consent/ports.ts";
import type { DatasetManifest } from "../data-sharing/manifests/dataset-manifest.ts";
import type { DatasetStore } from "../data-sharing/ports.ts";
import type { LabOutput, LabParty } from "../living-lab/ports.ts";
import type { Hex } from "../primitives/hex.ts";
import type { IncidentWriter } from "../trust-framework/ports.ts";

/** How a command finds its network and its account. */
export interface ClientOptions {
  /** Folder of a Living Lab (its `client.yaml` files are used); default `.itd/lab` in the working directory. */
  state?: string;
  /** Organisation of the lab in whose name the command acts; default the querier. */
  as?: string;
  /** A client configuration outside of a lab. */
  client?: string;
}

/** One party's view of the network, its keys, and what makes it readable. */
export interface Client extends LabParty {
  /** The party, as shown to people. */
  name: string;
  /** Where receipts go unless a command names a file. */
  receiptsFolder: string;
  /** The party's own consent receipts. */
  consents: ConsentArchive;
  incidentWriter(): Promise<IncidentWriter>;
  /** The names by which people know accounts (a lab's organisations), lower-case address to name. */
  names: ReadonlyMap<Hex, string>;
  /** What else may be typed for an account: a lab's organisation ids. */
  ids: ReadonlyMap<string, Hex>;
  close(): Promise<void>;
}

/** The custodian's side on this machine: the datasets of one node's state folder. */
export interface Custody {
  datasets: DatasetStore & EnrolmentCheck;
  /** Whether the rows of the dataset of this name lie in a database, and not in the node's own file. */
  isInDatabase(name: string): boolean;
  /** Datasets that are not offered, and why. */
  damaged(): { dataset: string; message: string }[];
  /** Whose node it is, as shown to people. */
  name: string;
  /** Where the node keeps its data; what is proposed is written beside it. */
  folder: string;
  propose(file: string, person: string): Promise<{ manifest: DatasetManifest; warnings: string[] }>;
  enrolments: EnrolmentStore;
  /** A list of many people. @throws TrustedDataError `file_unreadable` */
  readText(file: string): Promise<string>;
  /** The keyed hash under which the repository knows a person of a dataset. */
  personHash(dataset: string): Promise<(person: string) => Uint8Array>;
  /** What the running daemon last counted; undefined if it never did. */
  consentCounts(): ConsentCounts | undefined;
  close(): Promise<void>;
}

/** Exact, so for the custodian alone. */
export interface ConsentCounts {
  timeS: number;
  datasets: Readonly<Record<string, { enrolled: number; consenting: Readonly<Record<string, number>> }>>;
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
  /** Whether stderr is a terminal, so that progress bars make sense. */
  isInteractive: boolean;
  /** Whether stdout is a terminal and nobody asked for no colours. */
  hasColour: boolean;
  columns: number;
  /** @throws TrustedDataError `file_unreadable`. */
  readFile(path: string): Promise<string>;
  /** Whole or not at all; folders are made. @throws TrustedDataError `file_unwritable`. */
  writeFile(path: string, text: string): Promise<void>;
}

export interface Context {
  version: string;
  terminal: Terminal;
  openClient(options: ClientOptions): Promise<Client>;
  openCustody(options: ClientOptions & { config?: string }): Promise<Custody>;
  /** Runs a daemon until it is told to stop. Without a file, all settings come from the environment. */
  runNode(configFile: string | undefined): Promise<void>;
  /** Where the lab of these options keeps its state. */
  labState(options: ClientOptions): string;
  /** Runs the Living Lab; resolves after the tour with `once`, else when it is told to stop. */
  runLab(options: LabOptions, output: LabOutput): Promise<void>;
}
