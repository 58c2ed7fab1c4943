/**
 * The JSON-RPC methods of the local chain (ethereum.github.io/execution-apis): those of a public endpoint, none of the
 * simulator's own, with which anyone could set balances, time or code. Errors have the form of geth's, as clients expect.
 */
import { TrustedDataError } from "../../errors.ts";
import { hexPattern } from "../../primitives/hex.ts";
import type { DurableChain } from "./durable-chain.ts";

export interface RpcError {
  code: number;
  message: string;
  /** What a reverted call returned. */
  data?: string;
}

const readingMethods: ReadonlySet<string> = new Set([
  "eth_blockNumber",
  "eth_call",
  "eth_chainId",
  "eth_estimateGas",
  "eth_feeHistory",
  "eth_gasPrice",
  "eth_getBalance",
  "eth_getBlockByHash",
  "eth_getBlockByNumber",
  "eth_getCode",
  "eth_getLogs",
  "eth_getStorageAt",
  "eth_getTransactionByHash",
  "eth_getTransactionCount",
  "eth_getTransactionReceipt",
  "eth_maxPriorityFeePerGas",
  "net_version",
  "web3_clientVersion",
]);

/** Answers one call, or throws what `rpcErrorOf` understands. */
export async function callMethod(
  chain: DurableChain,
  method: string,
  params: readonly unknown[],
): Promise<unknown> {
  if (readingMethods.has(method)) return chain.read(method, params);
  if (method === "eth_accounts") return [];
  if (method !== "eth_sendRawTransaction")
    throw new RpcFailure(-32601, `The method ${method.slice(0, 64)} does not exist or is not available.`);
  const [transaction] = params;
  if (typeof transaction !== "string" || !hexPattern.test(transaction.toLowerCase()) || params.length !== 1)
    throw new RpcFailure(-32602, "eth_sendRawTransaction takes one signed transaction in hexadecimal.");
  return chain.send(transaction.toLowerCase());
}

/** A JSON-RPC failure with its code. */
export class RpcFailure extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export function rpcErrorOf(error: unknown): RpcError {
  if (error instanceof RpcFailure) return { code: error.code, message: error.message };
  if (error instanceof TrustedDataError) return { code: -32603, message: error.message };
  if (!(error instanceof Error)) return { code: -32603, message: "The local chain failed." };
  const data = revertData(error);
  if (data !== undefined) return { code: 3, message: "execution reverted", data };
  const code = "code" in error && Number.isInteger(error.code) ? Number(error.code) : -32603;
  return { code, message: error.message };
}

/** The simulator puts it at `data.data`. Undefined for failures that are no revert. */
function revertData(error: Error): string | undefined {
  if (!("data" in error) || !/revert/i.test(error.message)) return undefined;
  const { data } = error;
  const inner = typeof data === "object" && data !== null && "data" in data ? data.data : data;
  return typeof inner === "string" && hexPattern.test(inner) ? inner : undefined;
}
