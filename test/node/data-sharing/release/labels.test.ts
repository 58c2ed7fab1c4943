import { expect } from "chai";
import fc from "fast-check";
import type { GroupKey } from "../../../../node/data-sharing/plan/plan.ts";
import {
  compareDecimals,
  compareLabelLists,
  compareLabels,
  declaredLabels,
  labelsFit,
} from "../../../../node/data-sharing/release/labels.ts";
import { declaredKey, openKey } from "./plans.ts";

describe("labels of groups", () => {
  it("count through declared domains, the last key fastest", () => {
    const keys = [declaredKey(["a", "b"]), declaredKey(["x", "y", "z"])];
    const all = Array.from({ length: 6 }, (_, group) => declaredLabels({ keys }, group).join(""));
    expect(all).to.deep.equal(["ax", "ay", "az", "bx", "by", "bz"]);
    expect(declaredLabels({ keys: [] }, 0)).to.deep.equal([]);
  });

  it("are in order of size where they are numbers, and before texts", () => {
    const sorted = ["-10", "-9.5", "2", "10", "10.0", "1e3", "2019-12-31", "2020-01-01", "A", "a"];
    const shuffled = ["a", "10.0", "2020-01-01", "2", "-9.5", "A", "1e3", "10", "-10", "2019-12-31"];
    expect(shuffled.toSorted(compareLabels)).to.deep.equal(sorted);
    expect(compareDecimals("0.10", "0.1")).to.equal(0);
    expect(compareDecimals("-0.5", "-0.25")).to.equal(-1);
  });

  it("have one order only, whatever they are", () => {
    const label = fc.oneof(
      fc.string({ maxLength: 3 }),
      fc.integer({ min: -20, max: 20 }).map(String),
      fc.constantFrom("1.0", "1.00", "1", "-0", "0", "."),
    );
    fc.assert(
      fc.property(label, label, label, (a, b, c) => {
        expect(Math.sign(compareLabels(a, b))).to.equal(-Math.sign(compareLabels(b, a)) + 0);
        expect(compareLabels(a, b) === 0).to.equal(a === b);
        if (compareLabels(a, b) < 0 && compareLabels(b, c) < 0) expect(compareLabels(a, c)).to.be.below(0);
      }),
      { numRuns: 2_000 },
    );
    expect(compareLabelLists(["a", "2"], ["a", "10"])).to.be.below(0);
    expect(compareLabelLists(["b", "2"], ["a", "10"])).to.be.above(0);
    expect(compareLabelLists([], [])).to.equal(0);
  });

  const fits: [GroupKey, string[], string[]][] = [
    [declaredKey(["a", "b"]), ["a"], ["c", "", "A"]],
    [openKey("number"), ["0", "-3", "12"], ["", "-", "-0", "01", "1.0", "1e3", "+1", " 1", "1".repeat(300)]],
    [openKey("number", 2), ["0.00", "-0.50", "12.25"], ["1", "1.0", "1.000", ".50", "-0.00"]],
    [openKey("date"), ["2020-02-29"], ["2021-02-29", "2020-2-1", "+012020-01-01"]],
    [openKey("text"), ["", "Zürich", "a\u0000b", "😀".repeat(100)], ["\ud800", "a\udc00", "x".repeat(201)]],
  ];
  for (const [key, good, bad] of fits)
    it(`fit ${key.kind === "open" ? `an open ${key.type} of scale ${key.scale}` : "a declared key"} or do not`, () => {
      for (const label of good) expect(labelsFit([key], [label]), label).to.equal(true);
      for (const label of bad) expect(labelsFit([key], [label]), label).to.equal(false);
      expect(labelsFit([key], [])).to.equal(false);
      expect(labelsFit([key], [good[0]!, good[0]!])).to.equal(false);
    });
});
