/** An algorithm with 1,680 different questions, and a wages dataset whose budget covers as many answers as a test needs. */
import {
  type AlgorithmManifest,
  algorithmManifestSchema,
} from "../../node/data-sharing/manifests/algorithm-manifest.ts";
import type { Question } from "../../node/data-sharing/querier.ts";
import { wages } from "./network.ts";
import { research } from "./repository-world.ts";

export const answerMicroRho = 100_000n;

const age = { type: "integer", minimum: 16, maximum: 99 } as const;

export const bandAlgorithm: AlgorithmManifest = bandAlgorithmNamed("age-band");

/** The same question under another name is another algorithm, with a hash of its own. */
export function bandAlgorithmNamed(name: string): AlgorithmManifest {
  return algorithmManifestSchema.parse({
    name,
    title: "People in an age band",
    description: "How many people of each union status are in an age band.",
    version: 1,
    kind: "sql",
    dataClass: "wages",
    table: "wages",
    sql: "SELECT member, COUNT(*) AS people FROM wages WHERE age >= param.low AND age <= param.high GROUP BY member",
    parameters: { low: age, high: age },
    microRho: answerMicroRho.toString(),
    purposes: [research],
  });
}

/** The `i`th of 1,680 questions that all differ. */
export function bandQuestion(i: number, algorithm = bandAlgorithm): Question {
  const low = 17 + (i % 40);
  const high = 57 + (Math.floor(i / 40) % 42);
  return { algorithm, parameters: { low, high }, purpose: research };
}

/** Wages with a budget of so many answers, `reserved` of them in each interval. */
export async function wagesFor(answers: number, { reserved = answers, name = "wages" } = {}) {
  const total = (BigInt(answers) * answerMicroRho).toString();
  const budget = {
    totalMicroRho: total,
    perQuerierMicroRho: total,
    reservedMicroRho: (BigInt(reserved) * answerMicroRho).toString(),
  };
  return await wages(name, { budget });
}
