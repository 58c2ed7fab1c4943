/** Plans as they come from peers: nothing in them is believed. */
import { expect } from "chai";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import type { Plan } from "../../../../node/data-sharing/plan/plan.ts";
import { planSchema } from "../../../../node/data-sharing/plan/plan-schema.ts";
import { declaredKey, planOf } from "./questions.ts";
import { clinic } from "./random/clinic.ts";
import { clinicPlan } from "./random/clinic-plan.ts";

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

describe("a plan of joins from outside", () => {
  before(loadSqlParser);

  type Change = (plan: Plan) => void;
  const release = (plan: Plan, at: number) =>
    plan.releases[at]! as Extract<Plan["releases"][number], { mechanism: "gaussian" }>;
  const joined = "SELECT COUNT(*) AS n, SUM(v.age) AS s FROM visits v JOIN districts d USING (region)";
  const cases: [string, string, Change][] = [
    [
      "has a public table with more rows of a key than its noise is for",
      joined,
      (plan) => {
        const { rows } = plan.rows.publicJoins[0]!;
        rows.push(rows[0]!);
      },
    ],
    [
      "has rows of a public table with too few values",
      joined,
      (plan) => {
        plan.rows.publicJoins[0]!.rows[0]!.pop();
      },
    ],
    [
      "joins one table more",
      joined,
      (plan) => {
        plan.rows.sources.push({ kind: "table", table: "patients", rowsPerPerson: 2 });
      },
    ],
    [
      "lets more rows of a person through",
      joined,
      (plan) => {
        plan.rows.sources[0] = { kind: "table", table: "visits", rowsPerPerson: 4 };
      },
    ],
    [
      "sums what no clamp holds in",
      joined,
      (plan) => {
        Object.assign(plan.vectors[1]!, { high: "7" });
      },
    ],
    [
      "understates a sum below its centre",
      "SELECT AVG(age) AS a FROM visits",
      (plan) => {
        Object.assign(plan.vectors[1]!, { centre: "6" });
      },
    ],
    [
      "takes the root of a sensitivity",
      joined,
      (plan) => {
        release(plan, 0).sensitivitySquared = "9";
      },
    ],
    [
      "has an open key without a threshold",
      "SELECT icd, COUNT(*) AS n FROM visits GROUP BY icd",
      (plan) => {
        plan.threshold = null;
      },
    ],
    [
      "has the threshold on rows where a person has several",
      "SELECT icd, COUNT(*) AS n FROM visits GROUP BY icd",
      (plan) => {
        Object.assign(plan.vectors[0]!, { kind: "count", of: null });
        release(plan, 0).sensitivitySquared = "9";
      },
    ],
    [
      "bounds groups more than its noise is for",
      "SELECT icd, COUNT(DISTINCT person) AS n FROM visits GROUP BY icd",
      (plan) => {
        release(plan, 0).sensitivitySquared = "2";
      },
    ],
    [
      "chooses a quantile with too little noise",
      "SELECT MEDIAN(age) AS m FROM visits",
      (plan) => {
        Object.assign(plan.releases[1]!, { sensitivity: "2" });
      },
    ],
    [
      "has a quantile that weighs more than its noise is for",
      "SELECT MEDIAN(age) AS m FROM visits",
      (plan) => {
        Object.assign(plan.releases[1]!, { quantile: { numerator: "1", denominator: "4" } });
      },
    ],
    [
      "has a quantile above 1",
      "SELECT MEDIAN(age) AS m FROM visits",
      (plan) => {
        Object.assign(plan.releases[1]!, { quantile: { numerator: "3", denominator: "2" } });
      },
    ],
    [
      "orders by what it does not have",
      "SELECT COUNT(*) AS n FROM visits ORDER BY n",
      (plan) => {
        plan.post.order[0]!.output = 5;
      },
    ],
    [
      "has a condition on what it does not have",
      "SELECT COUNT(*) AS n FROM visits HAVING COUNT(*) > 3",
      (plan) => {
        Object.assign(plan.post.having!, { output: 5 });
      },
    ],
  ];
  for (const [name, sql, change] of cases)
    it(`is refused when it ${name}`, () => {
      const plan = structuredClone(clinicPlan(sql));
      expect(planSchema.safeParse(plan).success).to.equal(true);
      change(plan);
      expect(planSchema.safeParse(plan).success).to.equal(false);
    });

  it("is believed where a person has one row, of which a count is one of people", () => {
    const plan = clinicPlan(
      "SELECT icd, COUNT(*) AS n FROM visits GROUP BY icd",
      {},
      { ...clinic, rowsPerPerson: 1 },
    );
    expect(plan.vectors).to.deep.equal([{ kind: "count", of: null }]);
    expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).to.deep.equal(plan);
  });

  it("is refused soon, however it is swollen", () => {
    const plain = () => structuredClone(clinicPlan(joined));
    const deepSource = plain();
    for (let depth = 0; depth < 50_000; depth++)
      deepSource.rows = {
        sources: [{ kind: "people", rows: deepSource.rows, columns: [] }],
        publicJoins: [],
        filter: { kind: "always" },
      };
    const wide = plain();
    wide.rows.filter = { kind: "and", operands: new Array(500_000).fill({ kind: "always" }) };
    const large = plain();
    large.rows.publicJoins[0]!.rows = new Array(2_000).fill(new Array(36).fill("1"));
    large.rows.publicJoins = new Array(8).fill(large.rows.publicJoins[0]);
    const long = plain();
    Object.assign(long.vectors[1]!, { low: `-${"9".repeat(1_000_000)}` });
    const deepHaving = plain();
    for (let depth = 0; depth < 50_000; depth++)
      deepHaving.post.having = { kind: "not", operand: deepHaving.post.having! };
    for (const plan of [deepSource, wide, large, long, deepHaving]) {
      const from = process.cpuUsage();
      expect(planSchema.safeParse(plan).success).to.equal(false);
      expect(process.cpuUsage(from).user / 1_000).to.be.lessThan(1_000);
    }
  });
});
