/** The real HTTPS server with a fresh certificate around any routes, and everything that it logs. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTlsCertificate } from "../../node/adapters/keys/tls-certificate.ts";
import { createLog } from "../../node/api/log.ts";
import { Metrics } from "../../node/api/metrics.ts";
import type { Route } from "../../node/api/route.ts";
import { listen, type ServerOptions } from "../../node/api/server.ts";
import type { Peer } from "../../node/data-sharing/ports.ts";

export interface TestServer {
  endpoint: string;
  port: number;
  peer: Peer;
  log: string[];
  metrics: Metrics;
  /** That the server holds. */
  connectionCount(): Promise<number>;
  close(graceMs?: number): Promise<void>;
}

export async function startTestServer(
  routes: readonly Route[],
  options: Partial<ServerOptions> = {},
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "itd-server-"));
  const files = { certFile: join(folder, "tls.pem"), keyFile: join(folder, "tls-key.pem") };
  const tls = await createTlsCertificate(files, "passphrase", { names: ["127.0.0.1"] });
  rmSync(folder, { recursive: true });
  const log: string[] = [];
  const metrics = new Metrics(() => undefined);
  const server = await listen(
    {
      host: "127.0.0.1",
      port: 0,
      tls: { certificate: tls.certPem, key: tls.keyPem },
      requestsPerMinute: 100_000,
      questionsPerMinute: 100_000,
      connectionsMax: 1_024,
      connectionsPerAddressMax: 1_024,
      ...options,
    },
    { routes, log: createLog("trace", { write: (line: string) => void log.push(line) }), metrics },
  );
  const endpoint = `https://127.0.0.1:${server.port}`;
  const peer = { endpoint, tlsFingerprint: tls.fingerprint };
  return {
    endpoint,
    port: server.port,
    peer,
    log,
    metrics,
    connectionCount: () => server.connectionCount(),
    close: (graceMs = 1_000) => server.close(graceMs),
  };
}
