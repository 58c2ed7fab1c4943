import { expect } from "chai";
import fc from "fast-check";
import { codesLike, partsOfLike } from "../../../../node/data-sharing/plan/like.ts";

const words = (signs: string[], maxLength: number) =>
  fc.array(fc.constantFrom(...signs), { maxLength }).map((parts) => parts.join(""));

describe("LIKE over a domain", () => {
  it("matches what the pattern says, sign by sign", () => {
    const text = words(["a", "b", "\u{1f4a9}"], 9).filter((one) => one !== "");
    fc.assert(
      fc.property(
        fc.uniqueArray(text, { minLength: 1 }),
        words(["a", "b", "_", "%"], 9),
        (domain, pattern) => {
          const expression = pattern.replaceAll("_", "[^]").replaceAll("%", "[^]*");
          const matching = new RegExp(`^${expression}$`, "u");
          const expected = domain.flatMap((one, code) => (matching.test(one) ? [String(code)] : []));
          expect(codesLike(domain, pattern)).to.deep.equal(expected);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("takes no longer for a long pattern, and tells how long that is", () => {
    const domain = Array.from({ length: 640 }, (_, code) => `${"a".repeat(96)}${1_000 + code}`);
    const slow = `%${"_a".repeat(30)}b%`;
    expect(codesLike(domain, `%${"_".repeat(8_000)}`)).to.deep.equal([]);
    expect(codesLike(domain, slow)).to.deep.equal([]);
    expect(partsOfLike(domain, slow)).to.be.within(30_000, 60_000);
    expect(partsOfLike(domain, `${slow}${"%".repeat(8_000)}`)).to.equal(partsOfLike(domain, slow));
    expect(partsOfLike(domain, "%a%")).to.be.below(2_000);
  });
});
