/**
 * A route as data: the server (server.ts) and the OpenAPI document (openapi.ts) are both made from it, so that neither can know a route
 * that the other does not.
 */
import type { z } from "zod";
import { canonicalJson } from "../primitives/canonical-json.ts";

export interface Route {
  method: "get" | "post" | "put";
  /** As Express takes it; parameters are `:name`. */
  path: string;
  /** The noun it belongs to. */
  tag: "data-sharing" | "directory" | "ledger" | "operations";
  summary: string;
  /** Whether it counts against the narrower of the two limits of a client address. */
  isCostly: boolean;
  /** A limit of this route's own for a client address, beside that of all requests. */
  requestsPerMinute: number | undefined;
  /** Whether it is there for this machine's own clients only. */
  isLocal: boolean;
  pathParameters: z.ZodObject | undefined;
  query: z.ZodObject | undefined;
  headers: z.ZodObject | undefined;
  body: BodyTerms | undefined;
  responses: Record<string, ResponseTerms>;
  handle: (request: RouteRequest) => Promise<RouteReply> | RouteReply;
}

export interface BodyTerms {
  bytesMax: number;
  /** What may be sent; JSON is parsed strictly and checked, any other text is given as it is. */
  mediaTypes: readonly string[];
  schema: z.ZodType;
}

export interface ResponseTerms {
  description: string;
  mediaType: string;
  schema: z.ZodType | undefined;
}

/** Checked already, by the route's schemas. */
export interface RouteRequest<Path = unknown, Query = unknown, Headers = unknown, Body = unknown> {
  path: Path;
  query: Query;
  headers: Headers;
  body: Body;
}

export interface RouteReply {
  status: number;
  mediaType: string;
  body: string;
}

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined;

interface Terms<
  P extends z.ZodObject | undefined,
  Q extends z.ZodObject | undefined,
  H extends z.ZodObject | undefined,
  B extends z.ZodType | undefined,
> {
  path?: P;
  query?: Q;
  headers?: H;
  body?: { bytesMax?: number; mediaTypes?: readonly string[]; schema: B & z.ZodType };
  isCostly?: boolean;
  requestsPerMinute?: number;
  isLocal?: boolean;
  responses: Record<string, ResponseTerms>;
  handle: (
    request: RouteRequest<Parsed<P>, Parsed<Q>, Parsed<H>, Parsed<B>>,
  ) => Promise<RouteReply> | RouteReply;
}

/** What a signed question needs, with room. */
export const bodyBytesMax = 64 * 1024;
export const json = "application/json";

/** `place` is method and path, such as `GET /health`. */
export function route<
  P extends z.ZodObject | undefined = undefined,
  Q extends z.ZodObject | undefined = undefined,
  H extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(tag: Route["tag"], place: string, summary: string, terms: Terms<P, Q, H, B>): Route {
  const [method, path] = place.split(" ") as [string, string];
  const { body } = terms;
  return {
    method: method.toLowerCase() as Route["method"],
    path,
    tag,
    summary,
    isCostly: terms.isCostly ?? false,
    requestsPerMinute: terms.requestsPerMinute,
    isLocal: terms.isLocal ?? false,
    pathParameters: terms.path,
    query: terms.query,
    headers: terms.headers,
    body: body && { bytesMax: bodyBytesMax, mediaTypes: [json], ...body },
    responses: terms.responses,
    handle: terms.handle as Route["handle"],
  };
}

export function jsonResponse(description: string, schema?: z.ZodType): ResponseTerms {
  return { description, mediaType: json, schema };
}

/** Canonical JSON, so that one value has one text on the wire too. */
export function jsonReply(value: unknown, status = 200): RouteReply {
  return { status, mediaType: json, body: canonicalJson(value) };
}
