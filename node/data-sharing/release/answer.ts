/** A released answer: noisy integers, and labels of groups that may be known, and nothing else. Plain JSON, so that both parties hash the same bytes. */
import { z } from "zod";
import { canonicalHash } from "../../primitives/canonical-json.ts";
import { type Hex, hash32Pattern } from "../../primitives/hex.ts";
import { rhoOf } from "../accounting/zcdp.ts";
import { type Rational, rational } from "../mechanisms/rational.ts";
import { peopleRhoOf } from "../mechanisms/threshold.ts";
import { cellsMax, type Plan, releasedCellsOf } from "../plan/plan.ts";
import { labelLengthMax } from "./labels.ts";

const valueSchema = z.string().regex(/^(?:0|-?[1-9]\d{0,59})$/, "use a whole number as text");
/** Numbers that take as much room as a label. */
const labelWeight = 2;
const positiveSchema = z.string().regex(/^[1-9]\d{0,99}$/, "use a positive whole number as text");

export const releasedAnswerSchema = z.strictObject({
  version: z.literal("itd-answer/2"),
  /** Hash of the plan that is answered. */
  plan: z.string().regex(hash32Pattern, "use 0x and 64 lower-case hexadecimal digits"),
  /** With an open key the groups that are shown, each by its keys' labels, in the order of `compareLabelLists`; else null. */
  groups: z
    .array(z.array(z.string().max(labelLengthMax)).min(1).max(16))
    .max(cellsMax)
    .nullable(),
  /** `values[r][g * cells + c]`: cell c of release r for group g, with its noise; null in every release of a suppressed group. */
  values: z.array(z.array(valueSchema.nullable()).max(cellsMax)).min(1).max(256),
  /** The noise of each release: the variance parameter of its discrete Gaussian, in lowest terms; null for the exponential mechanism. */
  variances: z
    .array(z.strictObject({ numerator: positiveSchema, denominator: positiveSchema }).nullable())
    .min(1)
    .max(256),
});

export type ReleasedAnswer = z.infer<typeof releasedAnswerSchema>;

/** SHA-256 over the canonical JSON of the answer. */
export function answerHash(answer: ReleasedAnswer): Hex {
  return canonicalHash(answer);
}

/**
 * The variance parameter of each release's noise, sensitivity^2 / (2 rho), in lowest terms (Canonne, Kamath, Steinke 2020, theorem 4); null
 * for the exponential mechanism. Of the counts of people behind a threshold, a part of rho is for the number of groups. A function of the plan alone.
 */
export function planVariances({
  releases,
  threshold,
}: Pick<Plan, "releases" | "threshold">): (Rational | null)[] {
  return releases.map((release, index) => {
    if (release.mechanism === "exponential") return null;
    const microRho = BigInt(release.microRho);
    const rho = index === threshold?.release ? peopleRhoOf(microRho) : rhoOf(microRho);
    return lowestTerms(rational(BigInt(release.sensitivitySquared) * rho.denominator, 2n * rho.numerator));
  });
}

export function varianceText(variance: Rational | null): ReleasedAnswer["variances"][number] {
  if (variance === null) return null;
  return { numerator: variance.numerator.toString(), denominator: variance.denominator.toString() };
}

/** The most groups of an open key that are shown: an answer stays within `cellsMax` numbers and below the size of a reply. */
export function shownGroupsMax(plan: Plan): number {
  const cells = plan.releases.reduce((sum, release) => sum + releasedCellsOf(plan, release), 0);
  return Math.floor(cellsMax / (cells + labelWeight * plan.keys.length));
}

/** The same number with the smallest numerator and denominator. */
export function lowestTerms({ numerator, denominator }: Rational): Rational {
  let [a, b] = [numerator, denominator];
  while (b !== 0n) [a, b] = [b, a % b];
  return rational(numerator / a, denominator / a);
}
