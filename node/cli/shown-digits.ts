/**
 * Numbers with no more digits than the margin of their noise deserves: 1234.5678 ± 3.7 is read as 1235 ± 4. By the rule of the Particle Data
 * Group (Review of Particle Physics, introduction, "Rounding"): a margin keeps two digits where they are at most 35, else one, and
 * the number ends at the same place. Margins are rounded up here, as they promise that noise stays within them.
 */
import { formatDecimal, parseDecimal } from "../data-sharing/manifests/grid.ts";
import type { PresentedRow } from "../data-sharing/release/presented-answer.ts";

const twoDigitsMax = 35n;

export interface Shown {
  value: string;
  margin: string;
}

/** A value of a row as people read it; exact where it has no margin. */
export function shownAt(
  { values, margins }: Pick<PresentedRow, "values" | "margins">,
  column: number,
): { value: string | null; margin: string | null } {
  const [value, margin] = [values[column] ?? null, margins[column] ?? null];
  return value === null || margin === null ? { value, margin } : shownDigits(value, margin);
}

/** Of two decimals as text. A margin of zero says that every digit counts. */
export function shownDigits(value: string, margin: string): Shown {
  const scale = Math.max(decimalPlaces(value), decimalPlaces(margin));
  const marginSteps = stepsAt(margin, scale);
  const digits = marginSteps.toString().length;
  const kept = firstTwoDigits(marginSteps) <= twoDigitsMax ? 2 : 1;
  const dropped = marginSteps === 0n ? 0 : Math.max(0, digits - kept);
  const place = 10n ** BigInt(dropped);
  const places = Math.max(0, scale - dropped);
  const text = (steps: bigint) => formatDecimal(steps / 10n ** BigInt(scale - places), places);
  return { value: text(rounded(stepsAt(value, scale), place)), margin: text(roundedUp(marginSteps, place)) };
}

/** Rounded up too: 35.1 is above 35. */
function firstTwoDigits(steps: bigint): bigint {
  const rest = steps.toString().length - 2;
  return rest <= 0
    ? steps * 10n ** BigInt(-rest)
    : roundedUp(steps, 10n ** BigInt(rest)) / 10n ** BigInt(rest);
}

function decimalPlaces(text: string): number {
  return text.split(".")[1]?.length ?? 0;
}

function stepsAt(text: string, scale: number): bigint {
  const { steps, scale: own } = parseDecimal(text)!;
  return steps * 10n ** BigInt(scale - own);
}

/** To the nearest, halves away from zero. */
function rounded(steps: bigint, place: bigint): bigint {
  const magnitude = ((steps < 0n ? -steps : steps) + place / 2n) / place;
  return (steps < 0n ? -magnitude : magnitude) * place;
}

function roundedUp(steps: bigint, place: bigint): bigint {
  return ((steps + place - 1n) / place) * place;
}
