/** One HTTPS request as anybody could send it, without looking at the certificate; what comes back as it is. */
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";

export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Undefined if the text is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like.
  json: any;
}

/** `what` is method and path. */
export function call(
  endpoint: string,
  what: string,
  { headers = {}, body }: { headers?: Record<string, string | string[]>; body?: string | Buffer } = {},
): Promise<RawAnswer> {
  const [method, path] = what.split(" ") as [string, string];
  return new Promise((resolve, reject) => {
    const sent = request(
      `${endpoint}${path}`,
      { method, headers, rejectUnauthorized: false, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part) => parts.push(part));
        response.once("error", reject);
        response.once("end", () => {
          const text = Buffer.concat(parts).toString("utf8");
          resolve({ status: response.statusCode!, headers: response.headers, text, json: parsed(text) });
        });
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Tries until it gives something else than undefined or false. */
export async function until<T>(
  attempt: () => Promise<T> | T,
  what: string,
  timeoutMs = 30_000,
): Promise<Exclude<T, undefined | false>> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const value = await attempt();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (Date.now() > deadlineMs) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
