/** The five contracts as the adapter calls them: interfaces, addresses, and their refusals in words. */
import { type ErrorDescription, Interface, type ParamType } from "ethers";
import { TrustedDataError } from "../../errors.ts";
import type { Deployment } from "../../ledger/deployment.ts";
import { type Hex, hexPattern } from "../../primitives/hex.ts";
import {
  algorithmRegistryAbi,
  auditAnchorAbi,
  repositoryDirectoryAbi,
  trustCouncilAbi,
  trustFrameworkAbi,
} from "./generated/abis.ts";
import type { RpcError } from "./json-rpc.ts";
import { decodeWord } from "./words.ts";

export type ContractName = keyof Deployment["contracts"];

export const interfaces: Record<ContractName, Interface> = {
  trustCouncil: new Interface(trustCouncilAbi),
  trustFramework: new Interface(trustFrameworkAbi),
  algorithmRegistry: new Interface(algorithmRegistryAbi),
  repositoryDirectory: new Interface(repositoryDirectoryAbi),
  auditAnchor: new Interface(auditAnchorAbi),
};

/** Parameters of type bytes32 with these names hold short names; all others hold hashes. */
const wordNames = new Set([
  "role",
  "frameworkId",
  "from",
  "to",
  "jurisdiction",
  "controlGroup",
  "oldGroup",
  "newGroup",
  "current",
  "given",
  "levels",
  "dataClasses",
  "dataClass",
  "kind",
  "reason",
]);

/** The items of a list go by the list's name. */
export function isWord(type: ParamType, name = type.name): boolean {
  return type.baseType === "bytes32" && wordNames.has(name);
}

const proposalStates = ["none", "pending", "waiting", "ready", "executed", "expired"];

/** A refusal by a contract, or by the node in the contract's place, as one sentence. */
export function rejection(contract: ContractName, error: RpcError): TrustedDataError {
  const data = revertData(error.data);
  const description = data === undefined ? undefined : describe(contract, data);
  if (description === undefined) {
    return new TrustedDataError(
      "chain_rejected",
      `The chain refused a call to ${spaced(contract)}: ${error.message}.`,
      {
        contract,
        contractError: "",
        args: "{}",
      },
    );
  }
  const args = Object.fromEntries(
    description.fragment.inputs.map((input, i) => [input.name, argumentText(description, input, i)]),
  );
  const listed = Object.entries(args).map(([name, value]) => `${spaced(name)} ${value}`);
  const details = listed.length === 0 ? "" : ` (${listed.join(", ")})`;
  return new TrustedDataError(
    "chain_rejected",
    `The contract ${spaced(contract)} refused: ${spaced(description.name)}${details}.`,
    { contract, contractError: description.name, args: JSON.stringify(args) },
  );
}

/** The name of the contract's own error, undefined for any other failure. */
export function contractErrorOf(error: unknown): string | undefined {
  if (!(error instanceof TrustedDataError) || error.code !== "chain_rejected") return undefined;
  return error.fields.contractError;
}

/** The contract called, or one that it called, may have refused; both speak through the same bytes. */
function describe(contract: ContractName, data: Hex): ErrorDescription | undefined {
  for (const candidate of [interfaces[contract], ...Object.values(interfaces)]) {
    const description = candidate.parseError(data);
    if (description !== null) return description;
  }
  return undefined;
}

function argumentText({ name, args }: ErrorDescription, input: ParamType, index: number): string {
  const value: unknown = args[index];
  if (name === "UnexpectedProposalState" && input.name === "state") {
    return proposalStates[Number(value)] ?? String(value);
  }
  if (isWord(input)) return decodeWord(String(value));
  return input.baseType === "address" ? String(value).toLowerCase() : String(value);
}

/** Nodes put the bytes into `data`, or one or two levels deeper. */
function revertData(data: unknown, depth = 0): Hex | undefined {
  if (typeof data === "string") return hexPattern.test(data) && data.length >= 10 ? data : undefined;
  if (typeof data !== "object" || data === null || depth > 2) return undefined;
  for (const inner of Object.values(data)) {
    const found = typeof inner === "string" && inner.length === 66 ? undefined : revertData(inner, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** "AlreadyPublished" to "already published". */
function spaced(name: string): string {
  return name.replace(/[A-Z]+(?![a-z])|[A-Z]/g, (letters) => ` ${letters.toLowerCase()}`).trim();
}
