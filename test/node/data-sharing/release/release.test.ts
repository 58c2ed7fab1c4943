import { createCipheriv } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { executePlan, type PersonRow } from "../../../../node/data-sharing/plan/evaluate.ts";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import { groupCountOf, type Plan } from "../../../../node/data-sharing/plan/plan.ts";
import { planHash } from "../../../../node/data-sharing/plan/plan-hash.ts";
import type { ExactAnswer, Randomness } from "../../../../node/data-sharing/ports.ts";
import {
  answerHash,
  planVariances,
  type ReleasedAnswer,
  releasedAnswerSchema,
  varianceText,
} from "../../../../node/data-sharing/release/answer.ts";
import { combineAnswers } from "../../../../node/data-sharing/release/combine.ts";
import { presentAnswer } from "../../../../node/data-sharing/release/present.ts";
import { releaseAnswer } from "../../../../node/data-sharing/release/release.ts";
import { TrustedDataError } from "../../../../node/errors.ts";
import { people, planOf } from "../plan/questions.ts";

/** AES-CTR from a fixed key: the same draws in each run. */
function seeded(seed: number): Randomness {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  const stream = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  return { bytes: (count) => stream.update(Buffer.alloc(count)) };
}

const question = "SELECT sex, COUNT(*), SUM(wage), AVG(wage) FROM people GROUP BY sex";

/** An answer with these numbers, as if that was what noise had made of it. */
function answerOf(plan: Plan, values: (string | null)[][]): ReleasedAnswer {
  return {
    version: "itd-answer/1",
    plan: planHash(plan),
    values,
    variances: planVariances(plan).map(varianceText),
  };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TrustedDataError) return error.code;
    throw error;
  }
  return "none";
}

describe("releasing an answer", () => {
  before(loadSqlParser);

  const exact: ExactAnswer = {
    vectors: [
      [400n, 600n],
      [800_000n, 1_500_000n],
      [-200_000n, 30_000n],
    ],
  };

  it("adds noise to every number and says how much, in plain JSON", () => {
    const plan = planOf(question);
    const released = releaseAnswer(exact, plan, seeded(1));
    expect(releasedAnswerSchema.parse(JSON.parse(JSON.stringify(released)))).to.deep.equal(released);
    expect(released.plan).to.equal(planHash(plan));
    // sensitivity^2 / (2 rho): 3 rows, rho = 50000 / 3 rounded down, in millionths.
    expect(released.variances[0]).to.deep.equal({ numerator: "2250000", denominator: "8333" });
    expect(released.values.flat().map(BigInt as (value: string | null) => bigint)).to.not.deep.equal(
      exact.vectors.flat(),
    );
    expect(answerHash(released)).to.equal(answerHash(releaseAnswer(exact, plan, seeded(1))));
    expect(answerHash(released)).to.not.equal(answerHash(releaseAnswer(exact, plan, seeded(2))));
  });

  it("suppresses a group under the floor in all its numbers, having drawn the same noise", () => {
    const drawn = (vectors: bigint[][]) => {
      let bytes = 0;
      const source = seeded(5);
      const released = releaseAnswer({ vectors }, plan, {
        bytes: (count) => {
          bytes += count;
          return source.bytes(count);
        },
      });
      return { bytes, released };
    };
    const plan = planOf(question, { microRho: "9000000" });
    const large = drawn([
      [500n, 500n],
      [0n, 0n],
      [0n, 0n],
    ]);
    const small = drawn([
      [500n, -500n],
      [0n, 0n],
      [0n, 0n],
    ]);
    expect(large.released.values.flat()).to.not.include(null);
    expect(small.released.values.map((vector) => vector[1])).to.deep.equal([null, null, null]);
    expect(small.released.values.map((vector) => vector[0])).to.not.include(null);
    expect(small.bytes).to.equal(large.bytes);
    const presented = presentAnswer(plan, small.released);
    expect(presented.rows.map((row) => row.suppressed)).to.deep.equal([false, true]);
    expect(presented.rows[1]!.values).to.deep.equal(["male", null, null, null]);
  });

  it("covers the truth with its margins 95 times in 100", () => {
    const plan = planOf(question, { microRho: "2000000" });
    const randomness = seeded(11);
    const truth = [null, 600, 15_000, 25.5];
    const inside = [0, 0, 0, 0];
    let errors = 0;
    const runs = 2_000;
    for (let run = 0; run < runs; run++) {
      const vectors = [
        [600n, 600n],
        [1_500_000n, 1_500_000n],
        [30_000n, 30_000n],
      ];
      const [row] = presentAnswer(plan, releaseAnswer({ vectors }, plan, randomness)).rows;
      for (let column = 1; column < 4; column++) {
        const error = Number(row!.values[column]) - truth[column]!;
        if (Math.abs(error) <= Number(row!.margins[column]) + 1e-9) inside[column]!++;
        if (column === 3) errors += error / Number(row!.margins[column]);
      }
    }
    for (const column of [1, 2, 3]) expect(inside[column]! / runs, String(column)).to.be.within(0.935, 0.97);
    // The mean error of the average, in margins: 1 / (1.96 sqrt(2000)) is one standard error.
    expect(Math.abs(errors / runs)).to.be.lessThan(0.04);
  }).timeout(120_000);

  it("gives averages of real rows that lie within their margins", () => {
    const rows: PersonRow[] = Array.from({ length: 3_000 }, (_, index) => ({
      person: String(index),
      columns: { sex: BigInt(index % 2), wage: BigInt((index * 7_919) % 5_000) },
    }));
    const plan = planOf(question, { microRho: "900000" });
    const exactAverage = [0, 1].map((sex) => {
      const own = rows
        .filter((row) => row.columns.sex === BigInt(sex))
        .map((row) => Number(row.columns.wage));
      return own.reduce((a, b) => a + b) / own.length / 100;
    });
    const presented = presentAnswer(plan, releaseAnswer(executePlan(rows, plan), plan, seeded(3)));
    for (const [sex, row] of presented.rows.entries())
      expect(Math.abs(Number(row.values[3]) - exactAverage[sex]!)).to.be.lessThan(2 * Number(row.margins[3]));
  });
});

