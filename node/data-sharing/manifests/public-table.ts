/** Tables that an algorithm brings along for joining: written out in its manifest, so that reviewers see every row of them. */
import { z } from "zod";
import { boundMagnitudeMax, identifierSchema, personWord } from "./dataset-manifest.ts";
import { dateToDays, decimalToGrid } from "./grid.ts";

export const publicRowsMax = 2_000;

const named = {
  name: identifierSchema.refine((name) => name !== personWord, "a public table has no persons"),
};
const columnSchema = z.discriminatedUnion("type", [
  z.strictObject({ ...named, type: z.literal("integer") }),
  z.strictObject({ ...named, type: z.literal("decimal"), scale: z.int().min(0).max(6) }),
  z.strictObject({ ...named, type: z.literal("text") }),
  z.strictObject({ ...named, type: z.literal("boolean") }),
  z.strictObject({ ...named, type: z.literal("date") }),
]);

export type PublicColumn = z.infer<typeof columnSchema>;
export type PublicValue = string | number | boolean;

export const publicTableSchema = z
  .strictObject({
    /** A list, as the order of an object's names is lost in canonical JSON. */
    columns: z
      .array(columnSchema)
      .min(1)
      .max(32)
      .refine(
        (columns) => new Set(columns.map(({ name }) => name)).size === columns.length,
        "two columns have one name",
      ),
    /** Values in the order of the columns; none is missing. */
    rows: z
      .array(z.array(z.union([z.string().min(1).max(100), z.number(), z.boolean()])))
      .min(1)
      .max(publicRowsMax),
  })
  .refine(
    ({ columns, rows }) =>
      rows.every(
        (row) => row.length === columns.length && row.every((value, at) => isOfType(value, columns[at]!)),
      ),
    {
      path: ["rows"],
      error: "a row has another number of values than there are columns, or one of another type",
    },
  );

export type PublicTable = z.infer<typeof publicTableSchema>;

function isOfType(value: PublicValue, column: PublicColumn): boolean {
  switch (column.type) {
    case "text":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "date":
      return typeof value === "string" && dateToDays(value) !== null;
    default: {
      if (typeof value !== "number") return false;
      const steps = decimalToGrid(value, column.type === "decimal" ? column.scale : 0);
      const most = BigInt(boundMagnitudeMax);
      return steps !== null && steps >= -most && steps <= most;
    }
  }
}
