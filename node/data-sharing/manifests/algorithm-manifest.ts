/**
 * What an author publishes and vetters sign: a question with typed parameters, the class of data it is meant for, what one answer
 * costs, and what it may be used for. Its hash is what is vetted, registered on the chain, logged and shown.
 */
import { z } from "zod";
import { canonicalHash } from "../../primitives/canonical-json.ts";
import type { Hex } from "../../primitives/hex.ts";
import { purposeSchema } from "../consent/purposes.ts";
import {
  boundMagnitudeMax,
  domainSizeMax,
  identifierSchema,
  microRhoSchema,
  nameSchema,
} from "./dataset-manifest.ts";
import { parseManifestWith } from "./parse-manifest.ts";
import { publicTableSchema } from "./public-table.ts";

/** Vetters read the text; 8 KiB is more than anyone should ask of them. */
export const sqlBytesMax = 8 * 1024;

const described = { description: z.string().max(400).optional() };

const parameterSchema = z.discriminatedUnion("type", [
  z
    .strictObject({
      type: z.literal("integer"),
      minimum: z.int(),
      maximum: z.int(),
      default: z.int().optional(),
      ...described,
    })
    .refine((parameter) => parameter.minimum <= parameter.maximum, {
      path: ["minimum"],
      error: "the minimum is above the maximum",
    })
    .refine(
      ({ default: value, minimum, maximum }) => value === undefined || (value >= minimum && value <= maximum),
      { path: ["default"], error: "the default lies outside of minimum and maximum" },
    ),
  z
    .strictObject({
      type: z.literal("text"),
      values: z.array(z.string().min(1).max(100)).min(1).max(1_000),
      default: z.string().optional(),
      ...described,
    })
    .refine((parameter) => new Set(parameter.values).size === parameter.values.length, {
      path: ["values"],
      error: "a value appears twice",
    })
    .refine(({ default: value, values }) => value === undefined || values.includes(value), {
      path: ["default"],
      error: "the default is not one of the values",
    }),
]);

const boundSchema = z.number().min(-boundMagnitudeMax).max(boundMagnitudeMax);

export const algorithmManifestSchema = z.strictObject({
  name: nameSchema,
  title: z.string().min(1).max(200),
  /** Plain words: what the answer says, and what it does not. */
  description: z.string().min(1).max(2_000),
  version: z.int().min(1).max(1_000_000),
  kind: z.literal("sql"),
  dataClass: nameSchema.max(31),
  /** What FROM names; datasets it may run over call their table so. */
  table: identifierSchema,
  sql: z
    .string()
    .min(1)
    .refine((sql) => Buffer.byteLength(sql) <= sqlBytesMax, `the SQL is longer than ${sqlBytesMax} bytes`),
  /** Written `param.name` in the SQL. */
  parameters: z.record(identifierSchema, parameterSchema).default({}),
  /** Narrower bounds than the dataset's, in the column's unit, within which aggregates clamp. */
  clamp: z
    .record(
      identifierSchema,
      z
        .tuple([boundSchema, boundSchema])
        .refine(([low, high]) => low <= high, "the lower bound is above the upper one"),
    )
    .default({}),
  /** Tables to join with, by the name that SQL calls them. */
  publicTables: z
    .record(identifierSchema, publicTableSchema)
    .refine((tables) => Object.keys(tables).length <= 8, "at most 8 public tables")
    .default({}),
  /**
   * How much of one person counts: in each group as much as that many rows, and in that many groups. Without it whatever rows the dataset
   * keeps of a person count, which is faster; with it a person who has many moves the answer less, so that less noise is needed.
   */
  bounding: z
    .strictObject({ rowsPerGroup: z.int().min(1).max(10_000), groups: z.int().min(1).max(domainSizeMax) })
    .optional(),
  /** The distance of the values that MEDIAN, MIN and the like choose from, by the name of the answer's column, in its unit. */
  candidates: z.record(identifierSchema, z.number().positive().max(boundMagnitudeMax)).default({}),
  /** The whole charge of one answer. */
  microRho: microRhoSchema.refine((text) => text !== "0", "an answer that costs nothing says nothing"),
  /** What answers may be used for. */
  purposes: z.array(purposeSchema).min(1).max(32),
});

export type AlgorithmManifest = z.infer<typeof algorithmManifestSchema>;
export type AlgorithmParameter = z.infer<typeof parameterSchema>;

/**
 * Reads a manifest from JSON or YAML.
 * @throws TrustedDataError `manifest_invalid`; `fields` holds the reason under the path of each field that is wrong.
 */
export function parseAlgorithmManifest(text: string): AlgorithmManifest {
  return parseManifestWith(algorithmManifestSchema, text);
}

/** SHA-256 over the canonical JSON of the manifest with its defaults filled in. */
export function algorithmHash(manifest: AlgorithmManifest): Hex {
  return canonicalHash(manifest);
}
