/**
 * JSON-RPC 2.0 (jsonrpc.org/specification) over HTTP on 127.0.0.1, with batches, limits and timeouts.
 *
 * Only programs of this machine are served: a web page is refused by its host name or content type, so that it can
 * neither send nor read here, even when its name is made to point at 127.0.0.1.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { TrustedDataError } from "../../errors.ts";
import type { Json } from "../../primitives/strict-json.ts";
import { parseStrictJson } from "../../primitives/strict-json.ts";
import type { RpcError } from "./rpc-methods.ts";
import { RpcFailure, rpcErrorOf } from "./rpc-methods.ts";

/** Eight of the largest transactions that Ethereum's clients accept (128 KiB). */
const bodyBytesMax = 1024 * 1024;
/** ethers sends at most 100 together. */
const batchMax = 256;
/** Far more than the daemons of one machine open. */
const connectionsMax = 256;
/** Node's own would hold a slow connection for minutes. */
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
/** For clients that do not read their answer; longer than any call takes. */
const silenceTimeoutMs = 60_000;
/** How long closing waits for answers to be taken. */
const closeTimeoutMs = 2_000;

type Answer = { jsonrpc: "2.0"; id: Json } & ({ result: unknown } | { error: RpcError });
type Handler = (method: string, params: readonly unknown[]) => Promise<unknown>;

/**
 * Serves `handler` until closed. Port 0 takes a free one.
 * @throws TrustedDataError `port_in_use`
 */
export async function serveRpc(
  port: number,
  handler: Handler,
): Promise<{ url: string; close(): Promise<void> }> {
  const active = new Set<Promise<void>>();
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => {
      const work = serveRequest(request, response, handler).finally(() => active.delete(work));
      active.add(work);
    },
  );
  server.maxConnections = connectionsMax;
  server.timeout = silenceTimeoutMs;
  await listen(server, port);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await Promise.race([Promise.all(active), sleep(closeTimeoutMs, undefined, { ref: false })]);
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") return reject(error);
      reject(
        new TrustedDataError(
          "port_in_use",
          `Port ${port} is taken: stop what listens there, or choose another port.`,
          { port: String(port) },
        ),
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
}

/** Never rejects: whoever has gone away gets no answer. */
async function serveRequest(
  request: IncomingMessage,
  response: ServerResponse,
  handler: Handler,
): Promise<void> {
  const refusal = refusalOf(request);
  if (refusal !== undefined) return end(response, refusal, failure(null, new RpcFailure(-32600, "Refused.")));
  const body = await readBody(request).catch(() => undefined);
  if (body === undefined) return end(response, 413, failure(null, new RpcFailure(-32600, "Too large.")));
  const answer = await answerBody(body, handler);
  return answer === undefined ? end(response, 204) : end(response, 200, answer);
}

/** The HTTP status with which a request is refused before it is read. */
function refusalOf({ method, headers }: IncomingMessage): number | undefined {
  const hostname = headers.host?.replace(/:\d+$/, "");
  if (hostname !== "127.0.0.1" && hostname !== "localhost") return 403;
  if (method !== "POST") return 405;
  if (!/^application\/json\b/i.test(headers["content-type"] ?? "")) return 415;
  return Number(headers["content-length"] ?? 0) > bodyBytesMax ? 413 : undefined;
}

/** Undefined when the body is larger than allowed; rejects when the client goes away. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > bodyBytesMax) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Undefined when nothing is to be answered: all of it were notifications. */
async function answerBody(body: string, handler: Handler): Promise<Answer | Answer[] | undefined> {
  let message: Json;
  try {
    message = parseStrictJson(body);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "The body is not JSON.";
    return failure(null, new RpcFailure(-32700, reason));
  }
  if (!Array.isArray(message)) return answerCall(message, handler);
  if (message.length === 0 || message.length > batchMax)
    return failure(null, new RpcFailure(-32600, `A batch has 1 to ${batchMax} calls.`));
  const answers = await Promise.all(message.map((call) => answerCall(call, handler)));
  const wanted = answers.filter((answer) => answer !== undefined);
  return wanted.length === 0 ? undefined : wanted;
}

async function answerCall(call: Json, handler: Handler): Promise<Answer | undefined> {
  if (typeof call !== "object" || call === null || Array.isArray(call) || typeof call.method !== "string")
    return failure(null, new RpcFailure(-32600, "A call is an object with a method."));
  const { id, method, params = [] } = call;
  let answer: Answer;
  try {
    if (!Array.isArray(params)) throw new RpcFailure(-32602, "Parameters are given as an array.");
    answer = { jsonrpc: "2.0", id: id ?? null, result: await handler(method, params) };
  } catch (error) {
    answer = failure(id ?? null, error);
  }
  return id === undefined ? undefined : answer;
}

function failure(id: Json, error: unknown): Answer {
  return { jsonrpc: "2.0", id, error: rpcErrorOf(error) };
}

/** Resolves when the answer is handed to the system, or the client has gone. */
async function end(response: ServerResponse, status: number, body?: unknown): Promise<void> {
  // It went while its call ran: nothing will tell of it any more.
  if (response.destroyed) return;
  const finished = new Promise<void>((resolve) => response.once("close", resolve));
  if (status >= 400) response.shouldKeepAlive = false;
  response.writeHead(status, body === undefined ? {} : { "content-type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
  await finished;
}
