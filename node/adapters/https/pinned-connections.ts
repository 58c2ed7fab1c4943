/**
 * HTTPS connections to peers that show one certain certificate (TLS 1.3; the fingerprint comes from the chain). No authority is asked, and
 * names in the certificate do not matter: it is this very certificate, or not a byte of the request is sent.
 */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Agent, type buildConnector } from "undici";
import type { Peer } from "../../data-sharing/ports.ts";
import { TrustedDataError } from "../../errors.ts";
import { type Hex, sha256Hex } from "../../primitives/hex.ts";

export interface ConnectionLimits {
  connectMs: number;
  /** From the request to the end of the answer's headers, and between any two parts of its body. */
  answerMs: number;
}

/** Peers to which connections are kept; the one unused for longest goes first. */
const agentsMax = 128;
const connectionsPerPeerMax = 8;
const headerBytesMax = 16 * 1024;

export class PinnedConnections {
  readonly #limits: ConnectionLimits;
  readonly #agents = new Map<string, Agent>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Connections to this peer with this certificate; shared with no other pair. */
  to(peer: Peer): Agent {
    const key = `${peer.endpoint} ${peer.tlsFingerprint}`;
    const agent = this.#agents.get(key) ?? this.#open(peer);
    this.#agents.delete(key);
    this.#agents.set(key, agent);
    if (this.#agents.size > agentsMax) {
      const [oldest, unused] = this.#agents.entries().next().value!;
      this.#agents.delete(oldest);
      void unused.close();
    }
    return agent;
  }

  async close(): Promise<void> {
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  #open(peer: Peer): Agent {
    return new Agent({
      connect: pinned(peer, this.#limits.connectMs),
      connections: connectionsPerPeerMax,
      headersTimeout: this.#limits.answerMs,
      bodyTimeout: this.#limits.answerMs,
      maxHeaderSize: headerBytesMax,
      pipelining: 1,
    });
  }
}

function pinned({ endpoint, tlsFingerprint }: Peer, connectMs: number): buildConnector.connector {
  return ({ hostname, port }, callback) => {
    const host = hostname.replace(/^\[|\]$/g, "");
    let isDone = false;
    const done = (error: Error | null, socket?: TLSSocket) => {
      clearTimeout(timer);
      if (isDone) return;
      isDone = true;
      if (error === null) callback(null, socket!);
      else callback(error, null);
    };
    const socket = connectTls({
      host,
      port: Number(port) || 443,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      minVersion: "TLSv1.3",
      ALPNProtocols: ["http/1.1"],
      // The certificate itself is compared below, before the connection is handed out.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    const timer = setTimeout(() => {
      socket.destroy();
      done(new Error("no connection in time"));
    }, connectMs);
    socket.once("error", done);
    socket.once("close", () => done(new Error("closed while connecting")));
    socket.once("secureConnect", () => {
      const shown = fingerprintOf(socket);
      if (shown === tlsFingerprint) return done(null, socket);
      socket.destroy();
      done(wrongCertificate(endpoint, tlsFingerprint, shown));
    });
  };
}

function fingerprintOf(socket: TLSSocket): Hex {
  const { raw } = socket.getPeerX509Certificate() ?? {};
  return raw === undefined ? "" : sha256Hex(new X509Certificate(raw).raw);
}

function wrongCertificate(endpoint: string, expected: Hex, shown: Hex): TrustedDataError {
  return new TrustedDataError(
    "peer_certificate",
    `${endpoint} shows another certificate than the one on the chain: somebody stands in between, or it was renewed a moment ago.`,
    { endpoint, expected, shown },
  );
}
