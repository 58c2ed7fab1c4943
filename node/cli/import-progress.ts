/** How far an import is, on stderr: a bar on a terminal, else nothing, as it ends with a report anyway. */
import { SingleBar } from "cli-progress";
import type { ImportProgress } from "../data-sharing/ports.ts";
import type { Terminal } from "./context.ts";

export function showImport(
  name: string,
  terminal: Terminal,
): { onProgress: (progress: ImportProgress) => void; stop: () => void } {
  if (!terminal.isInteractive) return { onProgress: () => undefined, stop: () => undefined };
  const bar = new SingleBar({
    stream: process.stderr,
    format: `reading ${name} [{bar}] {percentage}%`,
    barsize: 24,
    hideCursor: true,
  });
  bar.start(100, 0);
  return {
    onProgress: ({ bytesRead, bytesTotal }) =>
      bar.update(bytesTotal === 0 ? 100 : Math.floor((100 * bytesRead) / bytesTotal)),
    stop: () => bar.stop(),
  };
}
