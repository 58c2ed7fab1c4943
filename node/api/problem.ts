/**
 * Errors on the wire (RFC 9457). A caller learns what it can act on; what went wrong inside a node stays in its log, under the request id.
 */
import { z } from "zod";
import { type ErrorCode, errorStatus, TrustedDataError } from "../errors.ts";
import { canonicalJson } from "../primitives/canonical-json.ts";
import type { RouteReply } from "./route.ts";

export const problemMediaType = "application/problem+json";

export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    fields: z.record(z.string(), z.string()),
    /** The logged refusal with its signatures, where there is one. */
    reply: z.unknown().optional(),
  })
  .meta({ id: "Problem" });

/** Of the errors that are the node's own (status 5xx), those whose words are meant for callers. */
const tellable = new Set<ErrorCode>([
  "budget_not_reserved",
  "chain_stale",
  "not_ready",
  "repository_not_certified",
]);

/** Anything thrown, as the code under which a caller hears of it. */
export function publicError(error: unknown): TrustedDataError {
  if (!(error instanceof TrustedDataError)) return internalError();
  if (error.status < 500 || tellable.has(error.code)) return error;
  if (error.status === 500) return internalError();
  return new TrustedDataError(
    error.code,
    "The node cannot do this now, as something that it depends on does not answer; try again later.",
  );
}

export function problemReply(error: TrustedDataError): RouteReply {
  return reply(error.code, error.message, { fields: { ...error.fields } });
}

/** A refusal that is logged: the signed document goes with it, so that it has a receipt too. */
export function refusalReply(code: string, detail: string, document: unknown): RouteReply {
  return reply(code, detail, { fields: {}, reply: document });
}

function reply(
  code: string,
  detail: string,
  more: { fields: Record<string, string>; reply?: unknown },
): RouteReply {
  const status = code in errorStatus ? errorStatus[code as ErrorCode] : 403;
  const title = code.replaceAll("_", " ");
  const problem = { type: `urn:itd:error:${code}`, title, status, detail, code, ...more };
  return { status, mediaType: problemMediaType, body: canonicalJson(problem) };
}

function internalError(): TrustedDataError {
  return new TrustedDataError(
    "internal",
    "Something went wrong inside the node; its operator finds the reason in the log under the request id.",
  );
}
