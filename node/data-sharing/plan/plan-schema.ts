/**
 * Plans as they come in receipts and from peers: well-formed, bounded, every reference inside. It does not say that the plan is
 * canonical, nor that its sensitivities are right for a dataset: who needs that compiles the plan again and compares hashes.
 */
import { z } from "zod";
import { domainSizeMax, identifierSchema, microRhoSchema } from "../manifests/dataset-manifest.ts";
import { cellsMax, type Expression, groupCountOf, type Plan, type Predicate } from "./plan.ts";
import { sensitivityOf } from "./sensitivity.ts";
import { sqlDepthMax, sqlNodesMax } from "./sql-node.ts";

/** Enough for products of sensitivities; short enough to compute with. */
const wholeSchema = wholeNumber(/^(?:0|-?[1-9]\d{0,38})$/, "use a whole number as text");
const positiveSchema = wholeNumber(/^[1-9]\d{0,38}$/, "use a positive whole number as text");
const placeSchema = z.int().min(0).max(1_000);

const expressionSchema: z.ZodType<Expression> = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("column"), name: identifierSchema }),
    z.strictObject({ kind: z.literal("constant"), value: wholeSchema }),
    z.strictObject({ kind: z.enum(["add", "multiply"]), operands: z.array(expressionSchema).min(2) }),
    z.strictObject({ kind: z.literal("subtract"), left: expressionSchema, right: expressionSchema }),
    z.strictObject({ kind: z.literal("divide"), left: expressionSchema, divisor: positiveSchema }),
  ]),
);

const predicateSchema: z.ZodType<Predicate> = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.enum(["always", "never"]) }),
    z.strictObject({
      kind: z.literal("compare"),
      operator: z.enum(["=", "<", "<="]),
      left: expressionSchema,
      right: expressionSchema,
    }),
    z.strictObject({
      kind: z.literal("in"),
      expression: expressionSchema,
      values: z.array(wholeSchema).min(1),
    }),
    z.strictObject({ kind: z.literal("is-null"), column: identifierSchema }),
    z.strictObject({ kind: z.enum(["and", "or"]), operands: z.array(predicateSchema).min(2) }),
    z.strictObject({ kind: z.literal("not"), operand: predicateSchema }),
  ]),
) as z.ZodType<Predicate>;

const keySchema = z
  .strictObject({
    expression: expressionSchema,
    values: z.array(wholeSchema).min(1).max(domainSizeMax),
    labels: z.array(z.string().min(1).max(100)).min(1).max(domainSizeMax),
  })
  .refine((key) => key.values.length === key.labels.length, "values and labels differ in number")
  .refine((key) => new Set(key.labels).size === key.labels.length, "a label appears twice")
  .refine(
    ({ values }) => values.every((value, index) => index === 0 || BigInt(values[index - 1]!) < BigInt(value)),
    "values do not ascend",
  );

const vectorSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("count"), of: expressionSchema.nullable() }),
  z
    .strictObject({
      kind: z.literal("sum"),
      of: expressionSchema,
      low: wholeSchema,
      high: wholeSchema,
      centre: wholeSchema,
    })
    .refine(({ low, high }) => BigInt(low) <= BigInt(high), "the lower bound is above the upper one"),
]);

const named = { name: identifierSchema };
const scaleSchema = z.int().min(0).max(12);
const outputSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("key"), ...named, key: placeSchema }),
  z.strictObject({ kind: z.literal("count"), ...named, vector: placeSchema }),
  z.strictObject({ kind: z.literal("sum"), ...named, vector: placeSchema, scale: scaleSchema }),
  z.strictObject({
    kind: z.literal("average"),
    ...named,
    sum: placeSchema,
    count: placeSchema,
    scale: scaleSchema,
  }),
]);

const shapeSchema = z
  .unknown()
  .refine(isModest, "the plan is nested too deeply or has too many parts")
  .pipe(
    z.strictObject({
      version: z.literal("itd-plan/1"),
      table: identifierSchema,
      rowsPerPerson: z.int().min(1).max(10_000),
      filter: predicateSchema,
      keys: z.array(keySchema).max(16),
      vectors: z.array(vectorSchema).min(1).max(256),
      releases: z.array(
        z.strictObject({ sensitivity: positiveSchema, microRho: positiveSchema.pipe(microRhoSchema) }),
      ),
      floor: z.strictObject({ vector: placeSchema, minimumPeople: z.int().min(0).max(1_000_000) }),
      microRho: microRhoSchema,
      outputs: z.array(outputSchema).min(1).max(64),
    }),
  );

/** The checks over the whole run only on a plan whose parts are sound, and one after the other: a later one rests on the earlier ones. */
export const planSchema: z.ZodType<Plan> = shapeSchema.pipe(
  z
    .custom<Plan>()
    .refine((plan) => groupCountOf(plan) * plan.vectors.length <= cellsMax, {
      error: "the answer has too many numbers",
      abort: true,
    })
    .refine(isJoined, { error: "the plan points at parts that it does not have", abort: true })
    .refine(
      (plan) => BigInt(plan.microRho) === plan.releases.reduce((sum, r) => sum + BigInt(r.microRho), 0n),
      {
        error: "microRho is not the sum of its parts",
        abort: true,
      },
    )
    .refine(
      (plan) =>
        plan.releases.every(
          ({ sensitivity }, index) =>
            BigInt(sensitivity) >= sensitivityOf(plan.vectors[index]!, plan.rowsPerPerson),
        ),
      "a sensitivity is too small",
    ),
);

/** A text that is no number ends the reading (`abort`), as checks further out compute with it. */
function wholeNumber(pattern: RegExp, error: string) {
  return z.string().refine((text) => pattern.test(text), { error, abort: true });
}

/** Every index leads to a part of the right kind. */
function isJoined(plan: Plan): boolean {
  const isCount = (place: number) => plan.vectors[place]?.kind === "count";
  const floor = plan.vectors[plan.floor.vector];
  return (
    plan.releases.length === plan.vectors.length &&
    floor?.kind === "count" &&
    floor.of === null &&
    new Set(plan.outputs.map((output) => output.name)).size === plan.outputs.length &&
    plan.outputs.every((output) => {
      if (output.kind === "key") return output.key < plan.keys.length;
      if (output.kind === "count") return isCount(output.vector);
      const sum = plan.vectors[output.kind === "sum" ? output.vector : output.sum];
      if (sum?.kind !== "sum") return false;
      return output.kind === "sum" ? sum.centre === "0" : isCount(output.count);
    })
  );
}

/** Looked at before anything recurses. Labels and values are plain lists and bounded by their own schema. */
function isModest(value: unknown): boolean {
  let parts = 0;
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    parts += level.length;
    if (depth > 4 * sqlDepthMax || parts > 16 * sqlNodesMax) return false;
    level = level
      .filter((item) => typeof item === "object" && item !== null)
      .flatMap((item) => Object.values(item as object));
  }
  return true;
}
