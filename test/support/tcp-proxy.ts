/** A wire that a test can cut: hands bytes on between clients and one server, until it is told to lose them. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** `pass` hands on; `cut` closes what is open and what comes; `silent` takes everything and answers nothing. */
export type WireState = "pass" | "cut" | "silent";

export class TcpProxy {
  readonly url: string;
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  readonly #open = new Set<Socket>();
  #state: WireState = "pass";
  #lost: { text: string; onLost: () => void } | undefined;

  private constructor(server: Server, target: URL) {
    this.#server = server;
    this.#target = { host: target.hostname, port: Number(target.port) };
    const { port } = server.address() as { port: number };
    this.url = `${target.protocol}//127.0.0.1:${port}`;
    server.on("connection", (client) => this.#connect(client));
  }

  static async start(targetUrl: string): Promise<TcpProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new TcpProxy(server, new URL(targetUrl));
  }

  set(state: WireState): void {
    this.#state = state;
    if (state === "cut") for (const socket of this.#open) socket.destroy();
  }

  /** Hands on the next request that holds `text`, loses its reply, and tells. One request. */
  loseReplyTo(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#lost = { text, onLost: resolve };
    });
  }

  async close(): Promise<void> {
    this.set("cut");
    this.#server.close();
    await once(this.#server, "close");
  }

  #connect(client: Socket): void {
    if (this.#state === "cut") {
      client.on("error", () => undefined).destroy();
      return;
    }
    const server = connect(this.#target);
    let tail = "";
    let isLosing = false;
    this.#keep(client, server);
    this.#keep(server, client);
    client.on("data", (bytes) => {
      if (this.#state !== "pass") return;
      const lost = this.#lost;
      tail = tail.slice(-200) + bytes.toString("latin1");
      if (lost !== undefined && tail.includes(lost.text)) {
        this.#lost = undefined;
        isLosing = true;
        // The server has it when it answers.
        server.once("data", () => {
          client.destroy();
          lost.onLost();
        });
      }
      server.write(bytes);
    });
    server.on("data", (bytes) => {
      if (this.#state === "pass" && !isLosing) client.write(bytes);
    });
  }

  #keep(socket: Socket, other: Socket): void {
    this.#open.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#open.delete(socket);
      other.destroy();
    });
  }
}
