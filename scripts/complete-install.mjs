// Completes an installation that npm began under an older Node than the one this project pins.
// npm skips an optional native package whose `engines` exclude the Node that runs npm (Hardhat's EDR asks for >= 22).
// This script runs under the pinned Node; where the two differ, one more install fills the gap and leaves the lock file as it is.
import { spawnSync } from "node:child_process";

const npmNode = /\bnode\/v?(\d+\.\d+\.\d+)/.exec(process.env.npm_config_user_agent ?? "")?.[1];
const sameNode = npmNode === undefined || `v${npmNode}` === process.version;
// `npx itd` in a clone runs this script too, when it first links the command; nothing is being installed then.
const isInstalling = process.env.npm_command !== "exec";

if (isInstalling && !sameNode && process.env.ITD_COMPLETING_INSTALL === undefined) {
  const npm = process.env.npm_execpath;
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-save", "--no-fund"];
  const [command, commandArgs] = npm ? [process.execPath, [npm, ...args]] : ["npm", args];
  const { status } = spawnSync(command, commandArgs, {
    stdio: "inherit",
    env: { ...process.env, ITD_COMPLETING_INSTALL: "1" },
  });
  process.exit(status ?? 1);
}