describe("presenting an answer", () => {
  before(loadSqlParser);

  it("writes exact decimals on the declared grid", () => {
    const plan = planOf(question);
    const presented = presentAnswer(
      plan,
      answerOf(plan, [
        ["12", "400"],
        ["-5", "123456789"],
        ["-7", "100"],
      ]),
    );
    expect(presented.columns).to.deep.equal([
      { name: "sex", kind: "key", scale: 0 },
      { name: "count", kind: "count", scale: 0 },
      { name: "sum", kind: "sum", scale: 2 },
      { name: "avg", kind: "average", scale: 4 },
    ]);
    // 25 + -0.07 / 12 and 25 + 1.00 / 400.
    expect(presented.rows.map((row) => row.values)).to.deep.equal([
      ["female", "12", "-0.05", "24.9942"],
      ["male", "400", "1234567.89", "25.0025"],
    ]);
    expect(presented.rows.every((row) => row.margins[0] === null && Number(row.margins[3]) > 0)).to.equal(
      true,
    );
  });

  it("shows no count below zero and no average of nobody", () => {
    const plan = planOf(question, {}, { ...people, minimumPeople: 0 });
    const released = answerOf(plan, [
      ["0", "3"],
      ["10", "10"],
      ["10", "10"],
    ]);
    expect(presentAnswer(plan, released).rows[0]).to.deep.include({
      values: ["female", "0", "0.10", null],
      suppressed: false,
    });
    const counted = planOf("SELECT COUNT(children) AS n, AVG(children) FROM people");
    const negative = answerOf(
      counted,
      [["50"], ["-4"], ["10"]].map((vector) => [...vector]),
    );
    const [row] = presentAnswer(counted, negative).rows;
    expect(row!.values).to.deep.equal(["0", null]);
    expect(row!.margins[1]).to.equal(null);
  });

  const plan = () => planOf(question);
  const good = (): ReleasedAnswer =>
    answerOf(plan(), [
      ["12", null],
      ["5", null],
      ["7", null],
    ]);
  const changes: [string, (answer: ReleasedAnswer) => void][] = [
    [
      "of another plan",
      (answer) => Object.assign(answer, { plan: planHash(planOf("SELECT COUNT(*) FROM people")) }),
    ],
    ["with a vector too few", (answer) => answer.values.pop()],
    ["with a group too many", (answer) => answer.values[1]!.push("3")],
    ["that claims less noise", (answer) => Object.assign(answer.variances[0]!, { numerator: "1" })],
    ["with a group suppressed in part", (answer) => answer.values[0]!.fill("12")],
    ["that shows a group under the floor", (answer) => answer.values[0]!.fill("9", 0, 1)],
  ];
  for (const [name, change] of changes) {
    it(`refuses an answer ${name}`, () => {
      const answer = good();
      expect(codeOf(() => presentAnswer(plan(), answer))).to.equal("none");
      change(answer);
      expect(codeOf(() => presentAnswer(plan(), answer))).to.equal("answer_invalid");
    });
  }

  it("refuses numbers that are not canonical text", () => {
    for (const wrong of ["01", "-0", "1.0", "1e3", "", " 1", "0x1", 1])
      expect(
        releasedAnswerSchema.safeParse({ ...good(), values: [[wrong]] }).success,
        String(wrong),
      ).to.equal(false);
    expect(releasedAnswerSchema.safeParse({ ...good(), exact: [] }).success).to.equal(false);
  });
});

