/**
 * Interval arithmetic at plan time: no row may make an intermediate value leave the engines' 64-bit integers, as an overflow would be
 * an error that depends on data.
 */
import { TrustedDataError } from "../../errors.ts";
import { dateToDays } from "../manifests/grid.ts";
import type { Interval } from "./columns.ts";
import type { DatePart, Expression } from "./plan.ts";
import { type Place, refuse } from "./sql-node.ts";

/** Every intermediate value stays below this in magnitude, in whichever order an engine adds or multiplies. */
export const magnitudeLimit = 1n << 62n;

/** The range of a column, or null where none is declared. */
export type RangeOf = (column: string) => Interval | null;

/**
 * What values the expression takes.
 * @throws TrustedDataError `bounds_missing` for arithmetic on a column without bounds, `sql_refused` where values could grow too large.
 */
export function intervalOf(expression: Expression, rangeOf: RangeOf, place: Place): Interval {
  const inner = (part: Expression) => intervalOf(part, rangeOf, place);
  switch (expression.kind) {
    case "column":
      return rangeOf(expression.name) ?? boundsMissing(expression.name);
    case "constant":
      return within({ low: BigInt(expression.value), high: BigInt(expression.value) }, place);
    case "add": {
      const parts = expression.operands.map(inner);
      checkMagnitude(sum(parts.map(magnitudeOf)), place);
      return { low: sum(parts.map((part) => part.low)), high: sum(parts.map((part) => part.high)) };
    }
    case "subtract": {
      const [left, right] = [inner(expression.left), inner(expression.right)];
      return within({ low: left.low - right.high, high: left.high - right.low }, place);
    }
    case "multiply": {
      const parts = expression.operands.map(inner);
      checkMagnitude(
        parts.map((part) => larger(magnitudeOf(part), 1n)).reduce((a, b) => a * b, 1n),
        place,
      );
      return parts.reduce(multiplied, { low: 1n, high: 1n });
    }
    case "null":
      return { low: 0n, high: 0n };
    case "date-part": {
      const days = inner(expression.of);
      checkYears(days, place);
      return datePartRange(expression.part, days);
    }
    case "case": {
      const values = [...expression.branches.map(({ value }) => value), expression.otherwise];
      const parts = values.filter((value) => value.kind !== "null").map(inner);
      if (parts.length === 0) refuse(place, "CASE is null in every branch");
      return parts.reduce(hull);
    }
    case "divide": {
      const left = inner(expression.left);
      if (left.low < 0n) refuse(place, "what is divided could be negative");
      const divisor = BigInt(expression.divisor);
      checkMagnitude(divisor, place);
      return { low: left.low / divisor, high: left.high / divisor };
    }
  }
}

/** The least that holds both. */
export function hull(a: Interval, b: Interval): Interval {
  return { low: a.low < b.low ? a.low : b.low, high: larger(a.high, b.high) };
}

const partRanges: Record<Exclude<DatePart, "year">, [bigint, bigint]> = {
  quarter: [1n, 4n],
  month: [1n, 12n],
  day: [1n, 31n],
  dow: [0n, 6n],
  doy: [1n, 366n],
};

function datePartRange(part: DatePart, days: Interval): Interval {
  if (part !== "year") return { low: partRanges[part][0], high: partRanges[part][1] };
  const year = (day: bigint) => BigInt(new Date(Number(day) * 86_400_000).getUTCFullYear());
  return { low: year(days.low), high: year(days.high) };
}

/** Engines agree on the calendar of these years. */
export const firstDay = dateToDays("0001-01-01")!;
const lastDay = dateToDays("9999-12-31")!;

export function checkYears({ low, high }: Interval, place: Place): void {
  if (low < firstDay || high > lastDay) refuse(place, "a date could leave the years 1 to 9999");
}

/** By the plan's name, of which people know the part after the point. */
export function boundsMissing(planName: string): never {
  const column = planName.slice(planName.indexOf(".") + 1);
  throw new TrustedDataError(
    "bounds_missing",
    `The column ${column} has no bounds: declare them in the dataset, or clamp the column in the algorithm where it is summed by itself.`,
    { column },
  );
}

export function magnitudeOf({ low, high }: Interval): bigint {
  return larger(low < 0n ? -low : low, high < 0n ? -high : high);
}

function multiplied(a: Interval, b: Interval): Interval {
  const corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
  return {
    low: corners.reduce((x, y) => (x < y ? x : y)),
    high: corners.reduce((x, y) => (x > y ? x : y)),
  };
}

function within(interval: Interval, place: Place): Interval {
  checkMagnitude(magnitudeOf(interval), place);
  return interval;
}

function checkMagnitude(magnitude: bigint, place: Place): void {
  if (magnitude >= magnitudeLimit) refuse(place, "a value could grow beyond 2^62");
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function sum(values: bigint[]): bigint {
  return values.reduce((a, b) => a + b, 0n);
}
