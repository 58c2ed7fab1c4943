/** The grid of fixed point: a number with `scale` decimal places is kept as the whole number of steps of 10^-scale. Never rounds. */

/** An exact decimal number: steps of 10^-scale. */
export interface Decimal {
  steps: bigint;
  scale: number;
}

/** Reads `-12.50` as 1250 steps of 0.01 less trailing zeros (125 steps of 0.1); null for anything but digits with a point. */
export function parseDecimal(text: string): Decimal | null {
  const match = /^(-?)(\d*)(?:\.(\d*))?$/.exec(text);
  if (match === null || !/\d/.test(text)) return null;
  const decimals = match[3] ?? "";
  // A search for the zeros at the end would begin anew at each zero.
  let length = decimals.length;
  while (decimals[length - 1] === "0") length--;
  const fraction = decimals.slice(0, length);
  const magnitude = BigInt(`${match[2]}${fraction}`);
  return { steps: match[1] === "-" ? -magnitude : magnitude, scale: fraction.length };
}

/** Of any grid here; a number with more would take time and memory without end. */
const gridScaleMax = 100;

/** `value` in steps of 10^-scale, or null where it lies between two steps, or `scale` is none. */
export function decimalToGrid(value: number, scale: number): bigint | null {
  // Schemas look at bounds also where they have found the scale beside them too large.
  if (!Number.isInteger(scale) || scale < 0 || scale > gridScaleMax) return null;
  const decimal = parseDecimal(String(value));
  if (decimal === null || decimal.scale > scale) return null;
  return decimal.steps * 10n ** BigInt(scale - decimal.scale);
}

/** Steps of 10^-scale as text with `scale` decimal places: 1250 at 2 is "12.50". */
export function formatDecimal(steps: bigint, scale: number): string {
  const digits = (steps < 0n ? -steps : steps).toString().padStart(scale + 1, "0");
  const sign = steps < 0n ? "-" : "";
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Days since 1970-01-01 of a `YYYY-MM-DD` that exists, else null. */
export function dateToDays(text: string): bigint | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const timeMs = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(timeMs) || new Date(timeMs).toISOString().slice(0, 10) !== text) return null;
  return BigInt(timeMs / 86_400_000);
}

/** The inverse of `dateToDays` for years 0 to 9999. */
export function daysToDate(days: bigint): string {
  return new Date(Number(days) * 86_400_000).toISOString().slice(0, 10);
}
