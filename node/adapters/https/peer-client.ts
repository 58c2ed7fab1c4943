/**
 * Repositories and directories as a client sees them (port PeerClient). A peer is never believed further than its certificate: answers are
 * bounded in size and time, parsed strictly, and every error names the endpoint it came from.
 */
import { type Dispatcher, request } from "undici";
import { z } from "zod";
import type { SignedConsent } from "../../data-sharing/consent/consent-receipt.ts";
import type { Peer, PeerClient, WireReply } from "../../data-sharing/ports.ts";
import type { SignedRequest } from "../../data-sharing/question-request.ts";
import { type ErrorCode, errorStatus, TrustedDataError } from "../../errors.ts";
import { canonicalJson } from "../../primitives/canonical-json.ts";
import type { Hex } from "../../primitives/hex.ts";
import { parseStrictJson } from "../../primitives/strict-json.ts";
import { PinnedConnections } from "./pinned-connections.ts";

export interface PeerClientOptions {
  /** For everything but answers to questions. */
  timeoutMs: number;
  /** An answer takes as long as the peer's engine may. */
  questionTimeoutMs: number;
}

const mebibyte = 1024 * 1024;
/** The largest answers: of a question, of a search, and of everything else. */
const replyBytesMax = 8 * mebibyte;
const searchBytesMax = 16 * mebibyte;
const documentBytesMax = 2 * mebibyte;

const problemSchema = z.object({
  code: z.string().max(64),
  detail: z.string().max(2_000),
  fields: z.record(z.string().max(200), z.string().max(2_000)).default({}),
  reply: z.unknown().optional(),
});

interface Call {
  method: "GET" | "POST" | "PUT";
  path: string;
  headers?: Record<string, string>;
  body?: { mediaType: string; text: string };
  bytesMax?: number;
  timeoutMs?: number;
}

interface Answer {
  status: number;
  mediaType: string;
  text: string;
}

export class HttpsPeerClient implements PeerClient {
  readonly #options: PeerClientOptions;
  readonly #connections: PinnedConnections;
  readonly #closing = new AbortController();

  constructor(options: PeerClientOptions) {
    this.#options = options;
    const answerMs = Math.max(options.timeoutMs, options.questionTimeoutMs);
    this.#connections = new PinnedConnections({ connectMs: options.timeoutMs, answerMs });
  }

  async authorise(peer: Peer, signed: SignedRequest, proof: string): Promise<WireReply> {
    return await this.#ask(peer, "authorised", {
      method: "POST",
      path: "/v1/data-sharing/authorisations",
      headers: { dpop: proof },
      body: jsonBody(signed),
    });
  }

  async answer(peer: Peer, token: string, proof: string): Promise<WireReply> {
    return await this.#ask(peer, "answered", {
      method: "POST",
      path: "/v1/data-sharing/answers",
      headers: { dpop: proof, authorization: `DPoP ${token}` },
    });
  }

  async countersign(peer: Peer, question: Hex, signature: Hex): Promise<void> {
    const path = `/v1/data-sharing/questions/${question}/countersignature`;
    await this.#read(peer, { method: "POST", path, body: jsonBody({ signature }) });
  }

  async entry(peer: Peer, question: Hex): Promise<unknown> {
    return await this.#read(peer, { method: "GET", path: `/v1/data-sharing/questions/${question}/entry` });
  }

  async giveConsent(peer: Peer, signed: SignedConsent): Promise<unknown> {
    return await this.#read(peer, {
      method: "POST",
      path: "/v1/data-sharing/consents",
      body: jsonBody(signed),
    });
  }

  async consentEntry(peer: Peer, receipt: Hex): Promise<unknown> {
    return await this.#read(peer, { method: "GET", path: `/v1/data-sharing/consents/${receipt}/entry` });
  }

  async catalogue(peer: Peer): Promise<unknown> {
    return await this.#read(peer, { method: "GET", path: "/v1/data-sharing/catalogue" });
  }

  async budget(peer: Peer, dataset: Hex): Promise<unknown> {
    return await this.#read(peer, { method: "GET", path: `/v1/data-sharing/datasets/${dataset}/budget` });
  }

  async search(peer: Peer, text: string): Promise<unknown> {
    const path = `/v1/directory/datasets?search=${encodeURIComponent(text)}`;
    return await this.#read(peer, { method: "GET", path, bytesMax: searchBytesMax });
  }

  async pushCatalogue(peer: Peer, catalogue: unknown): Promise<void> {
    await this.#read(peer, { method: "POST", path: "/v1/directory/catalogues", body: jsonBody(catalogue) });
  }

  async manifest(peer: Peer, algorithm: Hex): Promise<string | undefined> {
    const answer = await this.#send(peer, { method: "GET", path: `/v1/directory/algorithms/${algorithm}` });
    if (answer.status === 200) return answer.text;
    const error = problemError(peer, answer);
    if (error.code === "algorithm_unknown") return undefined;
    throw error;
  }

  async pushManifest(peer: Peer, algorithm: Hex, text: string): Promise<void> {
    const body = { mediaType: "application/yaml", text };
    await this.#read(peer, { method: "PUT", path: `/v1/directory/algorithms/${algorithm}`, body });
  }

  async batches(peer: Peer, offset: number, limit: number): Promise<unknown> {
    const path = `/v1/ledger/batches?offset=${offset}&limit=${limit}`;
    return await this.#read(peer, { method: "GET", path });
  }

  async batch(peer: Peer, sequence: number, offset: number): Promise<unknown> {
    const path = `/v1/ledger/batches/${sequence}?offset=${offset}`;
    return await this.#read(peer, { method: "GET", path });
  }

  /** Ends calls under way with `peer_unreachable`. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connections.close();
  }

  /** A question: a logged refusal is a reply like any other. */
  async #ask(peer: Peer, outcome: "authorised" | "answered", call: Call): Promise<WireReply> {
    const timeoutMs = this.#options.questionTimeoutMs;
    const answer = await this.#send(peer, { ...call, timeoutMs, bytesMax: replyBytesMax });
    if (answer.status === 200) {
      requireJson(peer, answer);
      return { outcome, body: answer.text };
    }
    const { reply } = readProblem(peer, answer);
    if (reply === undefined) throw problemError(peer, answer);
    return { outcome: "refused", body: canonicalJson(reply) };
  }

  async #read(peer: Peer, call: Call): Promise<unknown> {
    const answer = await this.#send(peer, call);
    if (answer.status !== 200) throw problemError(peer, answer);
    return requireJson(peer, answer);
  }

  async #send(peer: Peer, call: Call): Promise<Answer> {
    const url = urlOf(peer, call.path);
    const timeoutMs = call.timeoutMs ?? this.#options.timeoutMs;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await request(url, {
        method: call.method,
        headers: {
          accept: "application/json, application/problem+json",
          ...call.headers,
          ...(call.body && { "content-type": call.body.mediaType }),
        },
        body: call.body?.text ?? null,
        signal: AbortSignal.any([timeout, this.#closing.signal]),
        dispatcher: this.#connections.to(peer),
      });
      const text = await readText(peer, response, call.bytesMax ?? documentBytesMax);
      const mediaType = String(response.headers["content-type"] ?? "")
        .split(";")[0]!
        .trim()
        .toLowerCase();
      return { status: response.statusCode, mediaType, text };
    } catch (error) {
      throw peerError(peer, error, timeout.aborted ? `no answer within ${timeoutMs} ms` : undefined);
    }
  }
}

