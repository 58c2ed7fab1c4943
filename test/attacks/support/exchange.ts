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

export function exchange(
  agent: Agent,
  url: string,
  { method, headers = {}, body = "" }: Sent,
): Promise<Exchange> {
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
    sent.once("error", reject);
    sent.end(body);
    const startedMs = performance.now();
  });
}
