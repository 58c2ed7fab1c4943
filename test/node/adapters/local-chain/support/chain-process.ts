// A local chain in a process of its own, so that a test can kill it: prints its address, and runs until it is killed.
import { start } from "./laboratory.ts";

const [folder = ""] = process.argv.slice(2);
const chain = await start(folder);
process.stdout.write(`${chain.url}\n`);
