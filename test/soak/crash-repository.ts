// `node test/soak/crash-repository.ts [questions] [kills]`: a repository is killed again and again while it is asked (200 questions, 12 kills).
import { runCrashTrial } from "../support/crash-trial.ts";

const [questions = 200, kills = 12] = process.argv.slice(2).map(Number);
const startedMs = Date.now();
const report = await runCrashTrial({ questions, kills, clients: 6, onProgress: (line) => console.log(line) });
console.log(JSON.stringify({ ...report, seconds: Math.round((Date.now() - startedMs) / 1000) }));
