import { expect } from "chai";
import fc from "fast-check";
import { formatDecimal } from "../../../../node/data-sharing/manifests/grid.ts";
import { executePlan } from "../../../../node/data-sharing/plan/evaluate.ts";
import { groupCountOf, type Output, type Plan, type Post } from "../../../../node/data-sharing/plan/plan.ts";
import { combineAnswers } from "../../../../node/data-sharing/release/combine.ts";
import { roundDivide } from "../../../../node/data-sharing/release/fixed-point.ts";
import { presentAnswer } from "../../../../node/data-sharing/release/present.ts";
import { presentTogether } from "../../../../node/data-sharing/release/side-by-side.ts";
import {
  answerOf,
  codeOf,
  count,
  countOutput,
  declaredKey,
  gaussian,
  keyOutput,
  openKey,
  persons,
  planOf,
  sumVector,
  wageBuckets,
  wagesBySex,
} from "./plans.ts";

/** The same question where wages have three decimal places and lie around 15, of males and others. */
const finer = planOf({
  keys: [declaredKey(["male", "other"])],
  vectors: [count, sumVector(), sumVector("15000")],
  outputs: wagesBySex.outputs.map((output) => ("scale" in output ? { ...output, scale: 3 } : output)),
});

const value = fc.bigInt(-1_000_000n, 1_000_000n);
const answerArb = (plan: Plan) =>
  fc
    .array(fc.option(fc.tuple(fc.bigInt(10n, 2_000n), value, value), { freq: 6 }), {
      minLength: groupCountOf(plan)!,
      maxLength: groupCountOf(plan)!,
    })
    .map((groups) =>
      answerOf(
        plan,
        [0, 1, 2].map((release) => groups.map((group) => group?.[release]?.toString() ?? null)),
      ),
    );

