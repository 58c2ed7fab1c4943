/**
 * What a custodian declares about a dataset: its privacy unit, its columns with bounds and domains, the purposes it may serve, and
 * its budget. Nothing of it is read off the data, so it can be shown to anyone.
 *
 * Every column is stored as an integer: a decimal as a multiple of its grid (10^-scale), a text or a boolean as its place in the
 * declared domain, a date as days since 1970-01-01. Plans, engines and (later) multiparty computation see integers only.
 */
import { z } from "zod";
import { purposeSchema } from "../consent/purposes.ts";
import { decimalToGrid } from "./grid.ts";
import { parseManifestWith } from "./parse-manifest.ts";

/** Lower-case words joined by single hyphens or underscores; safe as a file name, in SQL and in a URL. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$/,
    "use lower-case letters, digits and single hyphens or underscores",
  )
  .max(64);

/** A column or table name as PostgreSQL folds it. */
export const identifierSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, "use lower-case letters, digits and underscores, a letter first")
  .max(63);

/** Whole numbers that a manifest may bound a column by; sums of 2^40 such values still fit the engines' 128-bit integers. */
export const boundMagnitudeMax = 2 ** 47;
/** Keys of one grouping column; more would spread any budget too thin to answer. */
export const domainSizeMax = 10_000;
/** How algorithms name the privacy unit, whatever the dataset calls its column: `COUNT(DISTINCT person)`. */
export const personWord = "person";
/** Decimal digits of a count of micro-rho; up to 10^12 micro-rho. */
export const microRhoSchema = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,11})$/, "use a whole number of micro-rho as text");

const described = { description: z.string().max(400).optional(), nullable: z.boolean().default(false) };
const bounds = (item: z.ZodType<number>) =>
  z.tuple([item, item]).refine(([low, high]) => low <= high, "the lower bound is above the upper one");
const dateBounds = z
  .tuple([z.iso.date(), z.iso.date()])
  .refine(([low, high]) => low <= high, "the lower date is after the upper one");
const bounded = z.number().min(-boundMagnitudeMax).max(boundMagnitudeMax);

const columnSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("integer"),
    bounds: bounds(bounded.int()).optional(),
    unit: z.string().max(40).optional(),
    ...described,
  }),
  z
    .strictObject({
      type: z.literal("decimal"),
      /** Decimal places of the grid on which values are kept and answers released. */
      scale: z.int().min(0).max(6),
      bounds: bounds(bounded).optional(),
      unit: z.string().max(40).optional(),
      ...described,
    })
    .refine((column) => (column.bounds ?? []).every((bound) => fitsGrid(bound, column.scale)), {
      path: ["bounds"],
      error: `a bound has more decimal places than scale, or is beyond ${boundMagnitudeMax} steps of the grid`,
    }),
  z.strictObject({
    type: z.literal("text"),
    /** All texts that there can be, or `open`: then which there are is private, and groups are shown above a threshold only. */
    domain: z.union([
      z.literal("open"),
      z
        .array(z.string().min(1).max(100))
        .min(1)
        .max(domainSizeMax)
        .refine((values) => new Set(values).size === values.length, "a value appears twice"),
    ]),
    ...described,
  }),
  z.strictObject({ type: z.literal("boolean"), ...described }),
  z.strictObject({ type: z.literal("date"), bounds: dateBounds.optional(), ...described }),
]);

const columnsSchema = z
  .record(identifierSchema, columnSchema)
  .refine((columns) => Object.keys(columns).length > 0, "declare at least one column")
  .refine(
    (columns) => !Object.hasOwn(columns, personWord),
    `${personWord} is what algorithms call the person`,
  );
const rowsPerPersonSchema = z.int().min(1).max(10_000);

function fitsGrid(bound: number, scale: number): boolean {
  const steps = decimalToGrid(bound, scale);
  return steps !== null && steps >= -BigInt(boundMagnitudeMax) && steps <= BigInt(boundMagnitudeMax);
}

const manifestSchema = z.strictObject({
  name: nameSchema,
  title: z.string().min(1).max(200),
  description: z.string().max(2000).default(""),
  /** Whether a generator made the data up; said wherever the dataset is shown. */
  synthetic: z.boolean(),
  license: z.string().max(200).optional(),
  source: z.string().max(400).optional(),
  /** The class for which vetters are certified. At most 31 bytes, as it goes into a bytes32 on the chain. */
  dataClass: nameSchema.max(31),
  /** What algorithms call the table in FROM. */
  table: identifierSchema,
  /** The column that names the person a row belongs to: the privacy unit. Never an output, never stored in the clear. */
  person: z.string().min(1).max(200),
  /** Rows of one person that take part in any answer; the others are left out at load, chosen at random. */
  rowsPerPerson: rowsPerPersonSchema,
  columns: columnsSchema,
  /** More tables about the same people, each with the person column under the same name. Algorithms join them on the person. */
  furtherTables: z
    .record(identifierSchema, z.strictObject({ rowsPerPerson: rowsPerPersonSchema, columns: columnsSchema }))
    .refine((tables) => Object.keys(tables).length <= 8, "at most 8 further tables")
    .default({}),
  /** What answers may be used for; a purpose permits all that are narrower. */
  purposes: z.array(purposeSchema).min(1).max(32),
  /**
   * Whether the lawful ground is each person's consent (`dpv:Consent`): then answers are over those alone who consent to the question's
   * purpose at that moment. Left out it means not required, and the manifest keeps the hash that it had before there was such a field.
   */
  consent: z.enum(["required", "not-required"]).optional(),
  budget: z.strictObject({
    /** All queriers together, as queriers may collude. */
    totalMicroRho: microRhoSchema,
    perQuerierMicroRho: microRhoSchema,
    /** Reserved on the chain ahead for one interval between batches. */
    reservedMicroRho: microRhoSchema,
  }),
  /** A declared key with fewer persons (by the noisy count) is returned as suppressed. */
  minimumPeople: z.int().min(0).max(1_000_000).default(10),
});

export const datasetManifestSchema = manifestSchema
  .refine((manifest) => !Object.hasOwn(manifest.furtherTables, manifest.table), {
    path: ["furtherTables"],
    error: "a further table has the name of the table",
  })
  .refine(
    (manifest) =>
      [manifest, ...Object.values(manifest.furtherTables)].every(
        ({ columns }) => !Object.hasOwn(columns, manifest.person),
      ),
    { path: ["person"], error: "the person column is never part of an answer: take it out of columns" },
  );

export type DatasetManifest = z.infer<typeof datasetManifestSchema>;
export type DatasetColumn = z.infer<typeof columnSchema>;
export type DatasetTable = Pick<DatasetManifest, "rowsPerPerson" | "columns">;

/** All tables of the dataset by name, the first one first. */
export function tablesOf(manifest: DatasetManifest): Map<string, DatasetTable> {
  return new Map<string, DatasetTable>([
    [manifest.table, manifest],
    ...Object.entries(manifest.furtherTables),
  ]);
}

export function needsConsent({ consent }: Pick<DatasetManifest, "consent">): boolean {
  return consent === "required";
}

/**
 * Reads a manifest from JSON or YAML.
 * @throws TrustedDataError `manifest_invalid`; `fields` holds the reason under the path of each field that is wrong.
 */
export function parseDatasetManifest(text: string): DatasetManifest {
  return parseManifestWith(datasetManifestSchema, text);
}
