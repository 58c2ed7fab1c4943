/** A released answer: noisy integers and nothing else. Plain JSON, so that both parties hash the same bytes. */
import { z } from "zod";
import { TrustedDataError } from "../../errors.ts";
import { canonicalHash } from "../../primitives/canonical-json.ts";
import { type Hex, hash32Pattern } from "../../primitives/hex.ts";
import { rhoOf } from "../accounting/zcdp.ts";
import { domainSizeMax } from "../manifests/dataset-manifest.ts";
import { gaussianVariance } from "../mechanisms/discrete-gaussian.ts";
import { type Rational, rational } from "../mechanisms/rational.ts";
import { groupCountOf, type Plan } from "../plan/plan.ts";
import { planHash } from "../plan/plan-hash.ts";

const valueSchema = z.string().regex(/^(?:0|-?[1-9]\d{0,59})$/, "use a whole number as text");
const positiveSchema = z.string().regex(/^[1-9]\d{0,99}$/, "use a positive whole number as text");

export const releasedAnswerSchema = z.strictObject({
  version: z.literal("itd-answer/1"),
  /** Hash of the plan that is answered. */
  plan: z.string().regex(hash32Pattern, "use 0x and 64 lower-case hexadecimal digits"),
  /** `values[v][g]`: vector v of group g with its noise; null in every vector of a suppressed group. */
  values: z.array(z.array(valueSchema.nullable()).min(1).max(domainSizeMax)).min(1).max(256),
  /** The noise of each vector: the variance parameter of its discrete Gaussian, in lowest terms. */
  variances: z
    .array(z.strictObject({ numerator: positiveSchema, denominator: positiveSchema }))
    .min(1)
    .max(256),
});

export type ReleasedAnswer = z.infer<typeof releasedAnswerSchema>;

/** SHA-256 over the canonical JSON of the answer. */
export function answerHash(answer: ReleasedAnswer): Hex {
  return canonicalHash(answer);
}

/** The variance parameter of each vector's noise, in lowest terms: a function of the plan alone. */
export function planVariances(plan: Plan): Rational[] {
  return plan.releases.map(({ sensitivity, microRho }) =>
    lowestTerms(gaussianVariance(BigInt(sensitivity), rhoOf(BigInt(microRho)))),
  );
}

export function varianceText({ numerator, denominator }: Rational): ReleasedAnswer["variances"][number] {
  return { numerator: numerator.toString(), denominator: denominator.toString() };
}

/** The same number with the smallest numerator and denominator. */
export function lowestTerms({ numerator, denominator }: Rational): Rational {
  let [a, b] = [numerator, denominator];
  while (b !== 0n) [a, b] = [b, a % b];
  return rational(numerator / a, denominator / a);
}

/**
 * Holds an answer from outside to its plan.
 * @throws TrustedDataError `answer_invalid` where it belongs to another plan, has another shape or another noise than the plan asks
 * for, or shows a group that the floor suppresses. Whether the noise was really drawn cannot be seen from an answer.
 */
export function checkAnswer(plan: Plan, answer: ReleasedAnswer): void {
  const groups = groupCountOf(plan);
  const variances = planVariances(plan).map(varianceText);
  const hash = planHash(plan);
  const known = (value: string | null | undefined): value is string => typeof value === "string";
  if (answer.plan !== hash) invalid("plan", "it answers another plan");
  if (
    answer.values.length !== plan.vectors.length ||
    answer.values.some((vector) => vector.length !== groups)
  )
    invalid("values", "it has another number of values than its plan");
  if (
    JSON.stringify(answer.variances.map((v) => [v.numerator, v.denominator])) !==
    JSON.stringify(variances.map((v) => [v.numerator, v.denominator]))
  )
    invalid("variances", "its noise is not that of its plan");
  for (let group = 0; group < groups; group++) {
    const shown = answer.values.filter((vector) => known(vector[group])).length;
    if (shown !== 0 && shown !== answer.values.length) invalid("values", "a group is suppressed in part");
    const rows = answer.values[plan.floor.vector]?.[group];
    if (known(rows) && BigInt(rows) < BigInt(plan.floor.minimumPeople))
      invalid("values", "a group under the floor is shown");
  }
}

function invalid(field: string, reason: string): never {
  throw new TrustedDataError("answer_invalid", `The answer cannot be read: ${reason}.`, { [field]: reason });
}
