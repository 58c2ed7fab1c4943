/** All bad builds. Each is what a hurried change could make of the product. */
import type { BadBuild, Patch } from "./bad-build.ts";

const release = "node/data-sharing/release/release.ts";
const answering = "node/data-sharing/answering.ts";
const questionStore = "node/adapters/sqlite/sqlite-question-store.ts";
const auditStore = "node/adapters/sqlite/sqlite-audit-store.ts";

const noisyValues = "return values.map((value, place) => value + noise[place]!);";
const drawn = "sampleDiscreteGaussians(planVariances(plan)[index]!, values.length, randomness)";
const executed = "releaseAnswer(await this.#execute(question.dataset, plan, people), plan, randomness)";
const engineCall = "return await this.#modules.engine.execute(dataset, plan, this.#options.limits, people);";
const charging = "const charged = await this.#charge(question, stored !== undefined);";
const released = `const answer = ${executed};`;
const isNobody = "exact.vectors.every((vector) => vector.every((value) => value === 0n))";
const floored = "noisy[plan.floor.release]!.map((count) => count >= BigInt(plan.floor.minimum))";

/** Box and Muller (1958), in doubles from a generator that was never meant for secrets. */
const floatNoise = `
  const { numerator, denominator } = planVariances(plan)[index]!;
  const sigma = Math.sqrt(Number(numerator) / Number(denominator));
  const normal = () =>
    sigma * Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());`;

const noCap: Patch[] = [
  {
    file: questionStore,
    search: 'if (total > limits.totalMicroRho) return "budget_exhausted";',
    replace: "",
  },
  {
    file: questionStore,
    search: 'if (total > this.#books.ceiling(dataset)) return "budget_not_reserved";',
    replace: "",
  },
];

