/** Public tables as the plan has them: their keys in the integers of the private side, so that engines compare like with like. */
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { dateToDays, decimalToGrid } from "../manifests/grid.ts";
import type { PublicColumn, PublicTable, PublicValue } from "../manifests/public-table.ts";
import { textCode } from "../manifests/text-code.ts";
import type { PlanColumn, PlanColumns } from "./columns.ts";
import type { PublicKey } from "./from-items.ts";
import type { Expression, PublicJoin } from "./plan.ts";
import { checkedExpression, kindOf, type Reading, rescaled } from "./reading.ts";
import { refuse } from "./sql-node.ts";

export function publicColumns(table: PublicTable): PlanColumns {
  return new Map(table.columns.map((column, at) => [column.name, planColumn(table, column, at)]));
}

function planColumn({ rows }: PublicTable, column: PublicColumn, at: number): PlanColumn {
  const domain = domainOf(column, rows, at);
  const values = rows.map((row) => encoded(row[at]!, column, domain));
  const range = {
    low: values.reduce((a, b) => (a < b ? a : b)),
    high: values.reduce((a, b) => (a > b ? a : b)),
  };
  const scale = column.type === "decimal" ? column.scale : 0;
  return { type: column.type, nullable: false, scale, range, domain, open: false, values };
}

function domainOf(column: PublicColumn, rows: PublicTable["rows"], at: number): readonly string[] {
  if (column.type === "text") return [...new Set(rows.map((row) => row[at] as string))].sort();
  return column.type === "boolean" ? ["false", "true"] : [];
}

function encoded(value: PublicValue, column: PublicColumn, domain: readonly string[]): bigint {
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "number") return decimalToGrid(value, column.type === "decimal" ? column.scale : 0)!;
  return column.type === "date" ? dateToDays(value)! : BigInt(domain.indexOf(value));
}

/** `keys` are equations of this table; `wanted` are the columns that the question may read. */
export function publicJoinOf(
  table: PublicTable,
  keys: readonly PublicKey[],
  reading: Reading,
  wanted: ReadonlySet<string>,
): PublicJoin {
  const sides = keys
    .map((key) => {
      const side = keySide(table, key, reading);
      const codes = table.rows.map((row) => side.codeOf(row)?.toString() ?? null);
      return { ...side, text: canonicalJson([side.on, codes]) };
    })
    .filter(({ text }, at, all) => all.findIndex((other) => other.text === text) === at)
    .sort((a, b) => (a.text < b.text ? -1 : 1));
  const columns = table.columns
    .map(({ name }) => name)
    .filter((name) => wanted.has(name))
    .sort();
  const known = publicColumns(table);
  const rows = table.rows.flatMap((row): string[][] => {
    const key = sides.map(({ codeOf }) => codeOf(row));
    if (key.some((code) => code === null)) return [];
    const values = columns.map((name) => {
      const at = table.columns.findIndex((column) => column.name === name);
      return encoded(row[at]!, table.columns[at]!, known.get(name)!.domain);
    });
    return [[...(key as bigint[]), ...values].map(String)];
  });
  return { on: sides.map(({ on }) => on), columns, rows: rows.sort(byValues) };
}

interface KeySide {
  on: Expression;
  /** The row's key as the private side would have it; null where it cannot have it. */
  codeOf(row: readonly PublicValue[]): bigint | null;
}

function keySide(table: PublicTable, { column: name, other, node }: PublicKey, reading: Reading): KeySide {
  const at = table.columns.findIndex((column) => column.name === name);
  const column = table.columns[at];
  if (column === undefined) refuse(node.place, `the public table has no column ${name}`);
  const scalar = reading.scalar(other);
  const differs = () =>
    refuse(node.place, `${kindOf(scalar)} is joined with a column of another type (${column.type})`);
  switch (scalar.type) {
    case "text":
      if (column.type !== "text") return differs();
      return {
        on: scalar.expression,
        codeOf: (row) => {
          if (scalar.open) return textCode(row[at] as string);
          const code = scalar.domain.indexOf(row[at] as string);
          return code < 0 ? null : BigInt(code);
        },
      };
    case "number": {
      if (column.type !== "integer" && column.type !== "decimal") return differs();
      const own = column.type === "decimal" ? column.scale : 0;
      const scale = Math.max(own, scalar.scale);
      return {
        on: checkedExpression(node, reading.scope, rescaled(scalar.expression, scalar.scale, scale)),
        codeOf: (row) => encoded(row[at]!, column, []) * 10n ** BigInt(scale - own),
      };
    }
    case "boolean":
    case "date":
      if (column.type !== scalar.type) return differs();
      return { on: scalar.expression, codeOf: (row) => encoded(row[at]!, column, []) };
    default:
      return differs();
  }
}

function byValues(a: string[], b: string[]): number {
  for (const [at, value] of a.entries()) {
    const difference = BigInt(value) - BigInt(b[at]!);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return 0;
}
