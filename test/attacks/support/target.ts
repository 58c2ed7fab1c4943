/** One build under attack: its daemons, which attacks share where they can. */
import type { BadBuild } from "../bad-builds/bad-build.ts";
import { Daemon, type DaemonOptions } from "./daemon.ts";
import type { Field } from "./field.ts";

const registerFile = new URL("../bad-builds/register.ts", import.meta.url);

export class Target {
  readonly field: Field;
  readonly build: BadBuild | undefined;
  readonly daemons: Daemon[] = [];
  #shared: Promise<Daemon> | undefined;

  /** The product as it is, or a bad build of it. */
  constructor(field: Field, build?: BadBuild) {
    this.field = field;
    this.build = build;
  }

  /** For attacks that leave the process alone. */
  async daemon(): Promise<Daemon> {
    this.#shared ??= this.startDaemon();
    return await this.#shared;
  }

  /** For those that kill it, or need settings of their own. */
  async startDaemon(options: DaemonOptions = {}): Promise<Daemon> {
    const daemon = await Daemon.start(this.field, this.#nodeOptions(), options);
    this.daemons.push(daemon);
    return daemon;
  }

  async close(): Promise<void> {
    await Promise.all(this.daemons.map((daemon) => daemon.stop()));
  }

  #nodeOptions(): string[] {
    if (this.build === undefined) return [];
    const register = new URL(registerFile);
    register.searchParams.set("build", this.build.name);
    return ["--import", register.href];
  }
}
