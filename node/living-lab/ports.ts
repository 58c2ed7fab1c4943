/** What the Living Lab needs from the outside: one party's view of the network, and its keys. `node/client.ts` provides it. */
import type {
  AlgorithmReader,
  AlgorithmWriter,
  DirectoryReader,
  PeerClient,
  Randomness,
} from "../data-sharing/ports.ts";
import type { AskedDataset, PresentedAnswer } from "../data-sharing/release/presented-answer.ts";
import type { Deployment } from "../ledger/deployment.ts";
import type { AnchorChain, Clock, Signer } from "../ledger/ports.ts";
import type {
  CouncilReader,
  CouncilWriter,
  FrameworkReader,
  MemberReader,
} from "../trust-framework/ports.ts";
import type { OrganisationId } from "./organisations.ts";

/** Readers need no key; `signer` and the writers open it when first used. */
export interface LabParty {
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
  signer(): Promise<Signer>;
  algorithmWriter(): Promise<AlgorithmWriter>;
  councilWriter(): Promise<CouncilWriter>;
}

export type LabParties = Readonly<Record<OrganisationId, LabParty>>;

/** Told of each step as it happens. */
export type Progress = (line: string) => void;

/** Where the lab's words go; the command line renders them. */
export interface LabOutput {
  /** Each step as it happens. */
  progress: Progress;
  /** A heading of the tour and the lines under it. */
  tell(heading: string, lines: readonly string[]): void;
  /** An answer, as table and chart; units are those that all of the asked datasets declare. */
  answer(title: string, presented: PresentedAnswer, asked: readonly AskedDataset[]): void;
  /** What machines read, once the tour is over. */
  document(document: unknown): void;
}
