#!/usr/bin/env node
// Starts the command `itd` (node/main.ts) under the Node that this project pins, whatever Node starts this file. Runs on Node 20.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const main = new URL("../node/main.ts", import.meta.url);
const pinned = pinnedNode();

keepCompiledCode();
if (pinned === undefined || process.version === pinned.version) {
  await import(main.href);
} else {
  relay(pinned.path);
}

/**
 * For this process and those that it starts: each is up in little more than half the time. Where nobody may write, it does without. Never
 * in the shared folder for temporary files, which is Node's default: there, others could leave code for us to run.
 */
function keepCompiledCode() {
  process.env.NODE_COMPILE_CACHE ||= fileURLToPath(new URL("../node_modules/.cache/itd", import.meta.url));
  nodeModule.enableCompileCache?.();
}

/** Undefined where the package is missing: then the Node that runs is tried. */
function pinnedNode() {
  try {
    const manifest = nodeModule.createRequire(import.meta.url).resolve("node/package.json");
    const { version } = JSON.parse(readFileSync(manifest, "utf8"));
    const file = process.platform === "win32" ? "bin/node.exe" : "bin/node";
    return { version: `v${version}`, path: fileURLToPath(new URL(file, `file://${manifest}`)) };
  } catch {
    return undefined;
  }
}

/** Runs the command in a child: input, output, signals and the way it ends are the child's. */
function relay(node) {
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends its signals to the child as well; what comes twice is harmless.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`itd: the pinned Node cannot be started (${error.message}); run npm ci again.\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}
