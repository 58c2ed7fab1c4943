/** What groups are called: one label for each key, as text. */
import { dateToDays, parseDecimal } from "../manifests/grid.ts";
import { openTextLengthMax } from "../manifests/text-code.ts";
import type { GroupKey, Plan } from "../plan/plan.ts";

/** In UTF-16 units, two of which a character may take. */
export const labelLengthMax = 2 * openTextLengthMax;

/** The labels of a group of declared keys; the last key counts fastest. */
export function declaredLabels({ keys }: Pick<Plan, "keys">, group: number): string[] {
  const labels: string[] = [];
  let rest = group;
  for (const key of keys.toReversed()) {
    const own = key.kind === "declared" ? key.labels : [];
    labels.unshift(own[rest % own.length]!);
    rest = Math.floor(rest / own.length);
  }
  return labels;
}

/** Whether the labels can be those of a group, one for each key. */
export function labelsFit(keys: readonly GroupKey[], labels: readonly string[]): boolean {
  return labels.length === keys.length && keys.every((key, index) => labelFits(key, labels[index]!));
}

function labelFits(key: GroupKey, label: string): boolean {
  if (key.kind === "declared") return key.labels.includes(label);
  if (key.type === "date") return dateToDays(label) !== null;
  // A lone surrogate could not be hashed.
  if (key.type === "text") return label.length <= labelLengthMax && label.isWellFormed();
  const places = key.scale === 0 ? "" : `\\.\\d{${key.scale}}`;
  const isNumber = new RegExp(`^-?(?:0|[1-9]\\d*)${places}$`).test(label) && !/^-[0.]*$/.test(label);
  return isNumber && label.length <= labelLengthMax;
}

/** By the first label that differs. */
export function compareLabelLists(a: readonly string[], b: readonly string[]): number {
  for (const [index, label] of a.entries()) {
    const difference = compareLabels(label, b[index]!);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** A total order: numbers by size, before all other texts; those by their UTF-16 units, as dates are in order of time then. */
export function compareLabels(a: string, b: string): number {
  const [first, second] = [parseNumber(a), parseNumber(b)];
  if (first === null || second === null)
    return Number(first === null) - Number(second === null) || byUnits(a, b);
  return compareNumbers(first, second) || byUnits(a, b);
}

/** Two decimals by size. */
export function compareDecimals(a: string, b: string): number {
  return compareNumbers(parseNumber(a)!, parseNumber(b)!);
}

type ParsedNumber = NonNullable<ReturnType<typeof parseDecimal>>;

function parseNumber(text: string): ParsedNumber | null {
  return /^-?\d+(?:\.\d+)?$/.test(text) ? parseDecimal(text) : null;
}

function compareNumbers(a: ParsedNumber, b: ParsedNumber): number {
  const left = a.steps * 10n ** BigInt(Math.max(0, b.scale - a.scale));
  const right = b.steps * 10n ** BigInt(Math.max(0, a.scale - b.scale));
  return left < right ? -1 : left > right ? 1 : 0;
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
