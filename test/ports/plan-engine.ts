/** What every PlanEngine does: the integers of the reference interpreter, whatever the plan; and nothing but two codes when it cannot. */
import { expect } from "chai";
import fc from "fast-check";
import { executePlan, type PersonRow } from "../../node/data-sharing/plan/evaluate.ts";
import type { Expression, Plan, Predicate, Vector } from "../../node/data-sharing/plan/plan.ts";
import { expectCode } from "../support/errors.ts";
import {
  byRegion,
  column,
  type DataUnderTest,
  declared,
  limits,
  manifestOf,
  planOf,
  row,
  rowCount,
  sumOf,
  writeRows,
} from "./data-files.ts";

export function testPlanEngine(create: () => Promise<DataUnderTest> | DataUnderTest): void {
  let data: DataUnderTest;

  before(async () => {
    data = await create();
  });
  after(() => data.dispose());

  async function load(
    rows: readonly PersonRow[],
    changes: Parameters<typeof manifestOf>[0] = {},
  ): Promise<void> {
    await data.store.importFile(writeRows(data.inbox, rows), manifestOf(changes));
  }
  const run = async (plan: Plan) => (await data.engine.execute("visits", plan, limits)).vectors;

  describe("on the same rows as the reference interpreter", () => {
    const rows = fc.sample(rowsOf, { numRuns: 1, seed: 7 })[0]!;
    before(() => load(rows));

    it("gives equal integers for any plan", () =>
      fc.assert(
        fc.asyncProperty(anyPlan, async (plan) => {
          expect(await run(plan)).to.deep.equal(executePlan(rows, plan).vectors);
        }),
        { numRuns: 300 },
      ));
  });

  it("returns the whole domain, zeros included, and leaves out what is outside of it", async () => {
    await load([row("a", { region: 1n }), row("b", { region: null }), row("c", { region: 3n })]);
    expect(await run(planOf([rowCount], { keys: byRegion }))).to.deep.equal([[0n, 1n, 0n, 1n]]);
    const some = [declared(column("region"), ["0", "3"], ["x", "y"])];
    expect(await run(planOf([rowCount], { keys: some }))).to.deep.equal([[0n, 1n]]);
  });

  it("answers over no rows with zeros", async () => {
    await load([row("a")]);
    const plan = planOf([rowCount, sumOf(column("age"), 0n, 120n, 60n)], { filter: { kind: "never" } });
    expect(await run(plan)).to.deep.equal([[0n], [0n]]);
  });

  it("counts null as nothing, never as a bound", async () => {
    await load([row("a", { cost: null }), row("b", { cost: 500n })]);
    const plan = planOf([
      rowCount,
      { kind: "count", of: column("cost") },
      sumOf(column("cost"), 700n, 800n, 750n),
    ]);
    expect(await run(plan)).to.deep.equal([[2n], [1n], [-50n]]);
  });

  it("does not know whether null is in a set, however small", async () => {
    await load([row("a", { region: null }), row("b", { region: 2n })]);
    for (const values of [[], ["1"], ["1", "3"], [`9${"0".repeat(50)}`]]) {
      const operand: Predicate = { kind: "in", expression: column("region"), values };
      expect(await run(planOf([rowCount], { filter: { kind: "not", operand } }))).to.deep.equal([[1n]]);
    }
  });

  it("takes at most the plan's rows of a person", async () => {
    await load(["a", "a", "a", "a", "a", "a", "a", "b"].map((person) => row(person)));
    for (const [rowsPerPerson, expected] of [
      [1, 2n],
      [3, 4n],
      [5, 6n],
      [9, 6n],
    ] as const)
      expect(await run(planOf([rowCount], { rowsPerPerson }))).to.deep.equal([[expected]]);
  });

  it("adds and multiplies at the bounds without overflow", async () => {
    const most = 2n ** 47n;
    await load([row("a", { large: most }), row("b", { large: most }), row("c", { large: -most })]);
    const large = column("large");
    const product: Expression = { kind: "multiply", operands: [large, { kind: "constant", value: "16384" }] };
    const square: Expression = { kind: "multiply", operands: [{ kind: "constant", value: "4096" }, large] };
    const plan = planOf([
      sumOf(product, -(most << 14n), most << 14n, -(most << 14n)),
      sumOf(square, 0n, most << 12n),
    ]);
    expect(await run(plan)).to.deep.equal([[4n * (most << 14n)], [2n * (most << 12n)]]);
  });

  it("compares with constants beyond every column", async () => {
    await load([row("a", { large: 5n }), row("b", { large: -5n })]);
    const huge: Expression = { kind: "constant", value: `1${"0".repeat(60)}` };
    const filter: Predicate = { kind: "compare", operator: "<", left: column("large"), right: huge };
    expect(await run(planOf([rowCount], { filter }))).to.deep.equal([[2n]]);
  });

  it("reaches the time limit with a code and no detail, and goes on", async () => {
    await load(fc.sample(rowsOf, { numRuns: 1, seed: 8 })[0]!);
    const heavy: Vector[] = Array.from({ length: 200 }, (_, at) => sumOf(column("age"), 0n, BigInt(at + 1)));
    const short = { ...limits, timeMsMax: 1 };
    const error = await expectCode(
      () => Promise.all(Array.from({ length: 8 }, () => data.engine.execute("visits", planOf(heavy), short))),
      "engine_limit",
    );
    expect(error.fields).to.deep.equal({});
    expect((await run(planOf([rowCount])))[0]![0]! > 0n).to.equal(true);
  });

  it("fails with a code and no detail for a dataset that is not here", async () => {
    for (const name of ["nothing", "../visits", "visits.json", ""])
      await expectCode(() => data.engine.execute(name, planOf([rowCount]), limits), "engine_failed");
  });

  it("runs many questions at once, each with its own answer", async () => {
    await load(Array.from({ length: 40 }, (_, at) => row(`p${at}`, { age: BigInt(at) })));
    const upTo = (age: number): Predicate => ({
      kind: "compare",
      operator: "<",
      left: column("age"),
      right: { kind: "constant", value: String(age) },
    });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, age) => run(planOf([rowCount], { filter: upTo(age) }))),
    );
    expect(answers).to.deep.equal(Array.from({ length: 40 }, (_, age) => [[BigInt(age)]]));
  });

  it("answers from the old or the new data while a dataset is replaced, never from both", async () => {
    await load([row("a"), row("b")]);
    const stop = { now: false };
    const seen = new Set<bigint>();
    const asking = (async () => {
      while (!stop.now) {
        const [rows, people] = await run(planOf([rowCount, sumOf(column("age"), 0n, 120n)]));
        expect(people![0]!).to.equal(30n * rows![0]!);
        seen.add(rows![0]!);
      }
    })();
    for (let count = 3; count < 8; count++)
      await load(Array.from({ length: count }, (_, at) => row(`p${at}`)));
    stop.now = true;
    await asking;
    expect([...seen].every((rows) => rows >= 2n && rows <= 7n)).to.equal(true);
    expect(await run(planOf([rowCount]))).to.deep.equal([[7n]]);
  });
}

