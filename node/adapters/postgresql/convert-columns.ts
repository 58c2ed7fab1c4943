/**
 * SQL that turns a column of a live table into the integer that plans know, for every value that PostgreSQL can hold: nothing that a row
 * holds makes it fail. The rules are those of the import of files (adapters/duckdb/convert-columns.ts): values beyond a bound become the
 * bound, decimals are rounded to the grid, halves away from zero; what is no number, no day or not of the domain is null.
 *
 * Immutable built-in functions and operators only wherever the type allows it, so that foreign servers can take their part of the work.
 */
import { daysToDate, formatDecimal } from "../../data-sharing/manifests/grid.ts";
import { openTextLengthMax } from "../../data-sharing/manifests/text-code.ts";
import { assert } from "../../primitives/assert.ts";
import { numberLiteral, textLiteral } from "./sql-text.ts";
import { dayRange, type TableColumn } from "./table-columns.ts";
import type { SourceColumn } from "./table-facts.ts";

export interface Conversion {
  /** A bigint within the column's range, or null. */
  value: string;
  /** Where the value is there, of a source that is there; null where it always is. Cheaper than the value. */
  valid: string | null;
  /** Conditions over the source that say what became of it, for the custodian's report; null where it never happens. */
  clamped: string | null;
  rounded: string | null;
  /** Of an open domain, the text itself; null where it is not taken. */
  text: string | null;
}

/** @param sql The source, with its table: a plain column. */
export function conversionOf(column: TableColumn, source: SourceColumn, sql: string): Conversion {
  assert(misfitOf(column, source) === undefined, "the column's type was looked at before");
  switch (column.type) {
    case "integer":
    case "decimal":
      return source.kind === "integer"
        ? fromInteger(column, source, sql)
        : source.kind === "float"
          ? fromFloat(column, sql)
          : fromNumeric(column, source, sql);
    case "boolean":
      return total(
        source.kind === "boolean"
          ? `CASE WHEN ${sql} THEN CAST(1 AS bigint) WHEN NOT ${sql} THEN CAST(0 AS bigint) END`
          : `CASE ${sql} WHEN 0 THEN CAST(0 AS bigint) WHEN 1 THEN CAST(1 AS bigint) END`,
        source.kind === "boolean" ? null : `${sql} IN (0, 1)`,
      );
    case "date":
      return fromDate(column, source, sql);
    case "text":
      return column.open ? fromOpenText(source, sql) : fromText(column, source, sql);
  }
}

/** Why a column of this type cannot be read as it is declared; undefined if it can. */
export function misfitOf(column: TableColumn, source: SourceColumn): string | undefined {
  const wanted = kindsFor[column.type];
  return wanted.includes(source.kind)
    ? undefined
    : `${column.name} is declared as ${column.type} and is of the type ${source.typeName}; make a view with a cast`;
}

const kindsFor: Record<TableColumn["type"], readonly SourceColumn["kind"][]> = {
  integer: ["integer", "numeric", "float"],
  decimal: ["integer", "numeric", "float"],
  boolean: ["boolean", "integer"],
  date: ["date", "timestamp"],
  text: ["text", "enum"],
};

function total(value: string, valid: string | null = null): Conversion {
  return { value, valid, clamped: null, rounded: null, text: null };
}

function fromInteger({ range, scale }: TableColumn, source: SourceColumn, sql: string): Conversion {
  const step = 10n ** BigInt(scale);
  const value = scale === 0 ? `CAST(${sql} AS bigint)` : `CAST(${sql} AS bigint) * ${step}`;
  // The least and the largest whole number inside the bounds.
  const [least, most] = [-floorDivide(-range.low, step), floorDivide(range.high, step)];
  const reach = 1n << BigInt(8 * source.bytes - 1);
  const below = least > -reach ? `${sql} < ${numberLiteral(least)}` : null;
  const above = most < reach - 1n ? `${sql} > ${numberLiteral(most)}` : null;
  const cases = [
    ...(below === null ? [] : [`WHEN ${below} THEN ${numberLiteral(range.low)}`]),
    ...(above === null ? [] : [`WHEN ${above} THEN ${numberLiteral(range.high)}`]),
  ];
  return {
    ...total(cases.length === 0 ? value : `CASE ${cases.join(" ")} ELSE ${value} END`),
    clamped: either([below, above]),
  };
}

function fromNumeric(column: TableColumn, source: SourceColumn, sql: string): Conversion {
  const [low, high] = decimalBounds(column);
  const tooLow = `${sql} < ${low}`;
  // PostgreSQL's order puts infinity and then not-a-number last.
  const tooHigh = `${sql} > ${high}`;
  const finite = (infinity: string, bound: bigint) =>
    `CASE WHEN ${sql} IN (${infinity}) THEN NULL ELSE ${numberLiteral(bound)} END`;
  const steps = column.scale === 0 ? sql : `${sql} * ${10n ** BigInt(column.scale)}`;
  const isFiner = source.scale === null || source.scale > column.scale;
  const finer = isFiner ? `${sql} <> trunc(${sql}, ${column.scale})` : null;
  const isWhole = column.type === "integer" && finer !== null;
  const whole = isWhole ? `WHEN ${finer} THEN NULL ` : "";
  // A number of a declared size is never infinite.
  const isNumber =
    source.scale === null
      ? `${sql} > numeric '-Infinity' AND ${sql} < numeric 'Infinity'`
      : `${sql} <> numeric 'NaN'`;
  return {
    ...total(
      `CASE ${whole}WHEN ${tooHigh} THEN ${finite(`numeric 'Infinity', numeric 'NaN'`, column.range.high)} ` +
        `WHEN ${tooLow} THEN ${finite(`numeric '-Infinity'`, column.range.low)} ELSE CAST(${steps} AS bigint) END`,
      `(${isNumber}${isWhole ? ` AND ${sql} = trunc(${sql}, 0)` : ""})`,
    ),
    clamped: `(${tooLow} OR ${tooHigh})`,
    rounded: column.type === "integer" ? null : finer,
  };
}

