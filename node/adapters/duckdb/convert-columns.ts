/**
 * SQL that turns the text of a field into the stored integer, with a mark that says what happened. Both kinds of file go through text, so
 * there is one set of rules. No text from a file or a manifest becomes part of a statement: domains enter through ENUM types made from
 * a table, names of file columns are `f0`, `f1`, ...
 */
import { openTextLengthMax } from "../../data-sharing/manifests/text-code.ts";
import { type StoredColumn, storedMagnitudeMax } from "./stored-columns.ts";

/** What happened to a value, kept beside it while importing. */
export const mark = { asIs: 0, rounded: 1, madeNull: 2 } as const;
/** From here on the row cannot be taken. */
export const firstBadMark = 10;
const bad = {
  missing: 10,
  notNumber: 11,
  notWhole: 12,
  notDate: 13,
  notBoolean: 14,
  notInDomain: 15,
  tooLong: 16,
} as const;

export const badReasons: Readonly<Record<number, string>> = {
  [bad.missing]: "no value, and the column is not declared nullable",
  [bad.notNumber]: "not a number",
  [bad.notWhole]: "not a whole number",
  [bad.notDate]: "not a date of the form YYYY-MM-DD",
  [bad.notBoolean]: "neither true nor false",
  [bad.notInDomain]: "not in the declared domain",
  [bad.tooLong]: `longer than ${openTextLengthMax} characters`,
};

/** Of the SHA-256 in hexadecimal, as `textCode` takes them. */
const codeDigits = 15;

export interface Conversion {
  /** The stored integer before it is moved to a bound, or NULL. */
  value: string;
  /** One of `mark` or `bad`; may use the value under the name `valueName`. */
  mark: string;
}

/**
 * @param text SQL of the field's text; NULL where the field is empty.
 * @param domainType Name of the ENUM type of the column's domain.
 */
export function conversionOf(
  column: StoredColumn,
  text: string,
  valueName: string,
  domainType: string,
): Conversion {
  const missing = column.nullable ? mark.asIs : bad.missing;
  const marked = (cases: string) =>
    `CASE WHEN ${text} IS NULL THEN ${missing} ${cases} ELSE ${mark.asIs} END`;
  const badWhenNull = (code: number) => marked(`WHEN ${valueName} IS NULL THEN ${code}`);
  switch (column.type) {
    case "integer":
    case "decimal": {
      const finer = column.type === "integer" ? bad.notWhole : mark.rounded;
      return {
        value: numberValue(text, column.scale),
        mark: marked(
          `WHEN ${valueName} IS NULL THEN ${bad.notNumber} WHEN ${isFiner(text, column.scale)} THEN ${finer}`,
        ),
      };
    }
    case "date":
      return {
        value: `CASE WHEN regexp_full_match(${text}, '[0-9]{4}-[0-9]{2}-[0-9]{2}( 00:00:00)?') THEN date_diff('day', DATE '1970-01-01', TRY_CAST(left(${text}, 10) AS DATE)) END`,
        mark: badWhenNull(bad.notDate),
      };
    case "boolean":
      return {
        value: `CASE lower(${text}) WHEN 'true' THEN 1 WHEN 't' THEN 1 WHEN '1' THEN 1 WHEN 'false' THEN 0 WHEN 'f' THEN 0 WHEN '0' THEN 0 END`,
        mark: badWhenNull(bad.notBoolean),
      };
    case "text":
      if (column.open)
        return {
          value: `CAST('0x' || left(sha256(${text}), ${codeDigits}) AS BIGINT)`,
          mark: marked(`WHEN length(${text}) > ${openTextLengthMax} THEN ${bad.tooLong}`),
        };
      return {
        value: `CAST(enum_code(TRY_CAST(${text} AS ${domainType})) AS INTEGER)`,
        mark: badWhenNull(column.nullable ? mark.madeNull : bad.notInDomain),
      };
  }
}

/** Digits with an optional point and exponent, of a length that the exact types below can hold. */
const numberPattern = "[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]{1,2})?";
const numberCharactersMax = 40;

/**
 * Steps of 10^-scale, halves away from zero (of a number with an exponent, after its 18th decimal place is rounded). What has more than 18 digits is beyond every bound, so the largest stored value stands for it
 * until it is moved to the bound.
 */
function numberValue(text: string, scale: number): string {
  // DuckDB rounds twice where there is an exponent, unless the first type holds every digit.
  const exact = `CASE WHEN contains(lower(${text}), 'e') THEN TRY_CAST(TRY_CAST(${text} AS DECIMAL(38, 18)) AS DECIMAL(18, ${scale})) ELSE TRY_CAST(${text} AS DECIMAL(18, ${scale})) END`;
  // Its digits without the point, as a multiplication could overflow.
  const steps = `replace(CAST(${exact} AS VARCHAR), '.', '')`;
  const extreme = `CASE WHEN abs(TRY_CAST(${text} AS DOUBLE)) > 9e${17 - scale} THEN CASE WHEN ${text} LIKE '-%' THEN -${storedMagnitudeMax} ELSE ${storedMagnitudeMax} END END`;
  return `CASE WHEN length(${text}) <= ${numberCharactersMax} AND regexp_full_match(${text}, '${numberPattern}') THEN coalesce(CAST(${steps} AS BIGINT), ${extreme}) END`;
}

function isFiner(text: string, scale: number): string {
  const exact = (digits: number) =>
    `TRY_CAST(TRY_CAST(${text} AS DECIMAL(38, ${digits})) AS DECIMAL(38, 18))`;
  return `CASE WHEN contains(lower(${text}), 'e') THEN coalesce(${exact(18)} <> ${exact(scale)}, false) ELSE regexp_matches(${text}, '\\.[0-9]{${scale}}[0-9]*[1-9]') END`;
}
