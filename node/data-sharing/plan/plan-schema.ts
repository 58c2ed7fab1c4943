/**
 * Plans as they come in receipts and from peers: well-formed, bounded, every reference inside. It does not say that the plan is
 * canonical, nor that its sensitivities are right for a dataset: who needs that compiles the plan again and compares hashes.
 */
import { z } from "zod";
import { domainSizeMax, identifierSchema, microRhoSchema } from "../manifests/dataset-manifest.ts";
import { quantileSensitivity } from "../mechanisms/quantile-scores.ts";
import {
  type AnswerCondition,
  cellsMax,
  cellsOf,
  exactCellsMax,
  groupCountOf,
  type Plan,
  releasedCellsOf,
  rowsPerPersonOf,
} from "./plan.ts";
import { isJoined } from "./plan-references.ts";
import {
  expressionSchema,
  positiveSchema,
  rowsPerPersonSchema,
  rowsSchema,
  wholeSchema,
} from "./plan-rows-schema.ts";
import { sensitivitySquaredOf } from "./sensitivity.ts";
import { sqlDepthMax } from "./sql-node.ts";

/** Everything that a plan's JSON holds, texts and numbers too: public tables, domains and lists of values are the most of it. */
const planPartsMax = 200_000;
const placeSchema = z.int().min(0).max(1_000);

const boundingSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("stored") }),
  z.strictObject({
    kind: z.literal("query"),
    rowsPerGroup: rowsPerPersonSchema,
    groups: z.int().min(1).max(domainSizeMax),
  }),
]);

const keySchema = z.discriminatedUnion("kind", [
  z
    .strictObject({
      kind: z.literal("declared"),
      expression: expressionSchema,
      values: z.array(wholeSchema).min(1).max(domainSizeMax),
      labels: z.array(z.string().min(1).max(100)).min(1).max(domainSizeMax),
    })
    .refine((key) => key.values.length === key.labels.length, "values and labels differ in number")
    .refine((key) => new Set(key.labels).size === key.labels.length, "a label appears twice")
    .refine(
      ({ values }) =>
        values.every((value, index) => index === 0 || BigInt(values[index - 1]!) < BigInt(value)),
      "values do not ascend",
    ),
  z.strictObject({
    kind: z.literal("open"),
    expression: expressionSchema,
    type: z.enum(["number", "date", "text"]),
    scale: z.int().min(0).max(12),
  }),
]);

const bounded = { of: expressionSchema, low: wholeSchema };
const vectorSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("count"), of: expressionSchema.nullable() }),
  z.strictObject({ kind: z.literal("people") }),
  z
    .strictObject({ kind: z.enum(["sum", "squares"]), ...bounded, high: wholeSchema, centre: wholeSchema })
    .refine(({ low, high }) => BigInt(low) <= BigInt(high), "the lower bound is above the upper one"),
  z.strictObject({
    kind: z.literal("buckets"),
    ...bounded,
    step: positiveSchema,
    buckets: z.int().min(2).max(cellsMax),
  }),
]);

const chargeSchema = positiveSchema.pipe(microRhoSchema);
const releaseSchema = z.discriminatedUnion("mechanism", [
  z.strictObject({
    mechanism: z.literal("gaussian"),
    vector: placeSchema,
    sensitivitySquared: positiveSchema,
    microRho: chargeSchema,
  }),
  z.strictObject({
    mechanism: z.literal("exponential"),
    vector: placeSchema,
    quantile: z
      .strictObject({ numerator: wholeSchema, denominator: positiveSchema })
      .refine(
        ({ numerator, denominator }) => BigInt(numerator) >= 0n && BigInt(numerator) <= BigInt(denominator),
        "a quantile lies between 0 and 1",
      ),
    offset: wholeSchema,
    first: wholeSchema,
    sensitivity: positiveSchema,
    microRho: chargeSchema,
  }),
]);

const named = { name: identifierSchema, shown: z.boolean() };
const scaleSchema = z.int().min(0).max(12);
const outputSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("key"), ...named, key: placeSchema }),
  z.strictObject({
    kind: z.literal("count"),
    ...named,
    release: placeSchema,
    cell: z.int().min(0).max(cellsMax),
    label: z.string().min(1).max(100).optional(),
  }),
  z.strictObject({ kind: z.literal("sum"), ...named, release: placeSchema, scale: scaleSchema }),
  z.strictObject({
    kind: z.literal("average"),
    ...named,
    sum: placeSchema,
    count: placeSchema,
    scale: scaleSchema,
  }),
  z.strictObject({
    kind: z.literal("variance"),
    ...named,
    squares: placeSchema,
    sum: placeSchema,
    count: placeSchema,
    scale: scaleSchema,
    sample: z.boolean(),
    root: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal("quantile"),
    ...named,
    release: placeSchema,
    type: z.enum(["number", "date"]),
    scale: scaleSchema,
  }),
]);

