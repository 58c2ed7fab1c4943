/** Questions over the clinic as plans. */
import {
  type AlgorithmManifest,
  algorithmManifestSchema,
} from "../../../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { compilePlan } from "../../../../../node/data-sharing/plan/compile-plan.ts";
import type { Plan } from "../../../../../node/data-sharing/plan/plan.ts";
import { clinic, publicTables } from "./clinic.ts";

export function clinicPlan(
  sql: string,
  more: Partial<AlgorithmManifest> = {},
  dataset = clinic,
  parameters: Record<string, string | number> = {},
): Plan {
  return compilePlan(clinicAlgorithm(sql, more), parameters, dataset);
}

export function clinicAlgorithm(sql: string, more: Partial<AlgorithmManifest>): AlgorithmManifest {
  return algorithmManifestSchema.parse({
    name: "question",
    title: "A question",
    description: "Asks something.",
    version: 1,
    kind: "sql",
    dataClass: "health",
    table: "visits",
    sql,
    microRho: "100000",
    purposes: ["dpv:AcademicResearch"],
    publicTables,
    ...more,
  });
}
