/** The dataset that the statements are asked of, and the algorithm that says them: so rich that none is refused for want of a column. */
import {
  type AlgorithmManifest,
  algorithmManifestSchema,
} from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import {
  type DatasetManifest,
  datasetManifestSchema,
} from "../../../node/data-sharing/manifests/dataset-manifest.ts";

const research = "dpv:ResearchAndDevelopment";

export const badSqlDataset: DatasetManifest = datasetManifestSchema.parse({
  name: "bad-sql",
  title: "People who are asked what nobody should",
  synthetic: true,
  dataClass: "wages",
  table: "people",
  person: "id",
  rowsPerPerson: 1,
  columns: {
    cell: { type: "integer", bounds: [0, 9] },
    value: { type: "integer", bounds: [0, 100] },
    delta: { type: "integer", bounds: [-50, 50] },
    fresh: { type: "integer", bounds: [0, 1_000_000_000] },
    huge: { type: "integer", bounds: [-(2 ** 47), 2 ** 47] },
    serial: { type: "integer" },
    amount: { type: "decimal", scale: 2, bounds: [0, 1_000] },
    town: { type: "text", domain: ["north", "east", "south"], nullable: true },
    note: { type: "text", domain: "open" },
    member: { type: "boolean" },
    joined: { type: "date", bounds: ["2000-01-01", "2020-12-31"] },
    left_on: { type: "date", nullable: true },
  },
  purposes: [research],
  budget: { totalMicroRho: "1000000", perQuerierMicroRho: "1000000", reservedMicroRho: "1000000" },
  minimumPeople: 0,
});

/** One person. */
export const badSqlCsv = [
  "id,cell,value,delta,fresh,huge,serial,amount,town,note,member,joined,left_on",
  "person-0,1,50,-5,1000000000,0,1,1.50,north,a note,true,2010-05-05,",
  "",
].join("\n");

/** `sql` as its author would publish it, whatever it is. */
export function badSqlManifest(sql: string): AlgorithmManifest {
  return { ...honest, sql };
}

const honest = algorithmManifestSchema.parse({
  name: "attack-bad-sql",
  title: "A question that nobody should ask",
  description: "Asked by the attack suite.",
  version: 1,
  kind: "sql",
  dataClass: "wages",
  table: "people",
  sql: "SELECT 1",
  parameters: { least: { type: "integer", minimum: 0, maximum: 1_000_000_000, default: 0 } },
  publicTables: {
    areas: {
      columns: [
        { name: "town", type: "text" },
        { name: "zone", type: "integer" },
      ],
      rows: [
        ["north", 1],
        ["east", 2],
      ],
    },
  },
  microRho: "1000",
  purposes: [research],
});
