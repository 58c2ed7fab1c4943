/** The report of a run for people. */
import type { FuzzReport } from "./suite.ts";

export function renderFuzzReport(report: FuzzReport): string {
  const { seed, sql, manifests, compared, engineRefusals, findings, cpuMs } = report;
  const lines = [
    `${sql.cases + manifests.cases} texts, seed ${seed}, ${Math.round(cpuMs / 1000)} s of CPU (without PostgreSQL's own)`,
    tallyLine("SQL", sql),
    tallyLine("manifests", manifests),
    `statements read alike: ${compared.both} by both engines; ${compared.DuckDB} by DuckDB, ${compared.PostgreSQL} by PostgreSQL`,
    "statements that an engine does not take:",
    ...Object.entries(engineRefusals)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, count]) => `${String(count).padStart(7)}  ${kind}`),
  ];
  for (const { part, what, text } of findings)
    lines.push("", `FOUND (${part}, seed ${seed}): ${what}`, "Text:", JSON.stringify(text));
  lines.push("", findings.length === 0 ? "Nothing found." : `${findings.length} found.`);
  return lines.join("\n");
}

function tallyLine(name: string, { cases, accepted, refused, slowestCpuMs }: FuzzReport["sql"]): string {
  const codes = Object.entries(refused).map(([code, count]) => `${count} ${code}`);
  return `${name}: ${cases} texts, ${accepted} taken, refused: ${codes.join(", ") || "none"}; the slowest took ${slowestCpuMs} ms of CPU`;
}
