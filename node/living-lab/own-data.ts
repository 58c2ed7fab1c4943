/**
 * The user's own file in the lab (`itd lab --data FILE`): the terms under which the bank offers it, and one algorithm that shows what is
 * in it, vetted as the others are. What is read off the file is a starting point for trying things out, not for publishing.
 */
import {
  type AlgorithmManifest,
  algorithmManifestSchema,
} from "../data-sharing/manifests/algorithm-manifest.ts";
import type { DatasetManifest } from "../data-sharing/manifests/dataset-manifest.ts";
import type { DataClass } from "./organisations.ts";

export const ownDataClass: DataClass = "own-data";

/** Tried in this order where no manifest says which column names the person. */
export const personColumnNames = [
  "person",
  "person_id",
  "id",
  "user_id",
  "member_id",
  "customer_id",
  "patient_id",
];

const purposes = ["dpv:AcademicResearch", "dpv:ResearchAndDevelopment"];
const answerMicroRho = "500000";

/** A proposed manifest under the lab's terms. */
export function underLabTerms(manifest: DatasetManifest): DatasetManifest {
  const budget = { totalMicroRho: "20000000", perQuerierMicroRho: "10000000", reservedMicroRho: "2500000" };
  return { ...manifest, dataClass: ownDataClass, purposes, budget };
}

/** Rows by the first column with a domain, and the average of the first number; undefined if the dataset is not of the lab's own class. */
export function overviewAlgorithm({
  name,
  title,
  table,
  dataClass,
  columns,
}: DatasetManifest): AlgorithmManifest | undefined {
  if (dataClass !== ownDataClass) return undefined;
  const entries = Object.entries(columns);
  const key = entries.find(([, { type }]) => type === "text" || type === "boolean")?.[0];
  const number = entries.find(
    ([, column]) => (column.type === "decimal" || column.type === "integer") && column.bounds !== undefined,
  )?.[0];
  const outputs = [
    ...(key === undefined ? [] : [key]),
    "COUNT(*) AS rows_counted",
    ...(number === undefined ? [] : [`AVG(${number}) AS average_${number}`]),
  ];
  const groups = key === undefined ? "" : ` GROUP BY ${key}`;
  return algorithmManifestSchema.parse({
    name: `overview-of-${name}`.slice(0, 64),
    title: `What is in ${title}`,
    description: `How many rows there are${key === undefined ? "" : ` by ${key}`}${number === undefined ? "" : `, and the average of ${number}`}.`,
    version: 1,
    kind: "sql",
    dataClass,
    table,
    sql: `SELECT ${outputs.join(", ")} FROM ${table}${groups}`,
    microRho: answerMicroRho,
    purposes,
  });
}