/** Through its shortest text, as import does: 0.1 of four bytes is 0.1. */
function fromFloat(column: TableColumn, sql: string): Conversion {
  const exact = fromNumeric(column, { scale: null } as SourceColumn, `CAST(CAST(${sql} AS text) AS numeric)`);
  const [low, high] = decimalBounds(column);
  const isNumber = `${sql} NOT IN ('NaN', 'Infinity', '-Infinity')`;
  const asFloat = (bound: string) => `CAST(${bound} AS double precision)`;
  return {
    ...exact,
    value: `CASE WHEN ${isNumber} THEN ${exact.value} END`,
    valid: column.type === "integer" ? `(${isNumber} AND ${exact.valid})` : `(${isNumber})`,
    clamped: `(${isNumber} AND (${sql} < ${asFloat(low)} OR ${sql} > ${asFloat(high)}))`,
    rounded: exact.rounded === null ? null : `(${isNumber} AND ${exact.rounded})`,
  };
}

function fromDate({ range }: TableColumn, source: SourceColumn, sql: string): Conversion {
  const type = source.kind === "date" ? "date" : "timestamp";
  const at = (days: bigint) => `${type} '${daysToDate(days)}'`;
  const finite = `${sql} > ${type} '-infinity' AND ${sql} < ${type} 'infinity'`;
  const day = source.kind === "date" ? sql : `CAST(${sql} AS date)`;
  const tooLow = `${sql} < ${at(range.low)}`;
  // Any moment of the last day is inside; past the last year there is no next day to compare with.
  const next =
    range.high < dayRange.high ? `${sql} >= ${at(range.high + 1n)}` : `${sql} >= ${type} '10000-01-01'`;
  return {
    value: `CASE WHEN ${finite} THEN CASE WHEN ${tooLow} THEN ${numberLiteral(range.low)} WHEN ${next} THEN ${numberLiteral(range.high)} ELSE CAST(${day} - date '1970-01-01' AS bigint) END END`,
    valid: `(${finite})`,
    clamped: `(${finite} AND (${tooLow} OR ${next}))`,
    rounded: source.kind === "date" ? null : `(${finite} AND ${sql} <> date_trunc('day', ${sql}))`,
    text: null,
  };
}

/** Few texts are compared one after the other; many are looked up in a sorted object. */
const comparedMax = 12;

function fromText({ domain }: TableColumn, source: SourceColumn, sql: string): Conversion {
  const text = textOf(source, sql);
  // What PostgreSQL cannot hold is in no row.
  const places = [...domain.entries()].filter(([, value]) => value.isWellFormed() && !value.includes("\0"));
  if (places.length === 0) return total("CAST(NULL AS bigint)", "false");
  const valid = `${text} IN (${places.map(([, value]) => textLiteral(value)).join(", ")})`;
  if (places.length <= comparedMax) {
    const cases = places.map(([place, value]) => `WHEN ${textLiteral(value)} THEN CAST(${place} AS bigint)`);
    return total(`CASE ${text} ${cases.join(" ")} END`, valid);
  }
  const object = JSON.stringify(Object.fromEntries(places.map(([place, value]) => [value, place])));
  return total(`CAST(CAST(${textLiteral(object)} AS jsonb) ->> ${text} AS bigint)`, valid);
}

function fromOpenText(source: SourceColumn, sql: string): Conversion {
  const plain = textOf(source, sql);
  const fits = `length(${plain}) BETWEEN 1 AND ${openTextLengthMax}`;
  // `textCode`: the first 15 hexadecimal digits of the SHA-256.
  const digits = `substr(encode(sha256(convert_to(${plain}, 'UTF8')), 'hex'), 1, 15)`;
  return {
    ...total(`CASE WHEN ${fits} THEN CAST(CAST('x' || ${digits} AS bit(60)) AS bigint) END`, `(${fits})`),
    text: `CASE WHEN ${fits} THEN ${plain} END`,
  };
}

/** As text that is compared byte by byte; a fixed-length text loses the blanks with which it was filled up. */
export function textOf(source: SourceColumn, sql: string): string {
  return source.typeName === "text" || source.typeName === "character varying" ? sql : `CAST(${sql} AS text)`;
}

function decimalBounds({ range, scale }: TableColumn): [string, string] {
  const [low, high] = [range.low, range.high].map((bound) => `numeric '${formatDecimal(bound, scale)}'`);
  return [low!, high!];
}

function either(conditions: (string | null)[]): string | null {
  const some = conditions.filter((condition) => condition !== null);
  return some.length === 0 ? null : `(${some.join(" OR ")})`;
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n ? quotient - 1n : quotient;
}
