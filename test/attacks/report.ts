/** The suite's report as tables for people. */
import { painter } from "../../node/cli/style.ts";
import { renderTable } from "../../node/cli/table.ts";
import { attacks } from "./attacks.ts";
import type { Entry, SuiteReport } from "./suite.ts";

const width = 150;

export function renderReport(report: SuiteReport, hasColour: boolean): string {
  const paint = painter(hasColour);
  const verdict = ({ pass, failure }: Entry) =>
    failure !== undefined ? "broke off" : pass ? "passed" : "FAILED";
  const attackRows = report.attacks.map((entry) => [
    entry.attack,
    attacks.find(({ name }) => name === entry.attack)!.what,
    shown(entry.figure),
    shown(entry.bound),
    entry.unit,
    verdict(entry),
    `${(entry.tookMs / 1000).toFixed(1)} s`,
  ]);
  const buildRows = report.badBuilds.map(({ build, what, findings, caughtBy }) => [
    build,
    what,
    caughtBy.join(", ") || "NONE",
    findings
      .filter(({ attack }) => !caughtBy.includes(attack))
      .map(({ attack }) => attack)
      .join(", "),
  ]);
  const numbers = { align: "right" } as const;
  const parts = [
    attackRows.length === 0
      ? ""
      : renderTable(
          [
            { title: "attack", isWhole: true },
            { title: "what" },
            { title: "figure", ...numbers },
            { title: "bound", ...numbers },
            { title: "unit" },
            { title: "verdict", isWhole: true },
            { title: "took", ...numbers },
          ],
          attackRows,
          width,
          paint,
        ),
    buildRows.length === 0
      ? ""
      : renderTable(
          [
            { title: "bad build", isWhole: true },
            { title: "what" },
            { title: "caught by" },
            { title: "missed by" },
          ],
          buildRows,
          width,
          paint,
        ),
    ...[...report.attacks, ...report.badBuilds.flatMap(({ findings }) => findings)].flatMap(
      ({ attack, failure }) => (failure === undefined ? [] : [`${attack} broke off: ${failure}`]),
    ),
    report.pass ? paint.good("passed") : paint.bad("FAILED"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}
