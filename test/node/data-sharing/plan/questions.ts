/** Manifests that the tests of plans and answers share. */
import { expect } from "chai";
import type { AlgorithmManifest } from "../../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { algorithmManifestSchema } from "../../../../node/data-sharing/manifests/algorithm-manifest.ts";
import {
  type DatasetManifest,
  datasetManifestSchema,
} from "../../../../node/data-sharing/manifests/dataset-manifest.ts";
import { compilePlan } from "../../../../node/data-sharing/plan/compile-plan.ts";
import type { GroupKey, Plan } from "../../../../node/data-sharing/plan/plan.ts";
import { TrustedDataError } from "../../../../node/errors.ts";

export const people: DatasetManifest = datasetManifestSchema.parse({
  name: "people",
  title: "People",
  synthetic: true,
  dataClass: "wages",
  table: "people",
  person: "id",
  rowsPerPerson: 3,
  columns: {
    age: { type: "integer", bounds: [18, 90] },
    children: { type: "integer", bounds: [0, 12], nullable: true },
    balance: { type: "integer", bounds: [-100, 100], nullable: true },
    wage: { type: "decimal", scale: 2, bounds: [0, 50] },
    score: { type: "decimal", scale: 1, nullable: true },
    serial: { type: "integer" },
    sex: { type: "text", domain: ["female", "male"] },
    region: { type: "text", domain: ["north", "east", "south", "west"], nullable: true },
    member: { type: "boolean" },
    smoker: { type: "boolean", nullable: true },
    joined: { type: "date", bounds: ["2019-12-30", "2020-01-02"] },
    left_on: { type: "date", nullable: true },
  },
  purposes: ["dpv:ResearchAndDevelopment"],
  budget: { totalMicroRho: "1000000", perQuerierMicroRho: "500000", reservedMicroRho: "100000" },
  minimumPeople: 10,
});

export function algorithm(sql: string, more: Partial<AlgorithmManifest> = {}): AlgorithmManifest {
  return algorithmManifestSchema.parse({
    name: "question",
    title: "A question",
    description: "Asks something.",
    version: 1,
    kind: "sql",
    dataClass: "wages",
    table: "people",
    sql,
    microRho: "50000",
    purposes: ["dpv:ResearchAndDevelopment"],
    ...more,
  });
}

export function planOf(sql: string, more: Partial<AlgorithmManifest> = {}, dataset = people): Plan {
  return compilePlan(algorithm(sql, more), {}, dataset);
}

/** `SELECT COUNT(*) FROM people WHERE condition`. */
export function planWhere(condition: string, more: Partial<AlgorithmManifest> = {}): Plan {
  return planOf(`SELECT COUNT(*) FROM people WHERE ${condition}`, more);
}

/** A key whose domain is declared. */
export function declaredKey(plan: Plan, place = 0): Extract<GroupKey, { kind: "declared" }> {
  const key = plan.keys[place];
  if (key?.kind !== "declared") throw new Error("the key is open");
  return key;
}

/** The error with which `run` ends. */
export function refusal(run: () => unknown): TrustedDataError {
  try {
    run();
  } catch (error) {
    if (error instanceof TrustedDataError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

/** `run` refuses SQL in which ^ stands before the place that it names, for a reason that contains `reason`. */
export function expectRefusal(marked: string, reason: string, run: (sql: string) => unknown): void {
  const error = refusal(() => run(marked.replace("^", "")));
  expect(error.code).to.equal("sql_refused");
  expect(error.fields.reason).to.contain(reason);
  const before = marked.slice(0, marked.indexOf("^")).split("\n");
  expect([error.fields.line, error.fields.column], error.message).to.deep.equal([
    String(before.length),
    String([...before.at(-1)!].length + 1),
  ]);
}