const conditionSchema: z.ZodType<AnswerCondition> = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("compare"),
      operator: z.enum(["=", "<", "<=", ">", ">="]),
      output: placeSchema,
      value: z.string().regex(/^-?\d{1,40}(?:\.\d{1,12})?$/, "use a decimal number as text"),
    }),
    z.strictObject({ kind: z.enum(["and", "or"]), operands: z.array(conditionSchema).min(2) }),
    z.strictObject({ kind: z.literal("not"), operand: conditionSchema }),
  ]),
) as z.ZodType<AnswerCondition>;

const postSchema = z.strictObject({
  having: conditionSchema.nullable(),
  order: z.array(z.strictObject({ output: placeSchema, descending: z.boolean() })).max(64),
  limit: z
    .int()
    .min(0)
    .max(domainSizeMax * 10)
    .nullable(),
});

const shapeSchema = z
  .unknown()
  .refine(isModest, "the plan is nested too deeply or has too many parts")
  .pipe(
    z.strictObject({
      version: z.literal("itd-plan/2"),
      rows: rowsSchema,
      bounding: boundingSchema,
      keys: z.array(keySchema).max(16),
      vectors: z.array(vectorSchema).min(1).max(256),
      releases: z.array(releaseSchema).min(1).max(256),
      floor: z.strictObject({
        release: placeSchema,
        minimum: z
          .int()
          .min(0)
          .max(2 ** 40),
      }),
      threshold: z.strictObject({ release: placeSchema, minimum: positiveSchema }).nullable(),
      microRho: microRhoSchema,
      outputs: z.array(outputSchema).min(1).max(512),
      post: postSchema,
    }),
  );

/** The checks over the whole run only on a plan whose parts are sound, and one after the other: a later one rests on the earlier ones. */
export const planSchema: z.ZodType<Plan> = shapeSchema.pipe(
  z
    .custom<Plan>()
    .refine(isJoined, { error: "the plan points at parts that it does not have", abort: true })
    .refine(hasRoom, { error: "the answer has too many numbers", abort: true })
    .refine(
      (plan) => BigInt(plan.microRho) === plan.releases.reduce((sum, r) => sum + BigInt(r.microRho), 0n),
      {
        error: "microRho is not the sum of its parts",
        abort: true,
      },
    )
    .refine(isCovered, "a sensitivity is too small"),
);

/** Whether the answer, and what an engine finds for it, stay within their limits. */
export function hasRoom(plan: Pick<Plan, "keys" | "vectors" | "releases">): boolean {
  const groups = groupCountOf(plan) ?? 1;
  const exact = plan.vectors.reduce((sum, vector) => sum + cellsOf(vector), 0);
  const released = plan.releases.reduce((sum, release) => sum + releasedCellsOf(plan, release), 0);
  return groups * released <= cellsMax && groups * exact <= exactCellsMax;
}

function isCovered(plan: Plan): boolean {
  const contribution = {
    rows: rowsPerPersonOf(plan.rows),
    bounding: plan.bounding,
    groups: groupCountOf(plan),
  };
  return plan.releases.every((release) => {
    const least = sensitivitySquaredOf(plan.vectors[release.vector]!, contribution);
    if (release.mechanism === "gaussian") return BigInt(release.sensitivitySquared) >= least;
    const quantile = {
      numerator: BigInt(release.quantile.numerator),
      denominator: BigInt(release.quantile.denominator),
    };
    const perRow = quantileSensitivity(quantile, 1n);
    return BigInt(release.sensitivity) ** 2n >= least * perRow ** 2n;
  });
}

/** Looked at before anything recurses, and by the compiler: what it makes is accepted. */
export function isModest(value: unknown): boolean {
  let parts = 0;
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    parts += level.length;
    if (depth > 4 * sqlDepthMax || parts > planPartsMax) return false;
    level = level
      .filter((item) => typeof item === "object" && item !== null)
      .flatMap((item) => Object.values(item as object));
  }
  return true;
}
