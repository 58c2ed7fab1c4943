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

export function exchange(agent: Agent, url: string, what: Sent): Promise<Exchange> {
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
      // A kept connection that the server let go of in the same moment: the request was never read.
      if (sent.reusedSocket && error.code === "ECONNRESET") resolve(exchange(agent, url, what));
      else reject(error);
    });
    sent.end(body);
    const startedMs = performance.now();
  });
}