const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { freq: 5, nil: null });
const columnValues: Record<string, fc.Arbitrary<bigint | null>> = {
  region: orNull(fc.bigInt({ min: 0n, max: 3n })),
  cost: orNull(fc.bigInt({ min: -10_000n, max: 100_000n })),
  age: fc.bigInt({ min: 0n, max: 120n }),
  day: orNull(fc.bigInt({ min: -3652n, max: 22_279n })),
  acute: orNull(fc.bigInt({ min: 0n, max: 1n })),
  large: fc.bigInt({ min: -(2n ** 47n), max: 2n ** 47n }),
};
/** At most five rows a person, so that all take part. */
const rowsOf: fc.Arbitrary<PersonRow[]> = fc
  .array(fc.record(columnValues), { minLength: 200, maxLength: 300 })
  .map((rows) => rows.map((columns, at) => ({ person: `p${at % 70}`, columns })));

const constants = fc.bigInt({ min: -1000n, max: 1000n }).map(String);
const names = fc.constantFrom(...Object.keys(columnValues));
const { expression, predicate } = fc.letrec<{ expression: Expression; predicate: Predicate }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 2, depthSize: "small" },
    fc.record({ kind: fc.constant("column" as const), name: names }),
    fc.record({ kind: fc.constant("constant" as const), value: constants }),
    fc.record({
      kind: fc.constantFrom("add" as const, "multiply" as const),
      operands: fc.array(tie("expression"), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant("subtract" as const), left: tie("expression"), right: tie("expression") }),
    fc.record({
      kind: fc.constant("divide" as const),
      left: fc.record({
        kind: fc.constant("column" as const),
        name: fc.constantFrom("age", "region", "acute"),
      }),
      divisor: fc.integer({ min: 1, max: 50 }).map(String),
    }),
  ),
  predicate: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.constantFrom<Predicate>({ kind: "always" }, { kind: "never" }),
    fc.record({
      kind: fc.constant("compare" as const),
      operator: fc.constantFrom("=" as const, "<" as const, "<=" as const),
      left: tie("expression"),
      right: tie("expression"),
    }),
    fc.record({
      kind: fc.constant("in" as const),
      expression: tie("expression"),
      values: fc.array(constants, { maxLength: 5 }),
    }),
    fc.record({ kind: fc.constant("is-null" as const), column: names }),
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      operands: fc.array(tie("predicate"), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant("not" as const), operand: tie("predicate") }),
  ),
}));

