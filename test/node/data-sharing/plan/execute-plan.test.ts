import { expect } from "chai";
import fc from "fast-check";
import { planColumns } from "../../../../node/data-sharing/plan/columns.ts";
import { executePlan, type PersonRow } from "../../../../node/data-sharing/plan/evaluate.ts";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import type { Plan } from "../../../../node/data-sharing/plan/plan.ts";
import { planSchema } from "../../../../node/data-sharing/plan/plan-schema.ts";
import { conditionArb, sqlOf } from "./conditions.ts";
import { people, planOf } from "./questions.ts";

const columns = planColumns(people);
const rowsArb: fc.Arbitrary<PersonRow[]> = fc.array(
  fc.record({
    // Few people with many rows each, more than may take part.
    person: fc.constantFrom("a", "b", "c"),
    columns: fc.record(
      Object.fromEntries(
        [...columns].map(([name, { range, nullable }]) => {
          const { low, high } = range ?? { low: -5_000n, high: 5_000n };
          const value = fc.oneof(fc.constantFrom(low, high), fc.bigInt(low, high));
          return [name, nullable ? fc.option(value) : value];
        }),
      ),
    ) as fc.Arbitrary<PersonRow["columns"]>,
  }),
  { maxLength: 14 },
);

const planArb: fc.Arbitrary<Plan> = fc
  .record({
    keys: fc.subarray(["sex", "region", "age / 30", "member"], { maxLength: 2 }),
    aggregates: fc.subarray(
      [
        "COUNT(*)",
        "COUNT(children)",
        "SUM(age)",
        "SUM(balance)",
        "AVG(wage)",
        "AVG(balance)",
        "SUM(children * age - wage)",
        "AVG(-3 * wage)",
        "SUM(score)",
        "AVG(serial)",
      ],
      { minLength: 1, maxLength: 4 },
    ),
    condition: fc.option(conditionArb),
  })
  .map(({ keys, aggregates, condition }) => {
    const select = aggregates.map((aggregate, index) => `${aggregate} AS a${index}`).join(", ");
    const where = condition === null ? "" : ` WHERE ${sqlOf(condition)}`;
    const group = keys.length === 0 ? "" : ` GROUP BY ${keys.join(", ")}`;
    return `SELECT ${select} FROM people${where}${group}`;
  })
  .map((sql) => planOf(sql, { clamp: { score: [-3, 4.5], serial: [-7, 2_000], wage: [5, 50] } }));

function sensitivitySquared(plan: Plan, vector: number): bigint {
  const release = plan.releases.find((one) => one.vector === vector);
  return release?.mechanism === "gaussian" ? BigInt(release.sensitivitySquared) : -1n;
}

describe("running a plan", () => {
  before(loadSqlParser);

  const row = (person: string, columns: Record<string, bigint | null>, rank?: number): PersonRow => ({
    person,
    columns,
    ...(rank === undefined ? {} : { rank }),
  });

  it("counts and sums by group, the last key fastest", () => {
    const plan = planOf("SELECT sex, member, COUNT(*), SUM(age), AVG(wage) FROM people GROUP BY sex, member");
    const exact = executePlan(
      [
        row("a", { sex: 0n, member: 1n, age: 30n, wage: 1_000n }),
        row("b", { sex: 0n, member: 1n, age: 40n, wage: 2_600n }),
        row("c", { sex: 1n, member: 0n, age: 50n, wage: 2_500n }),
      ],
      plan,
    );
    expect(exact.vectors).to.deep.equal([
      [0n, 2n, 1n, 0n],
      [0n, 70n, 50n, 0n],
      [0n, -1_400n, 0n, 0n],
    ]);
  });

  it("leaves out rows whose key is null, sums nothing for null, and clamps", () => {
    const plan = planOf("SELECT COUNT(*), COUNT(children) AS n, SUM(children) FROM people GROUP BY region", {
      clamp: { children: [1, 4] },
    });
    const exact = executePlan(
      [
        row("a", { region: 1n, children: null }),
        row("b", { region: 1n, children: 9n }),
        row("c", { region: 1n, children: 0n }),
        row("d", { region: null, children: 3n }),
      ],
      plan,
    );
    expect(exact.vectors.map((vector) => vector[1])).to.deep.equal([3n, 2n, 5n]);
    expect(exact.vectors[0]!.reduce((a, b) => a + b)).to.equal(3n);
  });

  it("lets no more than the declared rows of a person take part, by rank", () => {
    const plan = planOf("SELECT COUNT(*), SUM(age) FROM people");
    const rows = [5, 1, 4, 2, 3].map((rank) => row("a", { age: BigInt(20 + rank) }, rank));
    expect(executePlan(rows, plan).vectors).to.deep.equal([[3n], [66n]]);
  });

  it("never moves further than the sensitivity when a person goes", () => {
    fc.assert(
      fc.property(planArb, rowsArb, fc.constantFrom("a", "b", "c"), (plan, rows, person) => {
        const all = executePlan(rows, plan);
        const without = executePlan(
          rows.filter((each) => each.person !== person),
          plan,
        );
        for (const [index, vector] of all.vectors.entries()) {
          const moved = vector.reduce(
            (sum, value, group) => sum + (value - without.vectors[index]![group]!) ** 2n,
            0n,
          );
          expect(moved <= sensitivitySquared(plan, index)).to.equal(true);
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it("reaches the sensitivity, so that no noise is wasted", () => {
    const plan = planOf("SELECT COUNT(*), SUM(age), AVG(wage) FROM people");
    const rows = [1, 2, 3, 4].map((rank) => row("a", { age: 90n, wage: 0n }, rank));
    const moved = executePlan(rows, plan).vectors.map(([value]) => value! ** 2n);
    expect(moved).to.deep.equal(plan.vectors.map((_, index) => sensitivitySquared(plan, index)));
  });

  it("answers plans that were sent as JSON", () => {
    fc.assert(
      fc.property(planArb, rowsArb, (plan, rows) => {
        const received = planSchema.parse(JSON.parse(JSON.stringify(plan)));
        expect(received).to.deep.equal(plan);
        expect(executePlan(rows, received)).to.deep.equal(executePlan(rows, plan));
      }),
      { numRuns: 200 },
    );
  });
});
