/** Plans written by hand, and answers to them, for the tests of what is released. */
import type {
  GroupKey,
  Output,
  Plan,
  Post,
  Release,
  Vector,
} from "../../../../node/data-sharing/plan/plan.ts";
import { planHash } from "../../../../node/data-sharing/plan/plan-hash.ts";
import {
  planVariances,
  type ReleasedAnswer,
  varianceText,
} from "../../../../node/data-sharing/release/answer.ts";
import { TrustedDataError } from "../../../../node/errors.ts";

const column = (name: string) => ({ kind: "column" as const, name });
export const wage = column("wage");
export const nobody: Post = { having: null, order: [], limit: null };

/** Values 0, 1, ... in the order of the labels. */
export function declaredKey(labels: string[]): GroupKey {
  const values = labels.map((_, value) => String(value));
  return { kind: "declared", expression: column("sex"), values, labels };
}

export function openKey(type: "number" | "date" | "text" = "text", scale = 0): GroupKey {
  return { kind: "open", expression: column("place"), type, scale };
}

export const sexKey = declaredKey(["female", "male"]);

export function gaussian(vector: number, sensitivitySquared = "1", microRho = "500000"): Release {
  return { mechanism: "gaussian", vector, sensitivitySquared, microRho };
}

/** A plan over one table; each vector is released with variance 1 unless it is said otherwise. */
export function planOf(parts: Partial<Plan> & { vectors: Vector[] }): Plan {
  const releases = parts.releases ?? parts.vectors.map((_, vector) => gaussian(vector));
  return {
    version: "itd-plan/2",
    rows: {
      sources: [{ kind: "table", table: "people", rowsPerPerson: 1 }],
      publicJoins: [],
      filter: { kind: "always" },
    },
    bounding: { kind: "stored" },
    keys: [],
    floor: { release: 0, minimum: 10 },
    threshold: null,
    microRho: String(releases.reduce((sum, { microRho }) => sum + Number(microRho), 0)),
    outputs: [{ name: "people", shown: true, kind: "count", release: 0, cell: 0 }],
    post: nobody,
    ...parts,
    releases,
  };
}

export const count: Vector = { kind: "count", of: null };
export const persons: Vector = { kind: "people" };

export function sumVector(
  centre = "0",
  kind: "sum" | "squares" = "sum",
): Vector & { kind: "sum" | "squares" } {
  return { kind, of: wage, low: "0", high: "5000", centre };
}

/** Rows by wage: 0, 100, ... 900. */
export const wageBuckets: Vector & { kind: "buckets" } = {
  kind: "buckets",
  of: wage,
  low: "0",
  step: "100",
  buckets: 10,
};

export const keyOutput: Output = { name: "sex", shown: true, kind: "key", key: 0 };
export const countOutput: Output = { name: "count", shown: true, kind: "count", release: 0, cell: 0 };

/** `SELECT sex, COUNT(*), SUM(wage), AVG(wage) ... GROUP BY sex` over wages of two decimal places around 25. */
export const wagesBySex = planOf({
  keys: [sexKey],
  vectors: [count, sumVector(), sumVector("2500")],
  outputs: [
    keyOutput,
    countOutput,
    { name: "sum", shown: true, kind: "sum", release: 1, scale: 2 },
    { name: "avg", shown: true, kind: "average", sum: 2, count: 0, scale: 2 },
  ],
});

/** An answer with these numbers, as if that was what noise had made of it. */
export function answerOf(
  plan: Plan,
  values: (string | null)[][],
  groups: string[][] | null = null,
): ReleasedAnswer {
  return {
    version: "itd-answer/2",
    plan: planHash(plan),
    groups,
    values,
    variances: planVariances(plan).map(varianceText),
  };
}

export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TrustedDataError) return error.code;
    throw error;
  }
  return "none";
}
