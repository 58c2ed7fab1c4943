import { expect } from "chai";
import fc from "fast-check";
import type { AnswerCondition, Post } from "../../../../node/data-sharing/plan/plan.ts";
import { applyPost } from "../../../../node/data-sharing/release/post.ts";
import type { PresentedRow } from "../../../../node/data-sharing/release/presented-answer.ts";

type Values = (string | null)[];
const columns = [{ type: "text" as const }, { type: "number" as const }, { type: "date" as const }];
const none: Post = { having: null, order: [], limit: null };

function rowOf(values: Values, suppressed = false): PresentedRow {
  return { values, margins: values.map(() => null), suppressed, partial: false };
}

function leftBy(post: Partial<Post>, rows: PresentedRow[]): Values[] {
  return applyPost({ ...none, ...post }, columns, rows).map(({ values }) => values);
}

const compare = (
  output: number,
  operator: (AnswerCondition & { kind: "compare" })["operator"],
  value: string,
): AnswerCondition => ({ kind: "compare", output, operator, value });
const not = (operand: AnswerCondition): AnswerCondition => ({ kind: "not", operand });

describe("HAVING", () => {
  const passes = (having: AnswerCondition, values: Values, suppressed = false) =>
    leftBy({ having }, [rowOf(values, suppressed)]).length === 1;

  it("compares decimals exactly, whatever their places", () => {
    for (const [operator, truths] of [
      ["=", [false, true, false]],
      ["<", [true, false, false]],
      ["<=", [true, true, false]],
      [">", [false, false, true]],
      [">=", [false, true, true]],
    ] as const)
      expect(
        ["12345678901234567890.4999", "12345678901234567890.50", "12345678901234567890.5001"].map((value) =>
          passes(compare(1, operator, "12345678901234567890.500"), ["a", value, null]),
        ),
        operator,
      ).to.deep.equal(truths);
    expect(passes(compare(1, "<", "-1"), ["a", "-1.5", null])).to.equal(true);
  });

  it("compares dates by their days, and labels where they are numbers or dates", () => {
    expect(passes(compare(2, "<", "59"), ["a", null, "1970-02-28"])).to.equal(true);
    expect(passes(compare(2, "=", "59"), ["a", null, "1970-03-01"])).to.equal(true);
    expect(passes(compare(0, "=", "3"), ["3", null, null])).to.equal(true);
    expect(passes(compare(0, "=", "1"), ["1970-01-02", null, null])).to.equal(true);
    for (const having of [compare(0, "=", "3"), not(compare(0, "=", "3"))])
      expect(passes(having, ["three", null, null])).to.equal(false);
  });

  it("is three-valued: what is not shown is neither so nor otherwise", () => {
    const unknown = compare(1, ">", "5");
    const yes = compare(0, "=", "1");
    const no = compare(0, "=", "2");
    const truth = (condition: AnswerCondition) => {
      const values = ["1", null, null];
      return passes(condition, values) ? true : passes(not(condition), values) ? false : null;
    };
    const of = (kind: "and" | "or", ...operands: AnswerCondition[]) => truth({ kind, operands });
    expect([truth(yes), truth(no), truth(unknown)]).to.deep.equal([true, false, null]);
    expect([of("and", yes, unknown), of("and", unknown, no), of("and", yes, yes)]).to.deep.equal([
      null,
      false,
      true,
    ]);
    expect([of("or", no, unknown), of("or", unknown, yes), of("or", no, no)]).to.deep.equal([
      null,
      true,
      false,
    ]);
  });

  it("lets no suppressed group pass, even where it looks at a label alone", () => {
    expect(passes(compare(0, "=", "1"), ["1", null, null])).to.equal(true);
    expect(passes(compare(0, "=", "1"), ["1", null, null], true)).to.equal(false);
    expect(passes(not(compare(0, "=", "2")), ["1", null, null], true)).to.equal(false);
    expect(leftBy({}, [rowOf(["1", null, null], true)]).length).to.equal(1);
  });
});

describe("ORDER BY", () => {
  const rows = [
    rowOf(["a", "10.5", "2020-02-01"]),
    rowOf(["b", null, null], true),
    rowOf(["c", "-3", "2019-12-31"]),
    rowOf(["d", "9", null]),
    rowOf(["e", "10.50", "2020-01-31"]),
  ];
  const order = (...terms: [number, boolean][]) =>
    leftBy({ order: terms.map(([output, descending]) => ({ output, descending })) }, rows)
      .map(([label]) => label)
      .join("");

  it("puts numbers and dates in order, nothing last in either direction, and keeps ties as they come", () => {
    expect(order([0, true])).to.equal("edcba");
    expect(order([2, false])).to.equal("ceabd");
    expect(order([2, true])).to.equal("aecbd");
    expect(order()).to.equal("abcde");
  });

  it("goes by the next column where one is equal", () => {
    const tied = [
      rowOf(["x", "1", null]),
      rowOf(["b", "2", null]),
      rowOf(["a", "1", null]),
      rowOf(["c", "2", null]),
    ];
    const terms = [
      { output: 1, descending: true },
      { output: 0, descending: false },
    ];
    expect(leftBy({ order: terms }, tied).map(([label]) => label)).to.deep.equal(["b", "c", "a", "x"]);
    expect(leftBy({ order: terms.slice(0, 1) }, tied).map(([label]) => label)).to.deep.equal([
      "b",
      "c",
      "x",
      "a",
    ]);
  });
});

describe("LIMIT", () => {
  it("comes after HAVING and ORDER BY, and gives the first rows of what they leave", () => {
    const row = fc
      .tuple(fc.option(fc.integer({ min: -50, max: 50 })), fc.boolean())
      .map(([value, suppressed]) =>
        rowOf(["k", suppressed ? null : (value?.toString() ?? null), null], suppressed),
      );
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), fc.nat(35), fc.boolean(), (rows, limit, descending) => {
        const having = compare(1, ">=", "0");
        const shown = leftBy({ having, order: [{ output: 1, descending }], limit }, rows).map(([, v]) =>
          Number(v),
        );
        const passing = rows
          .flatMap(({ values: [, value] }) => (typeof value === "string" ? [Number(value)] : []))
          .filter((value) => value >= 0)
          .sort((a, b) => (descending ? b - a : a - b));
        expect(shown).to.deep.equal(passing.slice(0, limit));
      }),
    );
    expect(leftBy({ limit: 0 }, [rowOf(["a", "1", null])])).to.deep.equal([]);
  });

  it("leaves the rows that it is given alone", () => {
    const rows = [rowOf(["b", "2", null]), rowOf(["a", "1", null])];
    leftBy({ order: [{ output: 0, descending: false }] }, rows);
    expect(rows.map(({ values }) => values[0])).to.deep.equal(["b", "a"]);
  });
});