function jsonBody(value: unknown): { mediaType: string; text: string } {
  return { mediaType: "application/json", text: canonicalJson(value) };
}

/** An endpoint comes from the chain, where its owner may write anything. */
function urlOf(peer: Peer, path: string): string {
  const url = URL.parse(peer.endpoint);
  if (url?.protocol === "https:" && url.origin === peer.endpoint) return `${peer.endpoint}${path}`;
  throw new TrustedDataError(
    "peer_unreachable",
    `${peer.endpoint} is no endpoint: its owner must put scheme https, host and port on the chain, nothing else.`,
    { endpoint: peer.endpoint },
  );
}

async function readText(peer: Peer, { body }: Dispatcher.ResponseData, bytesMax: number): Promise<string> {
  const parts: Buffer[] = [];
  let byteCount = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    byteCount += part.length;
    if (byteCount > bytesMax) throw invalid(peer, `it is longer than ${bytesMax} bytes`);
    parts.push(part);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
  } catch {
    throw invalid(peer, "it is not UTF-8");
  }
}

function requireJson(peer: Peer, { mediaType, text }: Answer): unknown {
  if (mediaType !== "application/json" && mediaType !== "application/problem+json")
    throw invalid(peer, "it is not JSON");
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (error instanceof TrustedDataError) throw invalid(peer, error.message);
    throw error;
  }
}

function readProblem(peer: Peer, answer: Answer) {
  const problem = problemSchema.safeParse(requireJson(peer, answer));
  if (problem.success) return problem.data;
  throw invalid(peer, `status ${answer.status} without a problem document`);
}

/** The peer's refusal under the peer's own code, if we know it. */
function problemError(peer: Peer, answer: Answer): TrustedDataError {
  const { code, detail, fields } = readProblem(peer, answer);
  if (!Object.hasOwn(errorStatus, code))
    return invalid(peer, `the error code ${JSON.stringify(code)} is unknown`);
  return new TrustedDataError(code as ErrorCode, `${peer.endpoint} refuses: ${detail}`, {
    ...fields,
    endpoint: peer.endpoint,
  });
}

function invalid({ endpoint }: Peer, reason: string): TrustedDataError {
  return new TrustedDataError(
    "peer_answer_invalid",
    `The answer of ${endpoint} is not acceptable: ${reason}.`,
    {
      endpoint,
      reason,
    },
  );
}

function peerError({ endpoint }: Peer, error: unknown, reason: string | undefined): TrustedDataError {
  if (error instanceof TrustedDataError) return error;
  const cause = error instanceof Error && "code" in error ? String(error.code) : "no connection";
  const why = reason ?? cause;
  return new TrustedDataError(
    "peer_unreachable",
    `${endpoint} cannot be reached (${why}); it may be down, or the network between.`,
    { endpoint, reason: why },
  );
}