describe("combining answers", () => {
  it("of one repository is what that repository presents", () => {
    fc.assert(
      fc.property(answerArb(wagesBySex), (released) => {
        const { repositories, ...presented } = combineAnswers([{ plan: wagesBySex, released }]);
        expect(repositories).to.equal(1);
        expect(presented).to.deep.equal(presentAnswer(wagesBySex, released));
      }),
    );
  });

  it("does not depend on their order, but for the order of rows", () => {
    fc.assert(
      fc.property(answerArb(wagesBySex), answerArb(finer), (first, second) => {
        const both = [
          { plan: wagesBySex, released: first },
          { plan: finer, released: second },
        ];
        const [forth, back] = [combineAnswers(both), combineAnswers(both.toReversed())];
        expect(forth.columns).to.deep.equal(back.columns);
        expect(forth.rows).to.have.deep.members(back.rows);
      }),
    );
  });

  it("holds an average together within the bounds of all, not of any one", () => {
    const both = (cents: string, mills: string) =>
      combineAnswers([
        {
          plan: wagesBySex,
          released: answerOf(wagesBySex, [
            ["50", "100"],
            ["0", "0"],
            ["0", cents],
          ]),
        },
        {
          plan: finer,
          released: answerOf(finer, [
            ["100", null],
            ["0", null],
            [mills, null],
          ]),
        },
      ]).rows.find(({ values }) => values[0] === "male")!.values[3];
    expect(both("999999999", "0")).to.equal("50.00000");
    expect(both("0", "-999999999")).to.equal("0.00000");
  });

  it("adds counts and sums, and weighs averages, over different domains, centres and grids", () => {
    const releases = [gaussian(0), gaussian(1, "25000000"), gaussian(2, "6250000")];
    const cents: Plan = { ...wagesBySex, releases };
    const mills: Plan = { ...finer, releases };
    // Centre 25.00: female unseen by the other; male 100 people of 26.00 on average.
    const one = answerOf(cents, [
      ["50", "100"],
      ["0", "260000"],
      ["0", "10000"],
    ]);
    // Centre 15.000: male 300 people of 14.000 on average; other suppressed.
    const other = answerOf(mills, [
      ["300", null],
      ["4200000", null],
      ["-300000", null],
    ]);
    const combined = combineAnswers([
      { plan: cents, released: one },
      { plan: mills, released: other },
    ]);
    expect(combined.columns.map((column) => column.scale)).to.deep.equal([0, 0, 3, 5]);
    expect(combined.rows.map((row) => row.values)).to.deep.equal([
      ["female", "50", "0.000", "25.00000"],
      // (100 * 26 + 300 * 14) / 400
      ["male", "400", "6800.000", "17.00000"],
      ["other", null, null, null],
    ]);
    expect(combined.rows.map((row) => [row.suppressed, row.partial])).to.deep.equal([
      [false, false],
      [false, false],
      [true, false],
    ]);
    expect(combined.repositories).to.equal(2);
    const [, alone] = presentAnswer(cents, one).rows;
    expect(Number(combined.rows[1]!.margins[1])).to.be.above(Number(alone!.margins[1]));
    expect(Number(combined.rows[1]!.margins[3])).to.be.below(Number(alone!.margins[3]));
  });

  it("gives the variance of all their people together, where there is no noise", () => {
    const variancePlan = (centre: string, scale: number) => {
      const range = scale === 2 ? "5000" : "500";
      const outputs = [false, true].map(
        (sample): Output => ({
          ...{ name: sample ? "variance" : "var_pop", shown: true, kind: "variance" },
          ...{ squares: 2, sum: 1, count: 0, scale, sample, root: false },
        }),
      );
      const wage = { ...sumVector(centre), high: range };
      return planOf({
        vectors: [count, wage, { ...wage, kind: "squares" }],
        outputs,
        floor: { release: 0, minimum: 0 },
      });
    };
    const [cents, dimes] = [variancePlan("2500", 2), variancePlan("-100", 1)];
    const wages = (high: bigint) => fc.array(fc.bigInt(0n, high), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(wages(5_000n), wages(500n), (one, other) => {
        const answers = [
          { plan: cents, wages: one },
          { plan: dimes, wages: other },
        ].map(({ plan, wages }) => {
          const rows = wages.map((wage, person) => ({ person: String(person), columns: { wage } }));
          const { vectors } = executePlan(rows, plan);
          return {
            plan,
            released: answerOf(
              plan,
              vectors.map((vector) => vector.map(String)),
            ),
          };
        });
        const all = [...one, ...other.map((wage) => wage * 10n)];
        const people = BigInt(all.length);
        const sum = all.reduce((a, b) => a + b);
        const squares = all.reduce((total, each) => total + (people * each - sum) ** 2n, 0n);
        const expected = [people, people - 1n].map((divisor) =>
          formatDecimal(roundDivide(100n * squares, people * people * divisor), 6),
        );
        expect(combineAnswers(answers).rows[0]!.values).to.deep.equal(expected);
      }),
    );
  });

  it("marks a group that some repository suppresses", () => {
    const shown = answerOf(wagesBySex, [
      ["50", "100"],
      ["0", "0"],
      ["0", "0"],
    ]);
    const hidden = answerOf(wagesBySex, [
      [null, "100"],
      [null, "0"],
      [null, "0"],
    ]);
    const { rows } = combineAnswers([
      { plan: wagesBySex, released: hidden },
      { plan: wagesBySex, released: shown },
    ]);
    expect(rows.map((row) => [row.values[1], row.partial])).to.deep.equal([
      ["50", true],
      ["200", false],
    ]);
  });

  it("puts numeric groups in order when their domains differ", () => {
    const plans = [
      ["3", "4", "5"],
      ["0", "1", "2", "3", "4"],
    ].map((labels) =>
      planOf({ keys: [declaredKey(labels)], vectors: [count], outputs: [keyOutput, countOutput] }),
    );
    const answers = plans.map((plan) => ({
      plan,
      released: answerOf(plan, [new Array<string>(groupCountOf(plan)!).fill("20")]),
    }));
    expect(combineAnswers(answers).rows.map((row) => row.values)).to.deep.equal([
      ["0", "20"],
      ["1", "20"],
      ["2", "20"],
      ["3", "40"],
      ["4", "40"],
      ["5", "20"],
    ]);
  });

  it("matches open groups by label, and marks those that not all show", () => {
    const open = planOf({
      keys: [openKey("number")],
      vectors: [persons],
      outputs: [keyOutput, countOutput],
      threshold: { release: 0, minimum: "20" },
    });
    const declared = planOf({
      keys: [declaredKey(["2", "3", "9"])],
      vectors: [persons],
      outputs: open.outputs,
    });
    const combined = combineAnswers([
      { plan: open, released: answerOf(open, [["30", "40"]], [["2"], ["10"]]) },
      { plan: open, released: answerOf(open, [["25"]], [["10"]]) },
      { plan: declared, released: answerOf(declared, [["100", "100", null]]) },
    ]);
    expect(
      combined.rows.map(({ values, partial, suppressed }) => [...values, partial, suppressed]),
    ).to.deep.equal([
      ["2", "130", true, false],
      ["3", "100", true, false],
      ["9", null, false, true],
      // Outside of the domain of the third, which so has none of them.
      ["10", "65", false, false],
    ]);
  });

  it("filters, orders and cuts by the numbers of all together", () => {
    const post: Post = {
      having: { kind: "compare", operator: ">=", output: 1, value: "50" },
      order: [{ output: 1, descending: true }],
      limit: 2,
    };
    const plan = planOf({
      keys: [declaredKey(["a", "b", "c", "d"])],
      vectors: [count],
      outputs: [keyOutput, countOutput],
      post,
    });
    const answers = [
      ["30", "90", "49", null],
      ["30", "10", null, "70"],
    ].map((numbers) => ({ plan, released: answerOf(plan, [numbers]) }));
    expect(combineAnswers(answers).rows.map(({ values }) => values)).to.deep.equal([
      ["b", "100"],
      ["d", "70"],
    ]);
    const { rows } = combineAnswers(answers.map((each) => ({ ...each, plan: each.plan })).slice(0, 1));
    expect(rows.map(({ values }) => values)).to.deep.equal([["b", "90"]]);
  });

  describe("is refused", () => {
    const numbers = [
      ["50", "100"],
      ["0", "0"],
      ["0", "0"],
    ];
    const others: [string, Plan][] = [
      [
        "of other names",
        { ...wagesBySex, outputs: wagesBySex.outputs.map((o) => ({ ...o, name: `${o.name}_` })) },
      ],
      [
        "where a column is hidden in one",
        { ...wagesBySex, outputs: wagesBySex.outputs.map((o, i) => ({ ...o, shown: i < 3 })) },
      ],
      [
        "where one groups and the other does not",
        { ...wagesBySex, keys: [...wagesBySex.keys, ...wagesBySex.keys] },
      ],
      ["where one is cut and the other is not", { ...wagesBySex, post: { ...wagesBySex.post, limit: 1 } }],
    ];
    for (const [name, other] of others)
      it(name, () => {
        const groups = groupCountOf(other)! / 2;
        const answers = [
          { plan: wagesBySex, released: answerOf(wagesBySex, numbers) },
          {
            plan: other,
            released: answerOf(
              other,
              numbers.map((own) => new Array(groups).fill(own).flat()),
            ),
          },
        ];
        for (const answer of answers) expect(codeOf(() => combineAnswers([answer]))).to.equal("none");
        expect(codeOf(() => combineAnswers(answers))).to.equal("answers_not_combinable");
      });

    it("where there is none", () => {
      expect(codeOf(() => combineAnswers([]))).to.equal("answers_not_combinable");
    });

    it("for quantiles of several repositories, saying what to do, and not for those of one", () => {
      const plan = planOf({
        vectors: [count, wageBuckets],
        releases: [
          gaussian(0),
          {
            mechanism: "exponential",
            vector: 1,
            quantile: { numerator: "1", denominator: "2" },
            offset: "0",
            first: "50",
            sensitivity: "1",
            microRho: "20000",
          },
        ],
        outputs: [{ name: "middle", shown: true, kind: "quantile", release: 1, type: "number", scale: 2 }],
      });
      const answer = { plan, released: answerOf(plan, [["30"], ["450"]]) };
      expect(combineAnswers([answer]).rows[0]!.values).to.deep.equal(["4.50"]);
      expect(codeOf(() => combineAnswers([answer, answer]))).to.equal("answers_not_combinable");
      const [one, other] = ["Bank", "Hospital"].map((publisher) => ({ ...answer, publisher }));
      const together = presentTogether([one!, other!]);
      expect(together.columns.map(({ name }) => name)).to.deep.equal(["repository", "middle"]);
      expect(together.rows.map(({ values }) => values)).to.deep.equal([
        ["Bank", "4.50"],
        ["Hospital", "4.50"],
      ]);
      expect(presentTogether([one!]).columns.map(({ name }) => name)).to.deep.equal(["middle"]);
    });
  });
});
