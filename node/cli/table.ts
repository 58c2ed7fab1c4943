/** Tables and paragraphs that fit the terminal: columns take what they need, and the widest give way first. */
import Table from "cli-table3";
import type { Painter } from "./style.ts";

export interface TableColumn {
  title: string;
  align?: "left" | "right";
  /** Never broken: people type what stands there. */
  isWhole?: boolean;
}

/** A column narrower than this says nothing. */
const columnWidthMin = 6;
/** What a column takes besides its text: a blank on both sides and a line. */
const columnFrame = 3;

/** Rows of single-line texts under their titles, at most `width` columns wide where that is possible. */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  width: number,
  paint: Painter,
): string {
  const natural = naturalWidths(columns, rows);
  const longestWord = columns.map(({ title }, i) =>
    Math.max(...[title, ...rows.map((row) => row[i] ?? "")].flatMap((text) => text.split(/\s/)).map(widthOf)),
  );
  const available = width - 1 - columnFrame * columns.length;
  const whole = natural.map((own, i) => (columns[i]!.isWhole === true ? own : 0));
  // First between words; through them only where that is not enough.
  const byWords = fitted(
    natural,
    longestWord.map((own, i) => Math.max(own, whole[i]!)),
    available,
  );
  const widths = fitted(
    byWords,
    whole.map((own) => Math.max(own, columnWidthMin)),
    available,
  );
  const table = new Table({
    head: columns.map(({ title }, i) => inLines(title, widths[i]!).map(paint.bold).join("\n")),
    colWidths: widths.map((column) => column + 2),
    colAligns: columns.map(({ align }) => align ?? "left"),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push(row.map((text, i) => inLines(text, widths[i]!).join("\n")));
  return table.toString();
}

/** How wide the table is where no column gives way. */
export function naturalWidth(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): number {
  return 1 + columnFrame * columns.length + sum(naturalWidths(columns, rows));
}

/** A paragraph in lines of at most `width`, later lines indented like the first. */
export function wrapText(text: string, width: number, indent = ""): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line !== indent && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return [...lines, line].join("\n");
}

/** Columns of the terminal that a text takes; all that is shown here is one column a character. */
export function widthOf(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours
  return [...text.replace(/\u001b\[[0-9;]*m/g, "")].length;
}

function naturalWidths(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): number[] {
  return columns.map(({ title }, i) => Math.max(...[title, ...rows.map((row) => row[i] ?? "")].map(widthOf)));
}

function fitted(natural: readonly number[], least: readonly number[], available: number): number[] {
  const widths = [...natural];
  for (let excess = sum(widths) - available; excess > 0; excess--) {
    const spare = widths.map((width, i) => (width > least[i]! ? width : 0));
    const widest = spare.indexOf(Math.max(...spare));
    if (spare[widest] === 0) break;
    widths[widest]!--;
  }
  return widths;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Breaks between words, and through those that are longer than a line. */
function inLines(text: string, width: number): string[] {
  return wrapText(text, width)
    .split("\n")
    .flatMap((line) => {
      const characters = [...line];
      const pieces = Math.max(1, Math.ceil(characters.length / width));
      return Array.from({ length: pieces }, (_, i) => characters.slice(i * width, (i + 1) * width).join(""));
    });
}
