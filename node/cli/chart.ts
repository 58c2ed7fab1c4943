/** Bars of text with whiskers: where the exact number may lie, by the margin of the noise alone. */
import type { PresentedAnswer, PresentedRow } from "../data-sharing/release/presented-answer.ts";
import { shownAt } from "./shown-digits.ts";
import type { Painter } from "./style.ts";
import { widthOf } from "./table.ts";

/** Narrower bars say nothing, wider ones no more. */
const barWidthMin = 12;
const barWidthMax = 60;
const labelWidthMax = 32;

/** One column of an answer as bars, one a row; undefined where it has no numbers. */
export function barChart(
  { columns, rows }: PresentedAnswer,
  column: number,
  width: number,
  paint: Painter,
): string | undefined {
  const numbers = rows.map((row) => numberAt(row, column));
  const known = numbers.filter((number) => number !== undefined);
  if (known.length === 0) return undefined;
  const low = Math.min(0, ...known.map(({ value, margin }) => value - margin));
  const high = Math.max(0, ...known.map(({ value, margin }) => value + margin));
  const labels = rows.map((row) => labelOf(columns, row));
  const labelWidth = Math.min(labelWidthMax, Math.max(...labels.map(widthOf)));
  const values = rows.map((row) => shownAt(row, column).value ?? "");
  const valueWidth = Math.max(...values.map(widthOf));
  const barWidth = Math.min(barWidthMax, Math.max(barWidthMin, width - labelWidth - valueWidth - 4));
  const lines = rows.map((_, i) => {
    const label = fitted(labels[i]!, labelWidth);
    const number = numbers[i];
    if (number === undefined) {
      const reason = rows[i]!.suppressed ? "too few people to show" : "nobody to measure";
      return `${label}  ${paint.dim(reason)}`;
    }
    return `${label}  ${paint.bar(bar(number, low, high, barWidth))}  ${values[i]!.padStart(valueWidth)}`;
  });
  return [paint.bold(columns[column]!.name), ...lines].join("\n");
}

interface Measured {
  value: number;
  margin: number;
}

/** From zero to the number in blocks, with the interval over it: `██████├──●──┤`. */
function bar({ value, margin }: Measured, low: number, high: number, width: number): string {
  const cellOf = (number: number) =>
    high === low ? 0 : Math.min(width - 1, Math.max(0, Math.floor(((number - low) / (high - low)) * width)));
  const zero = cellOf(0);
  const at = cellOf(value);
  const cells: string[] = Array(width).fill(" ");
  for (let i = Math.min(zero, at); i <= Math.max(zero, at); i++) cells[i] = "█";
  if (margin > 0) {
    const from = cellOf(value - margin);
    const to = cellOf(value + margin);
    // An interval of one or two cells is no more than a dot.
    if (to - from > 1) {
      for (let i = from; i <= to; i++) cells[i] = "─";
      cells[from] = "├";
      cells[to] = "┤";
    }
    cells[at] = "●";
  }
  return cells.join("");
}

function numberAt(row: PresentedRow, column: number): Measured | undefined {
  const value = row.values[column];
  return value === null || value === undefined
    ? undefined
    : { value: Number(value), margin: Number(row.margins[column] ?? 0) };
}

function labelOf(columns: PresentedAnswer["columns"], row: PresentedRow): string {
  const keys = row.values.filter((_, i) => columns[i]!.kind === "key");
  return keys.length === 0 ? "all" : keys.join(", ");
}

function fitted(text: string, width: number): string {
  const short = widthOf(text) > width ? `${[...text].slice(0, width - 1).join("")}…` : text;
  return short + " ".repeat(width - widthOf(short));
}
