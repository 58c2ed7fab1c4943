/**
 * Purposes as they are written (`dpv:AcademicResearch`), and which of them covers which: permission or consent for a purpose is one for
 * all that are narrower, as DPV means it. Everywhere that purposes are compared they are compared here: what a dataset or an algorithm
 * permits (admission.ts, receipt-checks.ts), and what a person has consented to (consented-people.ts).
 */
import { z } from "zod";
import { dpvPurposes } from "./dpv-purposes.ts";

const prefix = "dpv:";

export function isPurpose(text: string): boolean {
  return text.startsWith(prefix) && Object.hasOwn(dpvPurposes, text.slice(prefix.length));
}

export const purposeSchema = z
  .string()
  .max(64, { abort: true })
  .regex(/^dpv:[A-Z][A-Za-z]+$/, {
    error: "use a term of the Data Privacy Vocabulary, such as dpv:ResearchAndDevelopment",
    abort: true,
  })
  .refine(isPurpose, {
    error: ({ input }) =>
      `DPV 2.0 has no purpose of this name; the nearest is ${nearestPurpose(String(input))}`,
  });

/** Whether permission for `broader` is permission for `narrower`: the same term, or one further down. */
export function purposeCovers(broader: string, narrower: string): boolean {
  return broader === narrower || broaderPurposes(narrower).has(broader);
}

/** The one of `permitted` by which `purpose` is: itself if it is there, else the first that covers it. */
export function permittingPurpose(permitted: readonly string[], purpose: string): string | undefined {
  return permitted.includes(purpose) ? purpose : permitted.find((one) => purposeCovers(one, purpose));
}

/** What two lists both permit: the terms that both name, or, where there are none, the narrower of each two of which one covers the other. */
export function commonPurposes(some: readonly string[], others: readonly string[]): string[] {
  const named = some.filter((one) => others.includes(one));
  if (named.length > 0) return named;
  return [
    ...some.filter((one) => permittingPurpose(others, one) !== undefined),
    ...others.filter((one) => permittingPurpose(some, one) !== undefined),
  ];
}

/** All terms further up, without the term itself. */
export function broaderPurposes(purpose: string): Set<string> {
  const found = new Set<string>();
  const visit = (term: string): void => {
    for (const broader of dpvPurposes[term] ?? []) {
      found.add(`${prefix}${broader}`);
      visit(broader);
    }
  };
  visit(purpose.slice(prefix.length));
  return found;
}

/** The term that is written most alike (fewest letters changed, added or dropped; letter case does not count). */
export function nearestPurpose(text: string): string {
  const typed = text
    .toLowerCase()
    .replace(/^dpv:?/, "")
    .slice(0, 64);
  const distances = Object.keys(dpvPurposes).map(
    (term) => [editDistance(typed, term.toLowerCase()), term] as const,
  );
  return `${prefix}${distances.reduce((best, one) => (one[0] < best[0] ? one : best))[1]}`;
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(same, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