export const badBuilds: readonly BadBuild[] = [
  {
    name: "noise-off",
    what: "exact numbers leave",
    patches: [{ file: release, search: noisyValues, replace: "return values;" }],
    caughtBy: [
      "differencing",
      "reconstruction",
      "low-order-bits",
      "key-set",
      "membership",
      "neighbour-audit",
    ],
  },
  {
    name: "float-noise",
    what: "noise is a double, and is not rounded",
    patches: [
      {
        file: release,
        search: noisyValues,
        replace: `${floatNoise}\n  return values.map((value) => (Number(value) + normal()) as unknown as bigint);`,
      },
    ],
    caughtBy: ["low-order-bits"],
  },
  {
    name: "float-noise-rounded",
    what: "noise is a double, rounded to a whole number",
    patches: [
      {
        file: release,
        search: noisyValues,
        replace: `${floatNoise}\n  return values.map((value) => value + BigInt(Math.round(normal())));`,
      },
    ],
    caughtBy: ["low-order-bits"],
  },
  {
    name: "threshold-only",
    what: "k-anonymity in place of noise: groups of ten are shown as they are",
    patches: [
      { file: release, search: noisyValues, replace: "return values;" },
      { file: release, search: floored, replace: "noisy[plan.floor.release]!.map((count) => count >= 10n)" },
    ],
    caughtBy: ["key-set", "membership"],
  },
  {
    name: "halved-sensitivity",
    what: "noise is measured against half of what a person can change",
    patches: [
      {
        file: "node/data-sharing/release/answer.ts",
        search: "rational(BigInt(release.sensitivitySquared) * rho.denominator, 2n * rho.numerator)",
        replace: "rational(BigInt(release.sensitivitySquared) * rho.denominator, 8n * rho.numerator)",
      },
    ],
    caughtBy: ["neighbour-audit", "membership"],
  },
  {
    name: "eager-quantiles",
    what: "candidates of quantiles are chosen with eight times the epsilon",
    patches: [
      {
        file: release,
        search: "selectCandidate(scores, BigInt(sensitivity), BigInt(microRho), randomness)",
        replace: "selectCandidate(scores, BigInt(sensitivity), 64n * BigInt(microRho), randomness)",
      },
    ],
    caughtBy: ["neighbour-audit"],
  },
  {
    name: "missing-tau",
    what: "open keys are named however few people have them",
    patches: [
      {
        file: release,
        search: ".filter((one) => one.people >= BigInt(threshold.minimum))",
        replace: "",
      },
    ],
    caughtBy: ["open-keys"],
  },
  {
    name: "exact-floor",
    what: "groups are suppressed by their exact count",
    patches: [
      {
        file: release,
        search: floored,
        replace:
          "exact.vectors[plan.releases[plan.floor.release]!.vector]!.map((count) => count >= BigInt(plan.floor.minimum))",
      },
    ],
    caughtBy: ["key-set"],
  },
  {
    name: "unclamped",
    what: "the engine is told of no bounds",
    patches: [
      {
        file: answering,
        search: engineCall,
        replace: `const wide = plan.vectors.map((vector) =>
          "low" in vector ? { ...vector, low: String(-(2n ** 60n)), high: String(2n ** 60n) } : vector) as typeof plan.vectors;
        return await this.#modules.engine.execute(dataset, { ...plan, vectors: wide }, this.#options.limits, people);`,
      },
    ],
    caughtBy: ["overflow"],
  },
  {
    name: "charge-after-execution",
    what: "the plan runs, and then the budget is asked",
    patches: [
      {
        file: answering,
        search: charging,
        replace: `const early = await this.#execute(question.dataset, plan, people);
    ${charging}`,
      },
      { file: answering, search: executed, replace: "releaseAnswer(early, plan, randomness)" },
    ],
    caughtBy: ["crash"],
  },
  {
    name: "budget-not-atomic",
    what: "the budget is looked at, and charged after a wait",
    patches: [
      ...noCap,
      {
        file: answering,
        search:
          'const refusal = (await this.#isAvailable(question)) ? this.#take(question) : "dataset_unavailable";',
        replace: `const isLeft =
      this.#modules.questions.spent(question.signed.request.dataset) + BigInt(plan.microRho) <=
      BigInt(this.#manifestOf(question)!.budget.totalMicroRho);
    if (!isLeft) return { refusal: "budget_exhausted" };
    const refusal = (await this.#isAvailable(question)) ? this.#take(question) : "dataset_unavailable";`,
      },
    ],
    caughtBy: ["budget-race"],
  },
  {
    name: "no-global-cap",
    what: "each querier's budget holds, that of all together does not",
    patches: noCap,
    caughtBy: ["collusion"],
  },
  {
    name: "redrawn-release",
    what: "a repeated question is free, and gets fresh noise",
    patches: [
      {
        file: answering,
        search: "JSON.parse(stored) as ReleasedAnswer",
        replace:
          "releaseAnswer(await this.#execute(question.dataset, plan, people), plan, this.#modules.randomness)",
      },
    ],
    caughtBy: ["averaging"],
  },
  {
    name: "seed-reuse",
    what: "noise comes from a generator that starts with the same seed as the process",
    patches: [
      { file: release, search: drawn, replace: drawn.replace("randomness", "seeded") },
      {
        file: release,
        search: "/** What is known of an open group once its noise is drawn. */",
        replace: `const { createHash } = process.getBuiltinModule("node:crypto");
let blocks = 0;
const seeded: Randomness = {
  bytes(count) {
    const parts: Buffer[] = [];
    for (let made = 0; made < count; made += 32) parts.push(createHash("sha256").update(String(blocks++)).digest());
    return new Uint8Array(Buffer.concat(parts).subarray(0, count));
  },
};`,
      },
    ],
    caughtBy: ["seed-reuse"],
  },
  {
    name: "forgotten-reservation",
    what: "a restored state goes on with the budget that it remembers",
    patches: [
      {
        file: auditStore,
        search: "this.#database.transaction(() => this.#books.raiseToCeilings());",
        replace: "",
      },
      {
        file: auditStore,
        search:
          "this.#books.raiseToCeilings();\n      for (const { dataset, spent, reserved } of lines) this.#books.raiseTo(dataset, spent + reserved);",
        replace: "for (const { dataset, spent } of lines) this.#books.raiseTo(dataset, spent);",
      },
    ],
    caughtBy: ["restored-backup"],
  },
  {
    name: "error-of-empty",
    what: "an answer over nobody is an error",
    patches: [
      {
        file: answering,
        search: engineCall,
        replace: `const exact = await this.#modules.engine.execute(dataset, plan, this.#options.limits, people);
      if (${isNobody}) throw new Error("no rows");
      return exact;`,
      },
    ],
    caughtBy: ["error-channel"],
  },
  {
    name: "free-when-empty",
    what: "an answer over nobody is not charged in the transcript",
    patches: [
      {
        file: answering,
        search: released,
        replace: `const exact = await this.#execute(question.dataset, plan, people);
    const answer = releaseAnswer(exact, plan, randomness);
    if (${isNobody}) charged.chargeMicroRho = "0";`,
      },
    ],
    caughtBy: ["budget-channel"],
  },
  {
    name: "no-slots",
    what: "replies leave when they are ready",
    patches: [
      {
        file: "node/data-sharing/reply-slot.ts",
        search: "this.#clock.sleep(this.endMs() - this.#clock.nowMs());",
        replace: "Promise.resolve();",
      },
    ],
    caughtBy: ["timing"],
  },
  {
    name: "second-statement",
    what: "of several statements the first one counts",
    patches: [
      {
        file: "node/data-sharing/plan/parse-sql.ts",
        search:
          'refuse(placesByByte(sql)[offset + gap] ?? second.place, "there is more than one statement");',
        replace: "",
      },
    ],
    caughtBy: ["smuggling"],
  },
];
