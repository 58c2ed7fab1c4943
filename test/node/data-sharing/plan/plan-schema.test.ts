/** Plans as they come from peers: nothing in them is believed. */
import { expect } from "chai";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import type { Plan } from "../../../../node/data-sharing/plan/plan.ts";
import { planSchema } from "../../../../node/data-sharing/plan/plan-schema.ts";
import { declaredKey, planOf } from "./questions.ts";

describe("a plan from outside", () => {
  before(loadSqlParser);

  type Loose = Record<string, unknown>;
  const question = "SELECT sex, COUNT(*), SUM(age), AVG(wage) FROM people WHERE age > 30 GROUP BY sex";
  const changes: [string, (plan: Loose & Plan) => void][] = [
    ["has an unknown field", (plan) => Object.assign(plan, { noise: "off" })],
    ["has another version", (plan) => Object.assign(plan, { version: "itd-plan/1" })],
    ["points at a vector that is not there", (plan) => Object.assign(plan.floor, { release: 9 })],
    ["has its floor on a sum", (plan) => Object.assign(plan.floor, { release: 1 })],
    ["points at a key that is not there", (plan) => Object.assign(plan.outputs[0]!, { key: 1 })],
    ["shows a sum with a centre", (plan) => Object.assign(plan.outputs[2]!, { release: 2 })],
    ["understates a sensitivity", (plan) => Object.assign(plan.releases[1]!, { sensitivitySquared: "1" })],
    ["has a sensitivity of zero", (plan) => Object.assign(plan.releases[1]!, { sensitivitySquared: "0" })],
    ["understates its charge", (plan) => Object.assign(plan, { microRho: "1" })],
    ["has fewer releases than its outputs name", (plan) => plan.releases.pop()],
    ["has a key whose values do not ascend", (plan) => declaredKey(plan).values.reverse()],
    ["has a key with too few labels", (plan) => declaredKey(plan).labels.pop()],
    ["has two outputs of one name", (plan) => Object.assign(plan.outputs[1]!, { name: "sex" })],
    ["writes a number with a leading zero", (plan) => Object.assign(plan.vectors[1]!, { low: "018" })],
    [
      "names a column that no manifest could",
      (plan) => Object.assign(plan.vectors[1]!, { of: { kind: "column", name: 'a"b' } }),
    ],
    [
      "divides by zero",
      (plan) =>
        Object.assign(plan.vectors[1]!, {
          of: { kind: "divide", left: { kind: "column", name: "age" }, divisor: "0" },
        }),
    ],
    [
      "is nested without end",
      (plan) => {
        let filter: unknown = { kind: "always" };
        for (let depth = 0; depth < 100_000; depth++) filter = { kind: "not", operand: filter };
        Object.assign(plan.rows, { filter });
      },
    ],
  ];
  for (const [name, change] of changes) {
    it(`is refused when it ${name}`, () => {
      const plan = structuredClone(planOf(question)) as Loose & Plan;
      expect(planSchema.safeParse(plan).success).to.equal(true);
      change(plan);
      expect(planSchema.safeParse(plan).success).to.equal(false);
    });
  }
});
