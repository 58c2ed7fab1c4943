/** Small documents of one person in a folder (port ConsentArchive): each written whole or not at all, durable on return, for their owner alone. */
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ConsentArchive } from "../data-sharing/consent/ports.ts";
import { TrustedDataError } from "../errors.ts";
import { assert } from "../primitives/assert.ts";
import { writeWhole } from "./write-whole.ts";

const namePattern = /^[A-Za-z0-9-]+\.json$/;

export class DocumentFolder implements ConsentArchive {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** By name. What else lies in the folder is left alone. @throws TrustedDataError `file_unreadable` */
  async texts(): Promise<string[]> {
    try {
      const names = (await readdir(this.#folder)).filter((name) => namePattern.test(name)).sort();
      return await Promise.all(names.map((name) => readFile(join(this.#folder, name), "utf8")));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw failed("file_unreadable", `The folder ${this.#folder} cannot be read`, error);
    }
  }

  /** @throws TrustedDataError `file_unwritable` */
  async keep(name: string, text: string): Promise<void> {
    assert(namePattern.test(name), "a document has a plain name");
    try {
      await writeWhole(join(this.#folder, name), text, 0o700);
    } catch (error) {
      throw failed("file_unwritable", `The folder ${this.#folder} cannot be written`, error);
    }
  }

  async drop(name: string): Promise<void> {
    assert(namePattern.test(name), "a document has a plain name");
    await rm(join(this.#folder, name), { force: true });
  }
}

function failed(code: "file_unreadable" | "file_unwritable", what: string, error: unknown): TrustedDataError {
  const reason = codeOf(error);
  return new TrustedDataError(code, `${what} (${reason}).`, { reason });
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "unknown";
}
