import { expect } from "chai";
import fc from "fast-check";
import { microEpsilonOf } from "../../../../node/data-sharing/mechanisms/exponential-mechanism.ts";
import { quantileScores } from "../../../../node/data-sharing/mechanisms/quantile-scores.ts";
import type { Output, Plan } from "../../../../node/data-sharing/plan/plan.ts";
import { planSchema } from "../../../../node/data-sharing/plan/plan-schema.ts";
import { presentAnswer } from "../../../../node/data-sharing/release/present.ts";
import {
  answerOf,
  count,
  gaussian,
  keyOutput,
  openKey,
  persons,
  planOf,
  sumVector,
  wageBuckets,
  wagesBySex,
} from "./plans.ts";

describe("presenting an answer", () => {
  it("writes exact decimals on the declared grid", () => {
    const presented = presentAnswer(
      wagesBySex,
      answerOf(wagesBySex, [
        ["12", "400"],
        ["-5", "123456789"],
        ["-7", "100"],
      ]),
    );
    const measured = { type: "number", spacing: null, rankMargin: null };
    expect(presented.columns).to.deep.equal([
      { name: "sex", kind: "key", type: "text", scale: 0, spacing: null, rankMargin: null },
      { name: "count", kind: "count", scale: 0, ...measured },
      { name: "sum", kind: "sum", scale: 2, ...measured },
      { name: "avg", kind: "average", scale: 4, ...measured },
    ]);
    // 25 + -0.07 / 12 and 25 + 1.00 / 400.
    expect(presented.rows.map((row) => row.values)).to.deep.equal([
      ["female", "12", "-0.05", "24.9942"],
      ["male", "400", "1234567.89", "25.0025"],
    ]);
    for (const { margins } of presented.rows) {
      expect(margins[0]).to.equal(null);
      expect(Number(margins[3])).to.be.above(0);
    }
  });

  it("shows a suppressed group with its labels and nothing else", () => {
    const values = [
      ["12", null],
      ["5", null],
      ["7", null],
    ];
    const [, row] = presentAnswer(wagesBySex, answerOf(wagesBySex, values)).rows;
    expect(row).to.deep.equal({
      values: ["male", null, null, null],
      margins: [null, null, null, null],
      suppressed: true,
      partial: false,
    });
  });

  it("shows no count below zero and no average of nobody", () => {
    const plan: Plan = { ...wagesBySex, floor: { release: 0, minimum: 0 } };
    const released = answerOf(plan, [
      ["0", "3"],
      ["10", "10"],
      ["10", "10"],
    ]);
    expect(presentAnswer(plan, released).rows[0]).to.deep.include({
      values: ["female", "0", "0.10", null],
      suppressed: false,
    });
    const counted = planOf({
      vectors: [count, { kind: "count", of: { kind: "column", name: "children" } }, sumVector("6")],
      outputs: [
        { name: "n", shown: true, kind: "count", release: 1, cell: 0 },
        { name: "avg", shown: true, kind: "average", sum: 2, count: 1, scale: 0 },
      ],
    });
    const [row] = presentAnswer(counted, answerOf(counted, [["50"], ["-4"], ["10"]])).rows;
    expect(row!.values).to.deep.equal(["0", null]);
    expect(row!.margins[1]).to.equal(null);
  });

  it("shows an average that noise moved beyond its bounds as the bound, and totals as they are", () => {
    const averages = (wages: readonly [string, string]) =>
      presentAnswer(wagesBySex, answerOf(wagesBySex, [["12", "12"], [...wages], [...wages]])).rows.map(
        ({ values }) => values.slice(2),
      );
    // Between 0 and 50.00, about 25.00: 12 * 25.00 is the most that the sum can be.
    expect(averages(["30000", "-30000"])).to.deep.equal([
      ["300.00", "50.0000"],
      ["-300.00", "0.0000"],
    ]);
    expect(averages(["30001", "-30001"])).to.deep.equal([
      ["300.01", "50.0000"],
      ["-300.01", "0.0000"],
    ]);
    expect(averages(["29999", "-29999"])[0]).to.deep.equal(["299.99", "49.9992"]);
    fc.assert(
      fc.property(fc.bigInt(-200_000n, 200_000n), fc.bigInt(10n, 1000n), (sum, people) => {
        const plan: Plan = { ...wagesBySex, floor: { release: 0, minimum: 0 } };
        const values = [
          [`${people}`, "50"],
          ["0", "0"],
          [`${sum}`, "0"],
        ];
        const average = Number(presentAnswer(plan, answerOf(plan, values)).rows[0]!.values[3]);
        const free = 25 + Number(sum) / 100 / Number(people);
        expect(average).to.be.closeTo(Math.min(50, Math.max(0, free)), 0.0001);
      }),
    );
  });

  const exponential = (first: string) => ({
    mechanism: "exponential" as const,
    vector: 1,
    quantile: { numerator: "1", denominator: "2" },
    offset: "0",
    first,
    sensitivity: "1",
    microRho: "20000",
  });

  it("says of a quantile how far apart its candidates are, in its own unit, and gives it no margin", () => {
    const plan = planOf({
      vectors: [count, wageBuckets],
      releases: [gaussian(0), exponential("50"), exponential("0")],
      outputs: [
        { name: "middle", shown: true, kind: "quantile", release: 1, type: "number", scale: 2 },
        { name: "joined", shown: true, kind: "quantile", release: 2, type: "date", scale: 0 },
      ],
    });
    planSchema.parse(plan);
    const presented = presentAnswer(plan, answerOf(plan, [["30"], ["450"], ["400"]]));
    expect(presented.columns).to.deep.equal([
      { name: "middle", kind: "quantile", type: "number", scale: 2, spacing: "1.00", rankMargin: 14 },
      { name: "joined", kind: "quantile", type: "date", scale: 0, spacing: "100", rankMargin: 14 },
    ]);
    expect(presented.rows[0]).to.deep.include({ values: ["4.50", "1971-02-05"], margins: [null, null] });
  });

  it("says by how many rows the rank of a quantile is off, and it is so 95 times in 100", () => {
    const counts = fc.array(fc.bigInt(0n, 200n), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(
        counts,
        fc.bigInt(1n, 4n),
        fc.constantFrom(2_000n, 20_000n, 500_000n),
        (buckets, per, microRho) => {
          const release = { ...exponential("0"), sensitivity: String(per), microRho: String(microRho) };
          const plan = planOf({
            vectors: [count, wageBuckets],
            releases: [gaussian(0), release],
            outputs: [
              { name: "middle", shown: true, kind: "quantile", release: 1, type: "number", scale: 2 },
            ],
          });
          const { rankMargin } = presentAnswer(plan, answerOf(plan, [["30"], ["400"]])).columns[0]!;
          const scores = quantileScores(buckets, { numerator: 1n, denominator: 2n }, 0n).map(Number);
          const epsilon = Number(microEpsilonOf(microRho)) / 1e6;
          const weights = scores.map((score) => Math.exp((epsilon * score) / (2 * Number(per))));
          const mass = weights.reduce((a, b) => a + b);
          // Scores are in half rows.
          const far = weights.filter((_, candidate) => -scores[candidate]! / 2 > rankMargin!);
          expect(far.reduce((a, b) => a + b, 0) / mass).to.be.at.most(0.05);
        },
      ),
    );
  });

  it("shows a variance in squares of the unit and a standard deviation in the unit", () => {
    const variance = (name: string, root: boolean): Output => ({
      ...{ name, shown: true, kind: "variance", squares: 2, sum: 1, count: 0 },
      ...{ scale: 1, sample: false, root },
    });
    const plan = planOf({
      vectors: [count, sumVector("100"), sumVector("100", "squares")],
      outputs: [variance("var_pop", false), variance("stddev_pop", true)],
    });
    // Of 50 people 4.0 above and 50 people 2.0 below the centre of 10.0.
    const answer = answerOf(plan, [["100"], ["1000"], [String(50 * 1600 + 50 * 400)]]);
    const { columns, rows } = presentAnswer(plan, answer);
    expect(columns.map(({ scale }) => scale)).to.deep.equal([4, 3]);
    expect(rows[0]!.values).to.deep.equal(["9.0000", "3.000"]);
    expect(rows[0]!.margins.every((margin) => Number(margin) > 0)).to.equal(true);
  });

  it("takes each bucket of a histogram from its cell", () => {
    const plan = planOf({
      keys: wagesBySex.keys,
      vectors: [count, wageBuckets],
      outputs: [
        keyOutput,
        ...[0, 9].map((cell): Output => ({ name: `b${cell}`, shown: true, kind: "count", release: 1, cell })),
      ],
    });
    const buckets = Array.from({ length: 20 }, (_, cell) => String(cell));
    const { rows } = presentAnswer(plan, answerOf(plan, [["50", "60"], buckets]));
    expect(rows.map(({ values }) => values)).to.deep.equal([
      ["female", "0", "9"],
      ["male", "10", "19"],
    ]);
  });

  it("names the groups of an open key as the answer does", () => {
    const plan = planOf({
      keys: [openKey()],
      vectors: [persons],
      outputs: [
        { ...keyOutput, name: "place" },
        { name: "people", shown: true, kind: "count", release: 0, cell: 0 },
      ],
      threshold: { release: 0, minimum: "20" },
    });
    const { rows } = presentAnswer(plan, answerOf(plan, [["44", "21"]], [["Bern"], ["Zug"]]));
    expect(rows.map(({ values }) => values)).to.deep.equal([
      ["Bern", "44"],
      ["Zug", "21"],
    ]);
  });

  it("leaves out what is there for HAVING and ORDER BY alone", () => {
    const hidden: Plan = {
      ...wagesBySex,
      outputs: wagesBySex.outputs.map((output, index) => ({ ...output, shown: index % 2 === 0 })),
      post: { having: null, order: [{ output: 1, descending: true }], limit: null },
    };
    const values = [
      ["12", "400"],
      ["5", "6"],
      ["7", "8"],
    ];
    const { columns, rows } = presentAnswer(hidden, answerOf(hidden, values));
    expect(columns.map(({ name }) => name)).to.deep.equal(["sex", "sum"]);
    expect(rows.map((row) => row.values)).to.deep.equal([
      ["male", "0.06"],
      ["female", "0.05"],
    ]);
    expect(rows[0]!.margins.length).to.equal(2);
  });
});
