import { expect } from "chai";
import { wageLines } from "../../../../node/living-lab/data/wages.ts";
import { recordsOf } from "../support/table.ts";

describe("the wages of 1985", () => {
  const south = recordsOf(wageLines("south"));
  const elsewhere = recordsOf(wageLines("elsewhere"));
  const all = [...south, ...elsewhere].sort((a, b) => (a.person! < b.person! ? -1 : 1));
  const count = (column: string, value: string) => all.filter((record) => record[column] === value).length;

  it("are of 534 people: 156 of the South and 378 of elsewhere, nobody in both", () => {
    expect([south.length, elsewhere.length]).to.deep.equal([156, 378]);
    expect(new Set(all.map(({ person }) => person)).size).to.equal(534);
    expect(all.map(({ person }) => person)).to.deep.equal(
      Array.from({ length: 534 }, (_, index) => `cps85-${String(index + 1).padStart(3, "0")}`),
    );
  });

  it("say which half somebody is in by the region column", () => {
    expect(new Set(south.map(({ region }) => region))).to.deep.equal(new Set(["south"]));
    expect(new Set(elsewhere.map(({ region }) => region))).to.deep.equal(new Set(["elsewhere"]));
  });

  it("count as R's AER does (CPS1985): 96 on union jobs, 350 married, 245 women", () => {
    expect([count("union_member", "true"), count("union_member", "false")]).to.deep.equal([96, 438]);
    expect([count("married", "true"), count("married", "false")]).to.deep.equal([350, 184]);
    expect(count("sex", "female")).to.equal(245);
    expect(count("race", "hispanic")).to.equal(27);
    expect(count("occupation", "management")).to.equal(55);
    expect(count("sector", "construction")).to.equal(24);
  });

  it("begin with the people with whom AER's copy begins, union and marriage among them", () => {
    const first = all.slice(0, 22);
    const numbersWith = (column: string) =>
      first.flatMap((record, index) => (record[column] === "true" ? [index + 1] : []));
    expect(numbersWith("union_member")).to.deep.equal([6, 11, 12, 14, 18, 21, 22]);
    expect(numbersWith("married")).to.deep.equal([1, 2, 5, 9, 11, 13, 15, 16, 17, 18, 20, 21, 22]);
    expect(first.slice(0, 4).map(({ wage }) => wage)).to.deep.equal(["5.10", "4.95", "6.67", "4.00"]);
  });

  it("are in dollars an hour, not logarithms", () => {
    const wages = all.map(({ wage }) => Number(wage));
    expect(Math.max(...wages)).to.equal(44.5);
    expect(wages.reduce((a, b) => a + b, 0) / wages.length).to.be.closeTo(9.02, 0.01);
  });
});
