#!/usr/bin/env node
// Starts the `itd` command under the Node that this project pins, whatever Node the machine has.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../node/main.ts", import.meta.url));
const [major] = process.versions.node.split(".").map(Number);

if (major >= 24) {
  process.argv[1] = main;
  await import(main);
} else {
  const pinned = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
  if (!existsSync(pinned)) {
    process.stderr.write("itd needs Node 24 or newer. Run `npm ci` in the project first.\n");
    process.exit(1);
  }
  // The child shares this terminal's process group, so it gets Ctrl-C itself.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  const { status } = spawnSync(pinned, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  process.exit(status ?? 1);
}
