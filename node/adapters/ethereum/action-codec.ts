/**
 * The council's actions as the contracts' calls, and back. Driven by the interfaces, so that every call of theirs can be read; a
 * payload counts as read only if encoding what was read gives the same bytes.
 */
import type { FunctionFragment, ParamType } from "ethers";
import { TrustedDataError } from "../../errors.ts";
import type { Deployment } from "../../ledger/deployment.ts";
import type { Hex } from "../../primitives/hex.ts";
import type {
  ActionArgument,
  CouncilAction,
  GovernedContract,
} from "../../trust-framework/council-action.ts";
import { type ContractName, interfaces, isWord } from "./contracts.ts";
import { decodeWord, encodeWord } from "./words.ts";

const contractNames: Record<GovernedContract, ContractName> = {
  "trust-framework": "trustFramework",
  "trust-council": "trustCouncil",
  "algorithm-registry": "algorithmRegistry",
};

export interface EncodedAction {
  target: Hex;
  payload: Hex;
}

/** @throws TrustedDataError `parameter_invalid` if there is no such function, or the arguments do not fit it. */
export function encodeAction(deployment: Deployment, action: CouncilAction): EncodedAction {
  const contract = contractNames[action.contract];
  const fragment = functionOf(contract, action.function);
  if (fragment === undefined || fragment.inputs.length !== action.args.length) {
    throw new TrustedDataError(
      "parameter_invalid",
      `The contract ${action.contract} has no function ${action.function} with ${action.args.length} arguments.`,
      { contract: action.contract, function: action.function },
    );
  }
  try {
    const args = fragment.inputs.map((input, i) => encoded(input, action.args[i]!));
    return {
      target: deployment.contracts[contract],
      payload: interfaces[contract].encodeFunctionData(fragment, args),
    };
  } catch (error) {
    if (error instanceof TrustedDataError) throw error;
    throw new TrustedDataError(
      "parameter_invalid",
      `The arguments of ${action.function} do not fit: it takes ${fragment.inputs.map((i) => i.format("full")).join(", ")}.`,
      { contract: action.contract, function: action.function },
    );
  }
}

/** Undefined if it is no call of a governed contract, or not written as such calls are. */
export function decodeAction(
  deployment: Deployment,
  { target, payload }: EncodedAction,
): CouncilAction | undefined {
  for (const [contract, name] of Object.entries(contractNames) as [GovernedContract, ContractName][]) {
    if (deployment.contracts[name] !== target) continue;
    try {
      const call = interfaces[name].parseTransaction({ data: payload });
      if (call === null) return undefined;
      const args = call.fragment.inputs.map((input, i) => decoded(input, call.args[i]));
      const action = { contract, function: call.name, args };
      return encodeAction(deployment, action).payload === payload ? action : undefined;
    } catch {
      return undefined;
    }
  }
  return undefined;
}

function functionOf(contract: ContractName, name: string): FunctionFragment | undefined {
  const fragments = interfaces[contract].fragments.filter((f) => f.type === "function") as FunctionFragment[];
  const named = fragments.filter((fragment) => fragment.name === name);
  return named.length === 1 ? named[0] : undefined;
}

function encoded(type: ParamType, value: ActionArgument, name = type.name): unknown {
  if (type.isArray())
    return (value as ActionArgument[]).map((item) => encoded(type.arrayChildren, item, name));
  if (type.isTuple()) {
    const fields = value as { [field: string]: ActionArgument };
    return type.components.map((component) => encoded(component, fields[component.name]!));
  }
  return isWord(type, name) ? encodeWord(String(value)) : value;
}

function decoded(type: ParamType, value: unknown, name = type.name): ActionArgument {
  if (type.isArray()) return [...(value as unknown[])].map((item) => decoded(type.arrayChildren, item, name));
  if (type.isTuple()) {
    const fields = value as unknown[];
    return Object.fromEntries(
      type.components.map((component, i) => [component.name, decoded(component, fields[i])]),
    );
  }
  if (isWord(type, name)) return decodeWord(String(value));
  if (typeof value === "bigint") return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString();
  return type.baseType === "address" ? String(value).toLowerCase() : String(value);
}
