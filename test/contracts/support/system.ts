// The whole set of contracts, deployed afresh, with the few things that each test needs: a decision of the council carried
// through (propose, approve, wait, execute), a certification, a signed approval. No shortcuts past the rules.

import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type {
  BaseContract,
  ContractTransactionReceipt,
  ContractTransactionResponse,
  Interface,
} from "ethers";
import { encodeBytes32String as word } from "ethers";
import { network } from "hardhat";
import type {
  AlgorithmRegistry,
  AuditAnchor,
  RepositoryDirectory,
  TrustCouncil,
  TrustFramework,
} from "../../../types/ethers-contracts/index.js";

/** One simulated chain, always with the same clock, so that every figure repeats. */
export async function connect() {
  const override = { initialDate: "2030-01-01T00:00:00Z" };
  return await network.create({ network: "default", chainType: "l1", override });
}

export type Connection = Awaited<ReturnType<typeof connect>>;

export const DELAY_SECONDS = 3600;
export const THRESHOLD = 3;
export const EMERGENCY_QUORUM = 2;
export const REQUIRED_APPROVALS = 2;
export const FRAMEWORK_ID = word("framework-eu");
export const DATA_CLASS = word("wages");

/** Enum orders of the contracts. */
export const ProposalState = { None: 0n, Pending: 1n, Waiting: 2n, Ready: 3n, Executed: 4n, Expired: 5n };
export const MemberStatus = {
  None: 0n,
  NotYetValid: 1n,
  Active: 2n,
  Suspended: 3n,
  Expired: 4n,
  Revoked: 5n,
};
export const AlgorithmStatus = { None: 0n, Published: 1n, Approved: 2n, Revoked: 3n };

export interface System {
  members: HardhatEthersSigner[];
  outsiders: HardhatEthersSigner[];
  council: TrustCouncil;
  framework: TrustFramework;
  algorithms: AlgorithmRegistry;
  directory: RepositoryDirectory;
  anchor: AuditAnchor;
}

export interface Action {
  target: BaseContract;
  data: string;
  value?: bigint;
}

/** Deploys all five contracts; accounts 0 to 4 are the council, the rest are outsiders. */
export async function deploySystem({ ethers }: Connection): Promise<System> {
  const signers = await ethers.getSigners();
  const members = signers.slice(0, 5);
  const council = await ethers.deployContract("TrustCouncil", [
    members.map((m) => m.address),
    THRESHOLD,
    EMERGENCY_QUORUM,
    DELAY_SECONDS,
  ]);
  const framework = await ethers.deployContract("TrustFramework", [council]);
  const algorithms = await ethers.deployContract("AlgorithmRegistry", [
    framework,
    council,
    REQUIRED_APPROVALS,
  ]);
  const directory = await ethers.deployContract("RepositoryDirectory", [framework]);
  const anchor = await ethers.deployContract("AuditAnchor");
  return { members, outsiders: signers.slice(5), council, framework, algorithms, directory, anchor };
}

/** {@link deploySystem}, and a framework with three levels of assurance. */
export async function deployWithFramework(connection: Connection): Promise<System> {
  const system = await deploySystem(connection);
  await decide(connection, system, frameworkAction(system, FRAMEWORK_ID));
  return system;
}

/** The action that registers a framework with the levels low, substantial and high. */
export function frameworkAction({ framework }: System, id: string): Action {
  const rules = {
    rulesHash: word("rules"),
    rulesUri: "https://example.org/rules",
    jurisdiction: word("EU"),
    levels: [word("low"), word("substantial"), word("high")],
  };
  return {
    target: framework,
    data: framework.interface.encodeFunctionData("registerFramework", [id, rules]),
  };
}

/** The action that calls any function of the trust framework. */
export function frameworkCall({ framework }: System, name: string, ...args: unknown[]): Action {
  return { target: framework, data: (framework.interface as Interface).encodeFunctionData(name, args) };
}

let salts = 0;

