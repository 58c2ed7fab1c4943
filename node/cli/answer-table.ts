/** An answer as a table: a row for each group, or, where that is wider than the terminal, a line for each number of a few groups. */
import type {
  PresentedAnswer,
  PresentedColumn,
  PresentedRow,
} from "../data-sharing/release/presented-answer.ts";
import { shownAt } from "./shown-digits.ts";
import type { Painter } from "./style.ts";
import { naturalWidth, renderTable, type TableColumn } from "./table.ts";

export type Units = ReadonlyMap<string, string>;

/** More groups side by side are as wide as what they replace. */
const turnedRowsMax = 3;

/** Every measured column has the margin of its noise beside it, and its unit in the title. */
export function answerTable(
  presented: PresentedAnswer,
  width: number,
  paint: Painter,
  units: Units = new Map(),
): string {
  const { titles, cells } = upright(presented, units);
  const isTurned = presented.rows.length <= turnedRowsMax && naturalWidth(titles, cells) > width;
  if (!isTurned || presented.rows.length === 0) return renderTable(titles, cells, width, paint);
  const other = turned(presented, units);
  return renderTable(other.titles, other.cells, width, paint);
}

interface Cells {
  titles: TableColumn[];
  cells: string[][];
}

function upright({ columns, rows }: PresentedAnswer, units: Units): Cells {
  const hasMargin = columns.map((_, i) => rows.some((row) => row.margins[i] !== null));
  const titles = columns.flatMap((column, i): TableColumn[] =>
    column.kind === "key" ? [{ title: column.name }] : measured(titleOf(column, units), hasMargin[i]!),
  );
  const cells = rows.map((row) =>
    columns.flatMap((_, i) => {
      const mark = row.partial && i === 0 ? " *" : "";
      return [`${valueText(row, i)}${mark}`, ...(hasMargin[i] ? [marginText(row, i)] : [])];
    }),
  );
  return { titles, cells };
}

/** The names of the numbers down the side, the groups across. */
function turned({ columns, rows }: PresentedAnswer, units: Units): Cells {
  const hasMargin = rows.map((row) => row.margins.some((margin) => margin !== null));
  const titles = rows.flatMap((row, place) => {
    const keys = row.values.filter((_, i) => columns[i]!.kind === "key");
    const mark = row.partial ? " *" : "";
    return measured(`${keys.length === 0 ? "all" : keys.join(", ")}${mark}`, hasMargin[place]!);
  });
  const cells = columns.flatMap((column, i) => {
    if (column.kind === "key") return [];
    const numbers = rows.flatMap((row, place) => [
      valueText(row, i),
      ...(hasMargin[place] ? [marginText(row, i)] : []),
    ]);
    return [[titleOf(column, units), ...numbers]];
  });
  return { titles: [{ title: "" }, ...titles], cells };
}

function measured(title: string, hasMargin: boolean): TableColumn[] {
  return [
    { title, align: "right" },
    ...(hasMargin ? [{ title: "±", align: "right" as const, isWhole: true }] : []),
  ];
}

/** With what a bucket holds, or the unit. */
function titleOf({ name, label }: PresentedColumn, units: Units): string {
  const more = label ?? units.get(name);
  return more === undefined ? name : `${name} (${more})`;
}

function valueText(row: PresentedRow, column: number): string {
  return shownAt(row, column).value ?? (row.suppressed ? "too few" : "–");
}

function marginText(row: PresentedRow, column: number): string {
  const { margin } = shownAt(row, column);
  return margin === null ? "" : `± ${margin}`;
}
