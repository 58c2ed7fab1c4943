/**
 * One JSON-RPC 2.0 endpoint over HTTP. Ethers' own provider retries for minutes and writes to the console when a node is down;
 * here a call is tried once, and what went wrong is data.
 */
import { type Agent, request } from "undici";

export interface RpcError {
  code: number;
  message: string;
  data: unknown;
}

/** What the endpoint said. An endpoint that said nothing usable makes `call` throw `NoAnswer`. */
export type RpcReply = { result: unknown; error?: never } | { result?: never; error: RpcError };

/** Another endpoint may do better. The message is a phrase without a subject. */
export class NoAnswer extends Error {}

/** As geth, Erigon, Nethermind, Besu and Hardhat say that a block is not there: this endpoint lags. */
const unknownBlock =
  /header not found|header for hash not found|unknown block|block not found|could not find block|missing trie node|invalid block tag|distance to target block exceeds/i;

export class RpcEndpoint {
  readonly #url: string;
  readonly #agent: Agent;
  /** Host and port only: paths and passwords of endpoints are secrets. */
  readonly name: string;

  constructor(url: string, agent: Agent) {
    this.#url = url;
    this.#agent = agent;
    this.name = new URL(url).host;
  }

  async call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<RpcReply> {
    const text = await this.#post(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }), signal);
    const reply = replyFrom(text);
    if (reply === undefined) throw new NoAnswer("does not speak JSON-RPC");
    if (reply.error !== undefined && unknownBlock.test(reply.error.message)) {
      throw new NoAnswer("does not have the block yet");
    }
    return reply;
  }

  async #post(body: string, signal: AbortSignal): Promise<string> {
    try {
      const response = await request(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal,
        dispatcher: this.#agent,
      });
      const text = await response.body.text();
      if (response.statusCode === 429 || response.statusCode >= 500) {
        // Some nodes send their JSON-RPC errors under status 500.
        if (replyFrom(text) === undefined) throw new NoAnswer(`answers with status ${response.statusCode}`);
      }
      return text;
    } catch (error) {
      if (error instanceof NoAnswer) throw error;
      throw new NoAnswer(signal.aborted ? "does not answer in time" : phraseFor(error));
    }
  }
}

function replyFrom(text: string): RpcReply | undefined {
  const reply = parsed(text);
  if (typeof reply !== "object" || reply === null) return undefined;
  if ("error" in reply && typeof reply.error === "object" && reply.error !== null) {
    const { code, message, data } = reply.error as Record<string, unknown>;
    return { error: { code: Number(code), message: String(message), data } };
  }
  return "result" in reply ? { result: reply.result } : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function phraseFor(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ECONNREFUSED") return "refuses the connection";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "has a name that is not known";
  return code === "" ? "breaks the connection" : `breaks the connection (${code})`;
}
