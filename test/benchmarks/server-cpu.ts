/** CPU time of a PostgreSQL server of ours, for benchmarks on Linux. */
import { readdirSync, readFileSync } from "node:fs";

/** User and system time of the server's processes, those that ended too (proc(5): fields 14 to 17, in hundredths of a second). */
export function serverCpuMs(pid: number): number {
  const statOf = (process: string) => {
    try {
      const text = readFileSync(`/proc/${process}/stat`, "utf8");
      return text
        .slice(text.lastIndexOf(")") + 2)
        .split(" ")
        .map(Number);
    } catch {
      // It has just ended, and is among the times of its parent.
      return undefined;
    }
  };
  let ticks = 0;
  for (const process of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const stat = statOf(process);
    if (stat === undefined) continue;
    if (Number(process) === pid) ticks += stat[11]! + stat[12]! + stat[13]! + stat[14]!;
    else if (stat[1] === pid) ticks += stat[11]! + stat[12]!;
  }
  return ticks * 10;
}
