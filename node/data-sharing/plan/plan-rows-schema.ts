/** The rows that a plan is over, as they come in a plan's JSON (plan-schema.ts): sources, public tables, the filter and its expressions. */
import { z } from "zod";
import { identifierSchema } from "../manifests/dataset-manifest.ts";
import type { Expression, Predicate, Rows, Source } from "./plan.ts";

/** Enough for squares of sensitivities; short enough to compute with. */
export const wholeSchema = wholeNumber(/^(?:0|-?[1-9]\d{0,79})$/, "use a whole number as text");
export const positiveSchema = wholeNumber(/^[1-9]\d{0,79}$/, "use a positive whole number as text");
const columnSchema = z
  .string()
  .max(80)
  .regex(/^(?:p?\d{1,2}\.)?[a-z][a-z0-9_]{0,62}$/, "use the name of a column");

export const expressionSchema: z.ZodType<Expression> = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("column"), name: columnSchema }),
    z.strictObject({ kind: z.literal("constant"), value: wholeSchema }),
    z.strictObject({ kind: z.literal("null") }),
    z.strictObject({ kind: z.enum(["add", "multiply"]), operands: z.array(expressionSchema).min(2) }),
    z.strictObject({ kind: z.literal("subtract"), left: expressionSchema, right: expressionSchema }),
    z.strictObject({ kind: z.literal("divide"), left: expressionSchema, divisor: positiveSchema }),
    z.strictObject({
      kind: z.literal("date-part"),
      part: z.enum(["year", "quarter", "month", "day", "dow", "doy"]),
      of: expressionSchema,
    }),
    z.strictObject({
      kind: z.literal("case"),
      branches: z.array(z.strictObject({ when: predicateSchema, value: expressionSchema })).min(1),
      otherwise: expressionSchema,
    }),
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
    z.strictObject({ kind: z.literal("is-null"), column: columnSchema }),
    z.strictObject({ kind: z.enum(["and", "or"]), operands: z.array(predicateSchema).min(2) }),
    z.strictObject({ kind: z.literal("not"), operand: predicateSchema }),
  ]),
) as z.ZodType<Predicate>;

export const rowsPerPersonSchema = z.int().min(1).max(10_000);

const sourceSchema: z.ZodType<Source> = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("table"),
      table: identifierSchema,
      rowsPerPerson: rowsPerPersonSchema,
    }),
    z.strictObject({
      kind: z.literal("people"),
      rows: rowsSchema,
      columns: z
        .array(
          z.strictObject({
            name: identifierSchema,
            aggregate: z.enum(["count", "sum", "minimum", "maximum"]),
            of: expressionSchema.nullable(),
          }),
        )
        .max(64),
    }),
  ]),
) as z.ZodType<Source>;

const publicJoinSchema = z
  .strictObject({
    on: z.array(expressionSchema).min(1).max(4),
    columns: z.array(identifierSchema).max(32),
    rows: z.array(z.array(wholeSchema).min(1).max(36)).max(2_000),
  })
  .refine(
    ({ on, columns, rows }) => rows.every((row) => row.length === on.length + columns.length),
    "a row of a public table has another number of values",
  );

export const rowsSchema: z.ZodType<Rows> = z.lazy(() =>
  z.strictObject({
    sources: z.array(sourceSchema).min(1).max(8),
    publicJoins: z.array(publicJoinSchema).max(8),
    filter: predicateSchema,
  }),
);

/** A text that is no number ends the reading (`abort`), as checks further out compute with it. */
function wholeNumber(pattern: RegExp, error: string) {
  return z.string().refine((text) => pattern.test(text), { error, abort: true });
}
