// A terminal that keeps what was written, and a context in which nothing outside can be reached.
import type { Client, Context, Terminal } from "../../../../node/cli/context.ts";
import { runProgram } from "../../../../node/cli/program.ts";
import { TrustedDataError } from "../../../../node/errors.ts";

export interface Recorded {
  exitCode: number;
  out: string;
  err: string;
}

export class RecordedTerminal implements Terminal {
  stdout = "";
  stderr = "";
  isInteractive = false;
  hasColour = false;
  columns = 80;
  readonly files = new Map<string, string>();

  out(text: string): void {
    this.stdout += text;
  }

  err(text: string): void {
    this.stderr += text;
  }

  async readFile(path: string): Promise<string> {
    const text = this.files.get(path);
    if (text !== undefined) return text;
    throw new TrustedDataError("file_unreadable", `${path} cannot be read: there is no such file.`, {
      file: path,
    });
  }

  async writeFile(path: string, text: string): Promise<void> {
    this.files.set(path, text);
  }
}

export function testContext(terminal: Terminal, over: Partial<Context> = {}): Context {
  const unavailable = async (): Promise<never> => {
    throw new TrustedDataError("client_not_found", "There is no Living Lab here.");
  };
  return {
    version: "1.2.3",
    terminal,
    openClient: unavailable,
    openCustody: unavailable,
    runNode: async () => undefined,
    labState: ({ state }) => state ?? "lab",
    runLab: async () => undefined,
    ...over,
  };
}

export async function run(
  argv: string[],
  over: Partial<Context> = {},
  terminal = new RecordedTerminal(),
): Promise<Recorded> {
  const exitCode = await runProgram(argv, testContext(terminal, over));
  return { exitCode, out: terminal.stdout, err: terminal.stderr };
}

/** A client of which a test gives the parts that it needs. */
export function partialClient(parts: Partial<Client>): Client {
  return { names: new Map(), ids: new Map(), close: async () => undefined, ...parts } as Client;
}
