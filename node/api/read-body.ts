/**
 * Reads the body of a request within its route's limits. Never express.json: of two equal keys it takes the last one, so that what was
 * reviewed and what runs could differ.
 */
import type { IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { TrustedDataError } from "../errors.ts";
import { parseStrictJson } from "../primitives/strict-json.ts";
import { type BodyTerms, json } from "./route.ts";

/** A client that is still sending is listened to for so long, or it would lose the answer with the connection. */
const drainMsMax = 1_000;

/** @throws TrustedDataError `media_type`, `body_too_large`, `invalid_json` */
export async function readBody(
  request: IncomingMessage,
  { bytesMax, mediaTypes }: BodyTerms,
): Promise<unknown> {
  const mediaType = mediaTypeOf(request, mediaTypes);
  const parts: Buffer[] = [];
  let byteCount = Number(request.headers["content-length"] ?? 0);
  if (byteCount <= bytesMax) {
    byteCount = 0;
    for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      byteCount += part.length;
      if (byteCount > bytesMax) break;
      parts.push(part);
    }
  }
  if (byteCount > bytesMax) await refuseLarge(request, bytesMax);
  const text = decode(Buffer.concat(parts));
  return mediaType === json ? parseStrictJson(text) : text;
}

/** For routes without a body: one that is sent nevertheless is refused. */
export function requireNoBody(request: IncomingMessage): void {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === "0")) return;
  throw new TrustedDataError("request_invalid", "This route takes no body; send it without.");
}

function mediaTypeOf({ headers }: IncomingMessage, allowed: readonly string[]): string {
  const [mediaType = "", ...parameters] = (headers["content-type"] ?? "").toLowerCase().split(";");
  const isUtf8 = parameters.every((parameter) => /^\s*(?:charset="?utf-8"?)?\s*$/.test(parameter));
  const isPlain = (headers["content-encoding"] ?? "identity") === "identity";
  if (allowed.includes(mediaType.trim()) && isUtf8 && isPlain) return mediaType.trim();
  throw new TrustedDataError(
    "media_type",
    `Send the body as ${allowed.join(" or ")} in UTF-8, not compressed.`,
    { accepted: allowed.join(", ") },
  );
}

async function refuseLarge(request: IncomingMessage, bytesMax: number): Promise<never> {
  const ended = new Promise<void>((resolve) => {
    request.once("end", resolve);
    request.once("close", resolve);
  });
  request.resume();
  await Promise.race([ended, delay(drainMsMax, undefined, { ref: false })]);
  throw new TrustedDataError("body_too_large", `The body is larger than ${bytesMax} bytes; send less.`, {
    bytesMax: String(bytesMax),
  });
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new TrustedDataError("invalid_json", "The body is not UTF-8.", { offset: "0" });
  }
}
