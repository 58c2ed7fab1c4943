/** What fuzzed statements are about: the clinic of the random questions with a few columns and a table more, and its data, much of it at the edges. */
import {
  type DatasetManifest,
  datasetManifestSchema,
  tablesOf,
} from "../../node/data-sharing/manifests/dataset-manifest.ts";
import { type PublicTable, publicTableSchema } from "../../node/data-sharing/manifests/public-table.ts";
import { textCode } from "../../node/data-sharing/manifests/text-code.ts";
import { planColumns } from "../../node/data-sharing/plan/columns.ts";
import { compilePlan } from "../../node/data-sharing/plan/compile-plan.ts";
import type { Plan } from "../../node/data-sharing/plan/plan.ts";
import {
  type ClinicTables,
  clinic,
  publicTables as clinicTables,
  diagnoses,
} from "../node/data-sharing/plan/random/clinic.ts";
import { clinicAlgorithm } from "../node/data-sharing/plan/random/clinic-plan.ts";
import type { Draw } from "../node/data-sharing/plan/random/draw.ts";

/** Texts that a careless reader trims, folds, composes or takes for a pattern. */
export const oddTexts = ["a", "A", "a ", "é", "e\u0301", "👍🏽", "o'x", "50%", "_", "a\\b", "10", "9"];

export const dataset: DatasetManifest = datasetManifestSchema.parse({
  ...clinic,
  columns: {
    ...clinic.columns,
    note: { type: "text", domain: oddTexts, nullable: true },
    serial: { type: "integer", bounds: [-(2 ** 47), 2 ** 47], nullable: true },
  },
});

/** `ages` has a column of the name of one of the dataset's, of another type. */
export const publicTables: Record<string, PublicTable> = {
  ...clinicTables,
  ages: publicTableSchema.parse({
    columns: [
      { name: "age", type: "decimal", scale: 1 },
      { name: "band", type: "integer" },
    ],
    rows: [
      [0, 1],
      [1.5, 1],
      [3, 2],
      [5, 3],
    ],
  }),
};

export const parameters = { low: 3, region: "north", unit: "month" };

/** The open texts that the data holds, by their codes. */
export const openTexts = new Map(diagnoses.map((text) => [textCode(text), text]));

const algorithm = clinicAlgorithm("SELECT COUNT(*) FROM visits", {
  publicTables,
  parameters: {
    low: { type: "integer", minimum: -9, maximum: 9 },
    region: { type: "text", values: ["north", "south"] },
    unit: { type: "text", values: ["month", "week"] },
  },
});

/** Of any text, also one that no manifest holds. `loadSqlParser` must have been awaited. */
export function planFor(sql: string): Plan {
  return compilePlan({ ...algorithm, sql }, parameters, dataset);
}

const parameterPattern = /\bparam\s*\.\s*(low|region|unit)\b/gi;

/** The statement as it stands, its parameters written out. */
export function withParameters(sql: string): string {
  return sql.replace(parameterPattern, (_, name: string) => {
    const value = parameters[name.toLowerCase() as keyof typeof parameters];
    return typeof value === "number" ? String(value) : `'${value}'`;
  });
}

/** A third of the values null where they may be, a third at a bound or zero. */
export function edgeTables(draw: Draw, people: number): ClinicTables {
  return Object.fromEntries(
    [...tablesOf(dataset)].map(([name, table]) => {
      const columns = [...planColumns(table)];
      const rows = Array.from({ length: people }, (_, at) => `p${at}`).flatMap((person) =>
        Array.from({ length: draw.below(table.rowsPerPerson + 1) }, () => ({
          person,
          columns: Object.fromEntries(
            columns.map(([column, { nullable, range, open }]) => {
              if (nullable && draw.chance(0.3)) return [column, null];
              if (open) return [column, textCode(draw.pick(diagnoses))];
              const { low, high } = range ?? { low: -2n, high: 3n };
              const zero = low > 0n || high < 0n ? low : 0n;
              if (draw.chance(0.4)) return [column, draw.pick([low, high, zero])];
              const span = high - low + 1n;
              const most = span > 1_000_000_000n ? 1_000_000_000n : span;
              return [column, low + BigInt(draw.below(Number(most)))];
            }),
          ),
        })),
      );
      return [name, rows];
    }),
  );
}
