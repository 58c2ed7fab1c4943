import { expect } from "chai";
import fc from "fast-check";
import type { Plan } from "../../../../node/data-sharing/plan/plan.ts";
import { planHash } from "../../../../node/data-sharing/plan/plan-hash.ts";
import { type ReleasedAnswer, releasedAnswerSchema } from "../../../../node/data-sharing/release/answer.ts";
import { checkAnswer } from "../../../../node/data-sharing/release/check-answer.ts";
import { presentAnswer } from "../../../../node/data-sharing/release/present.ts";
import {
  answerOf,
  codeOf,
  count,
  declaredKey,
  gaussian,
  openKey,
  persons,
  planOf,
  wageBuckets,
  wagesBySex,
} from "./plans.ts";

/** Rows, a histogram and a median for both sexes; the second group is suppressed. */
const dense: Plan = planOf({
  keys: wagesBySex.keys,
  vectors: [count, wageBuckets],
  releases: [
    gaussian(0),
    gaussian(1),
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
});
const nothing = new Array<null>(10).fill(null);
const denseAnswer = () =>
  answerOf(dense, [
    ["12", null],
    ["1", "0", "-2", "3", "4", "5", "1", "0", "0", "0", ...nothing],
    ["450", null],
  ]);

/** People by place and membership, where places are open. */
const open: Plan = planOf({
  keys: [openKey("number"), declaredKey(["no", "yes"])],
  vectors: [count, persons],
  floor: { release: 0, minimum: 10 },
  threshold: { release: 1, minimum: "30" },
});
const openAnswer = () =>
  answerOf(
    open,
    [
      ["10", "500", "70"],
      ["30", "300", "65"],
    ],
    [
      ["2", "yes"],
      ["10", "no"],
      ["10", "yes"],
    ],
  );

type Change = [string, (answer: ReleasedAnswer) => void];

describe("an answer is held to its plan", () => {
  const changes: Change[] = [
    ["of another plan", (answer) => Object.assign(answer, { plan: planHash(wagesBySex) })],
    ["with a release too few", (answer) => answer.values.pop()],
    ["with a cell too many", (answer) => answer.values[1]!.push("3")],
    ["with a group too few", (answer) => answer.values[0]!.pop()],
    ["that claims less noise", (answer) => Object.assign(answer.variances[0]!, { numerator: "2" })],
    ["that claims noise on a candidate", (answer) => answer.variances.splice(2, 1, answer.variances[0]!)],
    ["that claims no noise", (answer) => answer.variances.splice(0, 1, null)],
    ["with a group suppressed in part", (answer) => answer.values[2]!.fill("450")],
    ["with a cell suppressed", (answer) => answer.values[1]!.fill(null, 3, 4)],
    ["that shows a group under the floor", (answer) => answer.values[0]!.fill("9", 0, 1)],
    ["with a value between two candidates", (answer) => answer.values[2]!.fill("451", 0, 1)],
    ["with a value below all candidates", (answer) => answer.values[2]!.fill("-50", 0, 1)],
    ["with a value above all candidates", (answer) => answer.values[2]!.fill("1050", 0, 1)],
    [
      "that names groups of declared keys",
      (answer) => Object.assign(answer, { groups: [["female"], ["male"]] }),
    ],
  ];
  for (const [name, change] of changes)
    it(`and refused ${name}`, () => refuses(dense, denseAnswer(), change));

  const openChanges: Change[] = [
    ["with groups not in order", ({ groups }) => groups!.reverse()],
    ["with a group twice", ({ groups }) => groups!.splice(1, 1, ["10", "yes"])],
    ["with a label that is no number", ({ groups }) => groups![0]!.splice(0, 1, "02")],
    ["with a label outside of the domain", ({ groups }) => groups![0]!.splice(1, 1, "maybe")],
    ["with a label too few", ({ groups }) => groups![0]!.pop()],
    ["with groups and no numbers", (answer) => Object.assign(answer, { values: [[], []] })],
    ["that names no groups", (answer) => Object.assign(answer, { groups: null })],
    ["that shows a group under the threshold", ({ values }) => values[1]!.splice(0, 1, "29")],
    ["that shows a group under the floor", ({ values }) => values[0]!.splice(0, 1, "9")],
    [
      "that names a group and suppresses it",
      ({ values }) => {
        for (const own of values) own.splice(0, 1, null);
      },
    ],
  ];
  for (const [name, change] of openChanges)
    it(`and refused ${name} where a key is open`, () => refuses(open, openAnswer(), change));

  it("and refused with more groups than an answer has room for", () => {
    const labels = Array.from({ length: 4_000 }, (_, i) => [String(i), "no"]);
    const numbers = () => labels.map(() => "50");
    const many = answerOf(open, [numbers(), numbers()], labels);
    expect(releasedAnswerSchema.safeParse(many).success).to.equal(true);
    expect(codeOf(() => checkAnswer(open, many))).to.equal("answer_invalid");
  });

  it("and refused in words, whatever well-formed thing it is", () => {
    const whole = fc.oneof(fc.bigInt(-50n, 1_200n), fc.bigInt(-(10n ** 59n), 10n ** 59n)).map(String);
    const cell = fc.option(whole, { freq: 8 });
    const label = fc.oneof(
      fc.constantFrom("2", "10", "yes", "no", "-0", "1e9"),
      fc.string({ unit: "binary", maxLength: 5 }),
    );
    const answers = fc.record({
      groups: fc.option(fc.array(fc.array(label, { minLength: 1, maxLength: 3 }), { maxLength: 3 })),
      values: fc.array(fc.array(cell, { maxLength: 21 }), { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.constantFrom(dense, open), answers, (plan, parts) => {
        const answer = { ...answerOf(plan, parts.values), groups: parts.groups };
        if (!releasedAnswerSchema.safeParse(answer).success) return;
        expect(codeOf(() => presentAnswer(plan, answer))).to.be.oneOf(["none", "answer_invalid"]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("and refused where its text is not canonical", () => {
    for (const wrong of ["01", "-0", "1.0", "1e3", "", " 1", "0x1", 1])
      expect(
        releasedAnswerSchema.safeParse({ ...denseAnswer(), values: [[wrong]] }).success,
        String(wrong),
      ).to.equal(false);
    expect(releasedAnswerSchema.safeParse({ ...denseAnswer(), exact: [] }).success).to.equal(false);
    expect(releasedAnswerSchema.safeParse({ ...denseAnswer(), version: "itd-answer/1" }).success).to.equal(
      false,
    );
  });

  function refuses(plan: Plan, answer: ReleasedAnswer, change: (answer: ReleasedAnswer) => void): void {
    expect(codeOf(() => checkAnswer(plan, answer))).to.equal("none");
    change(answer);
    expect(codeOf(() => checkAnswer(plan, answer))).to.equal("answer_invalid");
    expect(codeOf(() => presentAnswer(plan, answer))).to.equal("answer_invalid");
  }
});
