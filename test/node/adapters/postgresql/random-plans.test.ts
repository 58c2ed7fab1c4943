import { expect } from "chai";
import fc from "fast-check";
import { executePlan } from "../../../../node/data-sharing/plan/evaluate.ts";
import {
  type Bounding,
  groupCountOf,
  type Plan,
  rowsPerPersonOf,
} from "../../../../node/data-sharing/plan/plan.ts";
import { sensitivitySquaredOf } from "../../../../node/data-sharing/plan/sensitivity.ts";
import { limits } from "../../../ports/data-files.ts";
import { type PostgresServer, startPostgres } from "../../../support/postgresql-server.ts";
import { anyPlan, anyTables, textsByCode, twoTables } from "./any-plan.ts";
import { byGroup, createTwoTables, deletePerson, insertRows } from "./two-tables.ts";
import { type PostgresUnderTest, postgresUnderTest } from "./under-test.ts";

describe("plans of every kind on PostgreSQL", () => {
  let server: PostgresServer;
  let data: PostgresUnderTest;
  before(async () => {
    server = await startPostgres();
    data = await postgresUnderTest(server);
    await createTwoTables(server);
    const address = data.url("visits", "&table.patients=public.patients");
    await data.postgres.importFile(address, twoTables());
  });
  after(async () => {
    await data.dispose();
    await server.stop();
  });
  const run = async (plan: Plan) => byGroup(plan, await data.engine.execute("visits", plan, limits));

  it("give the integers of the reference interpreter where nobody has more rows than the manifest says", async () => {
    const tables = fc.sample(anyTables(), { numRuns: 1, seed: 11 })[0]!;
    await insertRows(server, tables);
    const answered = new Set<string>();
    await fc.assert(
      fc.asyncProperty(anyPlan(), async (plan) => {
        const expected = byGroup(plan, executePlan({ ...tables }, plan, { texts: textsByCode }));
        expect(await run(plan)).to.deep.equal(expected);
        for (const [at, groups] of expected.entries())
          if (
            Object.values(groups)
              .flat()
              .some((number) => number !== 0n)
          )
            answered.add(plan.vectors[at]!.kind);
      }),
      { numRuns: 300 },
    );
    expect([...answered].sort()).to.deep.equal(["buckets", "count", "people", "squares", "sum"]);
  });

  it("move by no more than their sensitivity when one person goes, however many rows that person has", async () => {
    const tables = fc.sample(anyTables([14, 5], 20), { numRuns: 1, seed: 12 })[0]!;
    await server.sql("DELETE FROM visits; DELETE FROM patients");
    await insertRows(server, tables);
    const bounding: fc.Arbitrary<Bounding> = fc.oneof(
      fc.constant<Bounding>({ kind: "stored" }),
      fc.record({
        kind: fc.constant("query" as const),
        rowsPerGroup: fc.integer({ min: 1, max: 3 }),
        groups: fc.integer({ min: 1, max: 3 }),
      }),
    );
    let moved = 0;
    await fc.assert(
      fc.asyncProperty(anyPlan(bounding), fc.integer({ min: 0, max: 19 }), async (plan, person) => {
        const with_ = await run(plan);
        const own = `p${person}`;
        const rows = {
          visits: tables.visits.filter((row) => row.person === own),
          patients: tables.patients.filter((row) => row.person === own),
        };
        await deletePerson(server, own);
        const without = await run(plan);
        await insertRows(server, rows);
        for (const [at, vector] of plan.vectors.entries()) {
          const change = squaredDistance(with_[at]!, without[at]!);
          const contribution = {
            rows: rowsPerPersonOf(plan.rows),
            bounding: plan.bounding,
            groups: groupCountOf(plan),
          };
          expect(change <= sensitivitySquaredOf(vector, contribution), vector.kind).to.equal(true);
          if (change > 0n) moved++;
        }
      }),
      { numRuns: 250 },
    );
    expect(moved).to.be.greaterThan(15);
  });
});

function squaredDistance(a: Record<string, bigint[]>, b: Record<string, bigint[]>): bigint {
  let sum = 0n;
  for (const group of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [left, right] = [a[group] ?? [], b[group] ?? []];
    for (let cell = 0; cell < Math.max(left.length, right.length); cell++)
      sum += ((left[cell] ?? 0n) - (right[cell] ?? 0n)) ** 2n;
  }
  return sum;
}
