/** A daemon as a process of its own, from the files of a TestNode: started, stopped and killed by its own handle. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { NodeUp } from "../../node/daemon.ts";
import type { Peer } from "../../node/data-sharing/ports.ts";
import { call, until } from "./https-call.ts";
import { passphrase, type TestNode } from "./network.ts";

const daemonFile = new URL("../../node/daemon.ts", import.meta.url).pathname;
/** Where bin/itd.mjs keeps it. A daemon that is killed adds nothing to it, but is up sooner with what others left there. */
const compiledFolder = new URL("../../node_modules/.cache/itd", import.meta.url).pathname;
const startMsMax = 60_000;

export interface NodeProcessOptions {
  /** Before the daemon's own file: options for Node. */
  nodeOptions?: string[];
  /** A command that ends in running what follows it, with the file descriptors that it got. */
  within?: string[];
}

export class NodeProcess {
  readonly node: TestNode;
  /** What all starts wrote to standard error. */
  stderr = "";
  readonly #options: NodeProcessOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);
  #up: NodeUp | undefined;

  constructor(node: TestNode, options: NodeProcessOptions = {}) {
    this.node = node;
    this.#options = options;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  get endpoint(): string {
    return this.#up!.endpoint;
  }

  get address(): string {
    return this.#up!.address;
  }

  get peer(): Peer {
    return { endpoint: this.#up!.endpoint, tlsFingerprint: this.#up!.fingerprint };
  }

  /** Resolves with the exit code, null after a signal. */
  get exited(): Promise<number | null> {
    return this.#exited;
  }

  /** Starts the process, and waits until it is ready unless told otherwise. */
  async start(): Promise<this> {
    this.launch();
    await this.up();
    await this.ready();
    return this;
  }

  launch(): void {
    const { nodeOptions = [], within = [] } = this.#options;
    const command = [
      ...within,
      process.execPath,
      ...nodeOptions,
      daemonFile,
      "--config",
      this.node.configFile,
    ];
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: {
        NODE_COMPILE_CACHE: compiledFolder,
        ...process.env,
        ITD_PASSPHRASE: passphrase,
        NODE_OPTIONS: "",
      },
    });
    child.stderr!.setEncoding("utf8").on("data", (text) => {
      this.stderr += text;
    });
    // Told to a process that is being killed.
    child.on("error", () => undefined);
    this.#child = child;
    this.#exited = once(child, "close").then(([code]) => code as number | null);
  }

  /** The process has told that it listens. */
  async up(): Promise<NodeUp> {
    const child = this.#child!;
    const timeout = AbortSignal.timeout(startMsMax);
    const told = once(child, "message", { signal: timeout }).then(([message]) => message as NodeUp);
    const ended = this.#exited.then(() => undefined);
    const up = await Promise.race([told, ended]);
    if (up === undefined) throw new Error(`the daemon ended before it was up: ${this.stderr.slice(-2_000)}`);
    this.#up = up;
    return up;
  }

  async ready(): Promise<void> {
    const { endpoint } = this;
    try {
      await until(async () => (await call(endpoint, "GET /ready")).status === 200, `${endpoint} is ready`);
    } catch (error) {
      throw new Error(`${error}: ${this.stderr.slice(-2_000)}`);
    }
  }

  /** Something for a preloaded module, which answers when it is done. */
  async tell(message: object): Promise<void> {
    const done = once(this.#child!, "message");
    this.#child!.send(message);
    await done;
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exited;
    this.#child = undefined;
  }

  /** SIGTERM; gives the exit code. */
  async stop(): Promise<number | null> {
    this.#child?.kill("SIGTERM");
    this.#child = undefined;
    return await this.#exited;
  }

  /** Log lines with this text. */
  logged(text: string): string[] {
    return this.stderr.split("\n").filter((line) => line.includes(text));
  }
}

/** A port that was free a moment ago, for a daemon that must come back under the same endpoint. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
