/** What every PlanEngine does: the integers of the reference interpreter, whatever the plan; and nothing but two codes when it cannot. */
import { expect } from "chai";
import fc from "fast-check";
import { dateToDays } from "../../node/data-sharing/manifests/grid.ts";
import { textCode } from "../../node/data-sharing/manifests/text-code.ts";
import { executePlan, type PersonRow } from "../../node/data-sharing/plan/evaluate.ts";
import {
  cellsOf,
  type Expression,
  type GroupKey,
  openGroupsMax,
  type Plan,
  type Predicate,
  type Rows,
  type Vector,
} from "../../node/data-sharing/plan/plan.ts";
import type { ExactAnswer } from "../../node/data-sharing/ports.ts";
import { expectCode } from "../support/errors.ts";
import {
  byRegion,
  column,
  type DataUnderTest,
  declared,
  joinedManifest,
  limits,
  loadTables,
  manifestOf,
  planOf,
  row,
  rowCount,
  sumOf,
  type TableRows,
  texts,
} from "./data-files.ts";
import { anyPlan, anyTables } from "./plan-arbitraries.ts";
import { planOver, testSensitivity } from "./plan-sensitivity.ts";

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
    await loadTables(data, manifestOf(changes), { visits: rows });
  }
  const execute = (plan: Plan) => data.engine.execute("visits", plan, limits);
  const run = async (plan: Plan) => (await execute(plan)).vectors;

  describe("on the same rows as the reference interpreter", () => {
    const most = { visits: 5, patients: 1, drugs: 3 };
    const rows = fc.sample(anyTables(50, most), { numRuns: 1, seed: 7 })[0]!;
    before(() => loadTables(data, joinedManifest(), rows));

    it("gives equal integers for any plan", () =>
      fc.assert(
        fc.asyncProperty(anyPlan(true), async (plan) => {
          expect(inOrder(plan, await execute(plan))).to.deep.equal(
            inOrder(plan, executePlan(rows, plan, { texts })),
          );
        }),
        { numRuns: 300 },
      ));
  });

  describe("on people with more rows than count", () => {
    const people = 20;
    const rows = fc.sample(anyTables(people, { visits: 9, patients: 2, drugs: 6 }), {
      numRuns: 1,
      seed: 9,
    })[0]!;
    before(() => loadTables(data, joinedManifest(), rows));

    testSensitivity((plan, who) => execute(who === null ? plan : planOver(plan, who)), people, 100);

    it("chooses the same groups of a person each time, and different ones of different people", async () => {
      await loadTables(data, joinedManifest(), {
        ...rows,
        visits: Array.from({ length: 2000 }, (_, at) => ({
          person: `p${at >> 2}`,
          columns: { ...row("").columns, region: BigInt(at % 4), town: null, who: 0n },
        })),
      });
      const plan = planOf([{ kind: "people" }], {
        keys: byRegion,
        bounding: { kind: "query", rowsPerGroup: 1, groups: 1 },
      });
      const [counts] = await run(plan);
      expect(counts!.reduce((a, b) => a + b, 0n)).to.equal(500n);
      // Of 500 people with four groups each: 125 in each, with a standard deviation of 10.
      for (const count of counts!) expect(count > 65n && count < 185n, String(counts)).to.equal(true);
      expect(await run(plan)).to.deep.equal([counts]);
    });
  });

  describe("over joins", () => {
    const visit = (person: string, columns: Record<string, bigint | null>): PersonRow => ({
      person,
      columns: { ...row("").columns, town: null, who: 0n, ...columns },
    });
    const patient = (
      person: string,
      born: string | null,
      weight = 700n,
      town: string | null = null,
    ): PersonRow => ({
      person,
      columns: {
        who: 0n,
        born: born === null ? null : dateToDays(born),
        weight,
        town: town === null ? null : textCode(town),
      },
    });
    const drug = (person: string, dose: bigint | null): PersonRow => ({
      person,
      columns: { who: 0n, dose, generic: 0n },
    });
    const everybody: TableRows = {
      visits: [
        visit("a", { age: 10n, region: 1n }),
        visit("a", { age: 20n, region: 1n }),
        visit("b", { age: 30n, region: 2n }),
        visit("c", { age: 40n, region: 1n, town: textCode("Oslo") }),
      ],
      patients: [
        patient("a", "2000-02-29", 705n, "Oslo"),
        patient("b", null, 800n, "Łódź"),
        patient("d", "1999-12-31", 900n, "Oslo"),
      ],
      drugs: [drug("a", 5n), drug("a", null), drug("a", 7n), drug("c", -3n)],
    };
    before(() => loadTables(data, joinedManifest(), everybody));

    const table = (name: string, rowsPerPerson: number) => ({
      kind: "table" as const,
      table: name,
      rowsPerPerson,
    });
    const rowsFrom = (sources: Rows["sources"], changes: Partial<Rows> = {}): Rows => ({
      sources,
      publicJoins: [],
      filter: { kind: "always" },
      ...changes,
    });
    const sum = (name: string) => sumOf(column(name), -1_000_000n, 1_000_000n);

    it("joins each row of a person with each other one of the same person, and with nobody else's", async () => {
      const rows = rowsFrom([table("visits", 5), table("drugs", 3)]);
      // a: two visits with three drugs each; c: one with one.
      expect(
        await run(planOf([rowCount, sum("0.age"), sum("1.dose"), { kind: "people" }], { rows })),
      ).to.deep.equal([[7n], [3n * 30n + 40n], [2n * 12n - 3n], [2n]]);
      const three = rowsFrom([table("visits", 5), table("patients", 1), table("drugs", 3)]);
      expect(await run(planOf([rowCount], { rows: three }))).to.deep.equal([[6n]]);
    });

    it("joins a table with itself", async () => {
      const rows = rowsFrom([table("visits", 5), table("visits", 5)], {
        filter: { kind: "compare", operator: "<", left: column("0.age"), right: column("1.age") },
      });
      expect(await run(planOf([rowCount, sum("1.age")], { rows }))).to.deep.equal([[1n], [20n]]);
    });

    it("bounds the rows of each source before joining", async () => {
      const rows = rowsFrom([table("visits", 1), table("drugs", 1)]);
      expect(await run(planOf([rowCount], { rows }))).to.deep.equal([[2n]]);
    });

    it("makes one row of a person's, with sums of nothing 0 and extremes of nothing null", async () => {
      const drugs = rowsFrom([table("drugs", 3)], {
        filter: {
          kind: "compare",
          operator: "<",
          left: { kind: "constant", value: "-100" },
          right: { kind: "constant", value: "0" },
        },
      });
      const columns = [
        { name: "rows_", aggregate: "count" as const, of: null },
        { name: "doses", aggregate: "count" as const, of: column("dose") },
        { name: "total", aggregate: "sum" as const, of: column("dose") },
        { name: "least", aggregate: "minimum" as const, of: column("dose") },
        { name: "most", aggregate: "maximum" as const, of: column("dose") },
      ];
      const rows = rowsFrom([{ kind: "people", rows: drugs, columns }]);
      const vectors: Vector[] = [rowCount, ...columns.map(({ name }) => sum(name))];
      expect(await run(planOf(vectors, { rows }))).to.deep.equal([[2n], [4n], [3n], [9n], [2n], [4n]]);
      const nothing = { ...drugs, filter: { kind: "is-null" as const, column: "dose" } };
      const nulls = rowsFrom([{ kind: "people", rows: nothing, columns }]);
      const counts: Vector[] = ["total", "least"].map((name) => ({ kind: "count", of: column(name) }));
      expect(await run(planOf([rowCount, sum("total"), ...counts], { rows: nulls }))).to.deep.equal([
        [1n],
        [0n],
        [1n],
        [0n],
      ]);
    });

    it("joins people with tables", async () => {
      const drugs = {
        kind: "people" as const,
        rows: rowsFrom([table("drugs", 3)]),
        columns: [{ name: "n", aggregate: "count" as const, of: null }],
      };
      const rows = rowsFrom([table("visits", 5), drugs]);
      expect(await run(planOf([rowCount, sum("1.n")], { rows }))).to.deep.equal([[3n], [7n]]);
    });

    it("joins public rows as often as they are there, and drops rows without one", async () => {
      const join = {
        on: [column("region")],
        columns: ["rate"],
        rows: [
          ["1", "100"],
          ["1", "1000"],
          ["3", "5"],
          [`9${"0".repeat(60)}`, "7"],
        ],
      };
      const rows = rowsFrom([table("visits", 5)], { publicJoins: [join] });
      expect(await run(planOf([rowCount, sum("p0.rate"), sum("age")], { rows }))).to.deep.equal([
        [6n],
        [3300n],
        [140n],
      ]);
      const none = rowsFrom([table("visits", 5)], { publicJoins: [{ ...join, rows: [] }] });
      expect(await run(planOf([rowCount, sum("p0.rate")], { rows: none }))).to.deep.equal([[0n], [0n]]);
      const further = { on: [column("p0.rate")], columns: ["more"], rows: [["100", "-4"]] };
      const two = rowsFrom([table("visits", 5)], { publicJoins: [join, further] });
      expect(await run(planOf([rowCount, sum("p1.more")], { rows: two }))).to.deep.equal([[3n], [-12n]]);
    });

    it("names open groups by what they are: texts, dates and decimals, and none for null", async () => {
      const rows = rowsFrom([table("patients", 1)]);
      const named = async (keys: GroupKey[]) => {
        const plan = planOf([rowCount, { kind: "people" }], { rows, keys });
        return inOrder(plan, await execute(plan));
      };
      const open = (name: string, type: "number" | "date" | "text", scale = 0): GroupKey => ({
        kind: "open",
        expression: column(name),
        type,
        scale,
      });
      expect(await named([open("town", "text")])).to.deep.equal([
        [["Oslo"], [[2n], [2n]]],
        [["Łódź"], [[1n], [1n]]],
      ]);
      expect(await named([open("born", "date")])).to.deep.equal([
        [["1999-12-31"], [[1n], [1n]]],
        [["2000-02-29"], [[1n], [1n]]],
      ]);
      const heavy = declared(
        { kind: "divide", left: column("weight"), divisor: "100" },
        ["7", "9"],
        ["light", "heavy"],
      );
      expect(await named([open("weight", "number", 1), heavy])).to.deep.equal([
        [
          ["70.5", "light"],
          [[1n], [1n]],
        ],
        [
          ["90.0", "heavy"],
          [[1n], [1n]],
        ],
      ]);
    });

    it("takes dates apart", async () => {
      const rows = rowsFrom([table("patients", 1)]);
      const parts = ["year", "quarter", "month", "day", "dow", "doy"] as const;
      const vectors = parts.map((part) =>
        sumOf({ kind: "date-part", part, of: column("born") }, 0n, 10_000n),
      );
      // 2000-02-29, a Tuesday, and 1999-12-31, a Friday.
      expect(await run(planOf(vectors, { rows }))).to.deep.equal([[3999n], [5n], [14n], [60n], [7n], [425n]]);
    });
  });

  it("takes the first branch of a case that is true, unknown not being so", async () => {
    await load([
      row("a", { cost: null, age: 50n }),
      row("b", { cost: 5n, age: 7n }),
      row("c", { cost: 9n, age: 1n }),
    ]);
    const isSmall = (most: string): Predicate => ({
      kind: "compare",
      operator: "<",
      left: column("cost"),
      right: { kind: "constant", value: most },
    });
    const of: Expression = {
      kind: "case",
      branches: [
        { when: isSmall("6"), value: { kind: "constant", value: "100" } },
        { when: isSmall("100"), value: { kind: "null" } },
      ],
      otherwise: column("age"),
    };
    expect(await run(planOf([sumOf(of, 0n, 1000n), { kind: "count", of }]))).to.deep.equal([[150n], [2n]]);
  });

  it("counts each person once in a group, however many groups there are", async () => {
    const rows = Array.from({ length: 300 }, (_, at) =>
      row(`p${at % 60}`, { age: BigInt(at % 90), region: BigInt(at % 4) }),
    );
    await load(rows);
    for (const keys of [
      [],
      byRegion,
      [
        declared(
          column("age"),
          Array.from({ length: 90 }, (_, at) => String(at)),
        ),
      ],
      [
        ...byRegion,
        declared(
          column("age"),
          Array.from({ length: 121 }, (_, at) => String(at)),
        ),
      ],
    ]) {
      const plan = planOf([rowCount, { kind: "people" }, sumOf(column("age"), 0n, 120n, 60n)], { keys });
      expect(await run(plan)).to.deep.equal(executePlan(rows, plan).vectors);
    }
  });

  it("scales what is too much of a person in a group down, rounding toward zero", async () => {
    await load([
      ...[10n, 20n, 41n].map((cost) => row("a", { cost })),
      ...[-10n, -20n, -41n, null].map((cost) => row("b", { cost, region: 1n })),
      row("c", { cost: 3n, region: 1n }),
    ]);
    const cost = column("cost");
    const vectors: Vector[] = [
      rowCount,
      { kind: "count", of: cost },
      { kind: "people" },
      sumOf(cost, -100n, 100n),
      { kind: "squares", of: cost, low: "-100", high: "100", centre: "0" },
      { kind: "buckets", of: cost, low: "0", step: "15", buckets: 3 },
    ];
    const bounding = { kind: "query", rowsPerGroup: 2, groups: 4 } as const;
    expect(await run(planOf(vectors, { keys: byRegion.slice(0, 1), bounding }))).to.deep.equal([
      [2n, 3n, 0n, 0n],
      // b: 3 * 2 / 4
      [2n, 2n, 0n, 0n],
      [1n, 2n, 0n, 0n],
      // 71 * 2 / 3; -71 * 2 / 4 + 3
      [47n, -32n, 0n, 0n],
      // 2181 * 2 / 3; 2181 * 2 / 4 + 9
      [1454n, 1099n, 0n, 0n],
      // 2/3 of one each; 2/4 of three in the first bucket, and c.
      [0n, 0n, 0n, 2n, 0n, 0n, ...Array(6).fill(0n)],
    ]);
  });

  it("holds rows to the first and the last bucket, and leaves out null", async () => {
    const values = [null, -5n, 9n, 10n, 19n, 20n, 39n, 40n, 120n];
    await load(values.map((cost, at) => row(`p${at}`, { cost })));
    const buckets: Vector = { kind: "buckets", of: column("cost"), low: "10", step: "10", buckets: 3 };
    const beyond = { ...buckets, low: String(10n ** 30n) };
    const below = { ...buckets, low: String(-(10n ** 30n)), step: "1" };
    const wide = { ...buckets, low: "-100", step: String(10n ** 30n) };
    expect(await run(planOf([rowCount, buckets, beyond, below, wide]))).to.deep.equal([
      [9n],
      [4n, 1n, 3n],
      [8n, 0n, 0n],
      [0n, 0n, 8n],
      [8n, 0n, 0n],
    ]);
  });

  it("squares the largest values without overflow", async () => {
    const most = 2n ** 47n;
    await load(
      Array.from({ length: 20 }, (_, at) => row(`p${at % 4}`, { large: at % 2 === 0 ? most : -most })),
    );
    const bounds = { low: String(-most), high: String(most), centre: String(-most) };
    const squares: Vector = { kind: "squares", of: column("large"), ...bounds };
    expect(await run(planOf([squares]))).to.deep.equal([[10n * 2n ** 96n]]);
    const bounding = { kind: "query", rowsPerGroup: 2, groups: 1 } as const;
    // Of five rows each: p0 and p2 have only the largest, p1 and p3 only the least.
    expect(await run(planOf([squares, sumOf(column("large"), -most, most)], { bounding }))).to.deep.equal([
      [2n * ((5n * 2n ** 96n * 2n) / 5n)],
      [0n],
    ]);
  });

  it("finds no more open groups than an answer may have", async () => {
    const rows = Array.from({ length: openGroupsMax + 1 }, (_, at) =>
      row(`p${at >> 2}`, { large: BigInt(at) }),
    );
    await load(rows);
    const keys: GroupKey[] = [{ kind: "open", expression: column("large"), type: "number", scale: 0 }];
    for (const vectors of [[rowCount], [rowCount, { kind: "people" as const }]]) {
      await expectCode(() => execute(planOf(vectors, { keys })), "engine_limit");
      const filter: Predicate = {
        kind: "compare",
        operator: "<",
        left: column("large"),
        right: { kind: "constant", value: String(openGroupsMax) },
      };
      const { groups } = await execute(planOf(vectors, { keys, filter }));
      expect(groups).to.have.length(openGroupsMax);
    }
    // Groups in which nobody counts take no room, or one person's rows could fill it.
    const bounding = { kind: "query", rowsPerGroup: 1, groups: 1 } as const;
    const { groups } = await execute(planOf([rowCount], { keys, bounding }));
    expect(groups).to.have.length((openGroupsMax >> 2) + 1);
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
    await load(Array.from({ length: 300 }, (_, at) => row(`p${at % 70}`, { age: BigInt(at % 120) })));
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

/** By group, its labels and the cells of each vector; engines list open groups in any order. */
export function inOrder(plan: Plan, { groups, vectors }: ExactAnswer): unknown {
  if (groups === null) return vectors;
  return groups
    .map((labels, group) => [
      labels,
      vectors.map((vector, at) => {
        const cells = cellsOf(plan.vectors[at]!);
        return vector.slice(group * cells, (group + 1) * cells);
      }),
    ])
    .sort((a, b) => (JSON.stringify(a[0]) < JSON.stringify(b[0]) ? -1 : 1));
}
