/** One HTTPS request over kept connections, with how long its reply took. */
import type { IncomingHttpHeaders } from "node:http";
import { type Agent, request } from "node:https";

export interface Exchange {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** From the last byte sent to the last byte received. */
  tookMs: number;
}

export interface Sent {
  method: string;
  headers?: Record<string, string>;
  body?: string;
}

/** A machine that is very busy loses connections. */
const attemptsMax = 4;

export function exchange(agent: Agent, url: string, what: Sent, attempt = 1): Promise<Exchange> {
  const { method, headers = {}, body = "" } = what;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part) => parts.push(part));
      response.once("error", reject);
      response.once("end", () => {
        const text = Buffer.concat(parts).toString("utf8");
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          text,
          tookMs: performance.now() - startedMs,
        });
      });
    });
    sent.once("error", (error: NodeJS.ErrnoException) => {
      // A connection that the server let go of before it read the request, as it was kept or waited for too long.
      if (error.code === "ECONNRESET" && attempt < attemptsMax)
        resolve(exchange(agent, url, what, attempt + 1));
      else reject(error);
    });
    sent.end(body);
    const startedMs = performance.now();
  });
}