describe("combining answers", () => {
  before(loadSqlParser);

  const finer = {
    ...people,
    columns: {
      ...people.columns,
      wage: { type: "decimal" as const, scale: 3, bounds: [10, 20] as [number, number], nullable: false },
      sex: { type: "text" as const, domain: ["male", "other"], nullable: false },
    },
  };
  const value = fc.bigInt(-1_000_000n, 1_000_000n);
  const answerArb = (plan: Plan) =>
    fc
      .array(fc.option(fc.tuple(fc.bigInt(10n, 2_000n), value, value), { freq: 6 }), {
        minLength: groupCountOf(plan),
        maxLength: groupCountOf(plan),
      })
      .map((groups) =>
        answerOf(
          plan,
          [0, 1, 2].map((vector) => groups.map((group) => group?.[vector]?.toString() ?? null)),
        ),
      );

  it("of one repository is what that repository presents", () => {
    const plan = planOf(question);
    fc.assert(
      fc.property(answerArb(plan), (released) => {
        const { repositories, ...presented } = combineAnswers([{ plan, released }]);
        expect(repositories).to.equal(1);
        expect(presented).to.deep.equal(presentAnswer(plan, released));
      }),
    );
  });

  it("does not depend on their order, but for the order of rows", () => {
    const [one, other] = [planOf(question), planOf(question, {}, finer)];
    fc.assert(
      fc.property(answerArb(one), answerArb(other), (first, second) => {
        const forth = combineAnswers([
          { plan: one, released: first },
          { plan: other, released: second },
        ]);
        const back = combineAnswers([
          { plan: other, released: second },
          { plan: one, released: first },
        ]);
        expect(forth.columns).to.deep.equal(back.columns);
        expect(forth.rows).to.have.deep.members(back.rows);
      }),
    );
  });

  it("adds counts and sums, and weighs averages, over different domains, centres and grids", () => {
    const [one, other] = [planOf(question), planOf(question, {}, finer)];
    const combined = combineAnswers([
      // Centre 25.00: female unseen by the other; male 100 people of 26.00 on average.
      {
        plan: one,
        released: answerOf(one, [
          ["50", "100"],
          ["0", "260000"],
          ["0", "10000"],
        ]),
      },
      // Centre 15.000: male 300 people of 14.000 on average; other suppressed.
      {
        plan: other,
        released: answerOf(other, [
          ["300", null],
          ["4200000", null],
          ["-300000", null],
        ]),
      },
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
    const alone = presentAnswer(
      one,
      answerOf(one, [
        ["50", "100"],
        ["0", "260000"],
        ["0", "10000"],
      ]),
    ).rows[1]!;
    expect(Number(combined.rows[1]!.margins[1])).to.be.greaterThan(Number(alone.margins[1]));
    expect(Number(combined.rows[1]!.margins[3])).to.be.lessThan(Number(alone.margins[3]));
  });

  it("marks a group that some repository suppresses", () => {
    const plan = planOf(question);
    const shown = answerOf(plan, [
      ["50", "100"],
      ["0", "0"],
      ["0", "0"],
    ]);
    const hidden = answerOf(plan, [
      [null, "100"],
      [null, "0"],
      [null, "0"],
    ]);
    const rows = combineAnswers([
      { plan, released: hidden },
      { plan, released: shown },
    ]).rows;
    expect(rows.map((row) => [row.values[1], row.partial])).to.deep.equal([
      ["50", true],
      ["200", false],
    ]);
  });

  it("puts numeric groups in order when their domains differ", () => {
    const older = {
      ...people,
      columns: {
        ...people.columns,
        age: { type: "integer" as const, bounds: [60, 100] as [number, number], nullable: false },
      },
    };
    const plans = [
      planOf("SELECT age / 20 AS a, COUNT(*) FROM people GROUP BY 1", {}, older),
      planOf("SELECT age / 20 AS a, COUNT(*) FROM people GROUP BY 1"),
    ];
    const answers = plans.map((plan) => ({
      plan,
      released: answerOf(plan, [new Array(groupCountOf(plan)).fill("20")]),
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

  it("refuses answers to different questions", () => {
    const plan = planOf(question);
    const other = planOf("SELECT sex, COUNT(*) AS people, SUM(wage), AVG(wage) FROM people GROUP BY sex");
    const numbers = [
      ["50", "100"],
      ["0", "0"],
      ["0", "0"],
    ];
    const answers = [plan, other].map((each) => ({ plan: each, released: answerOf(each, numbers) }));
    expect(codeOf(() => combineAnswers(answers))).to.equal("answers_not_combinable");
    expect(codeOf(() => combineAnswers([]))).to.equal("answers_not_combinable");
    const bare = planOf("SELECT COUNT(*) FROM people");
    const grouped = planOf("SELECT COUNT(*) FROM people GROUP BY sex");
    expect(
      codeOf(() =>
        combineAnswers([
          { plan: bare, released: answerOf(bare, [["50"]]) },
          { plan: grouped, released: answerOf(grouped, [["50", "50"]]) },
        ]),
      ),
    ).to.equal("answers_not_combinable");
  });
});