/** Proposes with a fresh salt; gives the arguments, so that a test can propose the same again, and the id. */
export async function propose(system: System, actions: Action[], description = "a decision") {
  const targets = actions.map((a) => a.target);
  const values = actions.map((a) => a.value ?? 0n);
  const payloads = actions.map((a) => a.data);
  const args = [targets, values, payloads, word(`salt ${++salts}`), description] as const;
  const addresses = await Promise.all(targets.map((t) => t.getAddress()));
  const id = await system.council.hashProposal(addresses, values, payloads, args[3], description);
  await system.council.connect(system.members[0]!).propose(addresses, values, payloads, args[3], description);
  return { id, args: [addresses, values, payloads, args[3], description] as const };
}

/** Propose, approve by members 1 to THRESHOLD - 1: scheduled. */
export async function schedule(system: System, ...actions: Action[]): Promise<string> {
  const { id } = await propose(system, actions);
  for (let i = 1; i < THRESHOLD; ++i) await system.council.connect(system.members[i]!).approve(id);
  return id;
}

/** Carries actions through: scheduled, delay over, executed. */
export async function decide(
  { networkHelpers }: Connection,
  system: System,
  ...actions: Action[]
): Promise<ContractTransactionResponse> {
  const id = await schedule(system, ...actions);
  await networkHelpers.time.increase(DELAY_SECONDS);
  return await system.council["execute(bytes32)"](id);
}

export interface CertificationOptions {
  controlGroup: string;
  frameworkId?: string;
  maxGrade?: number;
  validFrom?: number;
  validUntil?: number;
  dataClasses?: string[];
}

export const YEAR_2040_SECONDS = Date.UTC(2040, 0) / 1000;

/** A complete certification; all but the control group has a default. */
export function certification(options: CertificationOptions) {
  return {
    frameworkId: options.frameworkId ?? FRAMEWORK_ID,
    jurisdiction: word("EU"),
    controlGroup: word(options.controlGroup),
    maxGrade: options.maxGrade ?? 2,
    validFrom: options.validFrom ?? 0,
    validUntil: options.validUntil ?? YEAR_2040_SECONDS,
    identityPolicyHash: word("identity policy"),
    securityPolicyHash: word("security policy"),
    privacyPolicyHash: word("privacy policy"),
    dataClasses: options.dataClasses ?? [],
  };
}

/** The action that certifies; vetters get DATA_CLASS unless told otherwise. */
export function certifyAction(
  { framework }: System,
  member: string,
  role: string,
  options: CertificationOptions,
): Action {
  const dataClasses = options.dataClasses ?? (role === "vetter" ? [DATA_CLASS] : []);
  const terms = certification({ ...options, dataClasses });
  return {
    target: framework,
    data: framework.interface.encodeFunctionData("certify", [member, word(role), terms]),
  };
}

/** Signs an approval as wallets do (EIP-712). */
export async function signApproval(
  { algorithms }: System,
  vetter: HardhatEthersSigner,
  algorithm: string,
  expires: number,
  reviewHash = word("review"),
): Promise<string> {
  const { chainId } = await vetter.provider!.getNetwork();
  const domain = {
    name: "AlgorithmRegistry",
    version: "1",
    chainId,
    verifyingContract: await algorithms.getAddress(),
  };
  const Approval = [
    { name: "algorithm", type: "bytes32" },
    { name: "vetter", type: "address" },
    { name: "expires", type: "uint48" },
    { name: "reviewHash", type: "bytes32" },
  ];
  return await vetter.signTypedData(
    domain,
    { Approval },
    { algorithm, vetter: vetter.address, expires, reviewHash },
  );
}

/** Block number and time of a mined transaction: what the `...At` views are asked with. */
export async function momentOf(transaction: ContractTransactionResponse) {
  const receipt: ContractTransactionReceipt | null = await transaction.wait();
  const block = (await receipt!.getBlock())!;
  return { block: block.number, timestamp: block.timestamp, gasUsed: receipt!.gasUsed };
}