/** Products of all columns leave 126 bits; a plan compiler refuses them long before, so they are not asked here. */
function bits(part: Expression): number {
  switch (part.kind) {
    case "column":
      return part.name === "large" ? 47 : 17;
    case "constant":
      return 10;
    case "divide":
      return bits(part.left);
    case "subtract":
      return Math.max(bits(part.left), bits(part.right)) + 1;
    case "add":
      return Math.max(...part.operands.map(bits)) + 2;
    case "multiply":
      return part.operands.reduce((sum, operand) => sum + bits(operand), 0);
    default:
      return 0;
  }
}

const small = expression.filter((part) => bits(part) < 80);
const bound = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n });
const vector: fc.Arbitrary<Vector> = fc.oneof(
  fc.record({ kind: fc.constant("count" as const), of: orNull(small) }),
  fc
    .tuple(small, bound, bound, bound)
    .map(([of, a, b, centre]) => sumOf(of, a < b ? a : b, a < b ? b : a, centre)),
);
const keyOf = (name: string, values: number[]) => declared(column(name), values.map(String));
const keys = fc.constantFrom<Plan["keys"]>(
  [],
  byRegion,
  [keyOf("acute", [0, 1]), keyOf("region", [1, 3])],
  [keyOf("age", [3, 17, 40, 41, 99, 120])],
  [
    declared({ kind: "divide", left: column("age"), divisor: "10" }, ["0", "1", "2", "7", "12"]),
    keyOf("acute", [1]),
  ],
);
const anyPlan = fc
  .record({
    filter: predicate.filter((part) => bitsOf(part) < 120),
    keys,
    vectors: fc.array(vector, { minLength: 1, maxLength: 4 }),
  })
  .map(({ filter, keys, vectors }) => planOf(vectors, { filter, keys }));

function bitsOf(part: Predicate): number {
  switch (part.kind) {
    case "compare":
      return Math.max(bits(part.left), bits(part.right));
    case "in":
      return bits(part.expression);
    case "not":
      return bitsOf(part.operand);
    case "and":
    case "or":
      return Math.max(...part.operands.map(bitsOf));
    default:
      return 0;
  }
}
