/** A dataset of two tables and four public ones, small enough that random conditions meet in it, and random data for it. */
import {
  type DatasetManifest,
  datasetManifestSchema,
  tablesOf,
} from "../../../../../node/data-sharing/manifests/dataset-manifest.ts";
import {
  type PublicTable,
  publicTableSchema,
} from "../../../../../node/data-sharing/manifests/public-table.ts";
import { textCode } from "../../../../../node/data-sharing/manifests/text-code.ts";
import { planColumns } from "../../../../../node/data-sharing/plan/columns.ts";
import type { PersonRow } from "../../../../../node/data-sharing/plan/evaluate.ts";
import type { Draw } from "./draw.ts";

export const diagnoses = ["I21", "J45", "E11", "none"];

export const clinic: DatasetManifest = datasetManifestSchema.parse({
  name: "clinic",
  title: "Clinic",
  synthetic: true,
  dataClass: "health",
  table: "visits",
  person: "patient_id",
  rowsPerPerson: 3,
  columns: {
    region: { type: "text", domain: ["north", "south", "west"], nullable: true },
    cost: { type: "decimal", scale: 2, bounds: [0, 2], nullable: true },
    age: { type: "integer", bounds: [0, 6] },
    delta: { type: "integer", bounds: [-3, 4], nullable: true },
    day: { type: "date", bounds: ["2019-12-27", "2020-01-07"], nullable: true },
    icd: { type: "text", domain: "open", nullable: true },
    acute: { type: "boolean", nullable: true },
    ward: { type: "integer" },
  },
  furtherTables: {
    patients: {
      rowsPerPerson: 2,
      columns: {
        sex: { type: "text", domain: ["f", "m"] },
        born: { type: "date", bounds: ["1999-11-28", "2000-03-02"] },
        age: { type: "integer", bounds: [0, 6], nullable: true },
        weight: { type: "decimal", scale: 1, bounds: [-1, 3] },
        member: { type: "boolean" },
      },
    },
  },
  purposes: ["dpv:AcademicResearch"],
  budget: { totalMicroRho: "1000000", perQuerierMicroRho: "1000000", reservedMicroRho: "1000" },
});

export const publicTables: Record<string, PublicTable> = {
  districts: publicTableSchema.parse({
    columns: [
      { name: "region", type: "text" },
      { name: "zone", type: "text" },
      { name: "income", type: "integer" },
    ],
    rows: [
      ["north", "a", 3],
      ["north", "b", 3],
      ["south", "a", -1],
      ["east", "c", 9],
      ["north", "b", 3],
    ],
  }),
  rates: publicTableSchema.parse({
    columns: [
      { name: "years", type: "integer" },
      { name: "rate", type: "decimal", scale: 1 },
    ],
    rows: [
      [0, 0.5],
      [1, 1],
      [2, 2.5],
      [3, 0],
      [5, -0.5],
    ],
  }),
  holidays: publicTableSchema.parse({
    columns: [
      { name: "day", type: "date" },
      { name: "kind", type: "text" },
      { name: "closed", type: "boolean" },
    ],
    rows: [
      ["2020-01-01", "national", true],
      ["2020-01-06", "local", false],
      ["2020-01-06", "school", true],
      ["2019-12-31", "local", false],
    ],
  }),
  prices: publicTableSchema.parse({
    columns: [
      { name: "step", type: "decimal", scale: 1 },
      { name: "band", type: "integer" },
    ],
    rows: [
      [0.5, 1],
      [1, 1],
      [1.5, 2],
      [2, 2],
    ],
  }),
};

export type ClinicTables = Record<string, PersonRow[]>;

/** Of few people with as many rows as may take part, or `rowsMax` rows. */
export function randomTables(draw: Draw, people: number, rowsMax?: number): ClinicTables {
  return Object.fromEntries(
    [...tablesOf(clinic)].map(([name, table]) => {
      const columns = [...planColumns(table)];
      const persons = Array.from({ length: people }, (_, at) => `p${at}`);
      const rows = persons.flatMap((person) =>
        Array.from({ length: draw.below((rowsMax ?? table.rowsPerPerson) + 1) }, (): PersonRow => {
          return {
            person,
            columns: Object.fromEntries(
              columns.map(([column, { nullable, range, open }]) => {
                if (nullable && draw.chance(0.2)) return [column, null];
                if (open) return [column, textCode(draw.pick(diagnoses))];
                const { low, high } = range ?? { low: -2n, high: 3n };
                return [column, low + BigInt(draw.below(Number(high - low) + 1))];
              }),
            ),
          };
        }),
      );
      return [name, rows];
    }),
  );
}
