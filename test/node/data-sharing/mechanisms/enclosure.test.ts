import { expect } from "chai";
import fc from "fast-check";
import {
  type Enclosure,
  enclosure,
  expMinus,
  fractionBits,
  one,
  over,
  squareRoot,
  times,
  whole,
} from "../../../../node/data-sharing/mechanisms/enclosure.ts";
import { rational } from "../../../../node/data-sharing/mechanisms/rational.ts";

const positive = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 9n }), fc.bigInt({ min: 1n, max: 10n ** 8n }))
  .map(([numerator, denominator]) => rational(numerator, denominator))
  .filter(({ numerator, denominator }) => numerator <= 100n * denominator);

const overlap = (a: Enclosure, b: Enclosure) => a.low <= b.high && b.low <= a.high;
/** Decimal digits after the point of a number below one, as an enclosure. */
const decimal = (digits: string) => {
  const [value, scale] = [BigInt(digits), 10n ** BigInt(digits.length)];
  return { low: enclosure(rational(value, scale)).low, high: enclosure(rational(value + 1n, scale)).high };
};

describe("enclosures in fixed point", () => {
  it("hold exp(-1) and exp(-37/3) to all digits that are known here, and are narrow", () => {
    // Computed with mpmath, cut off before its last digits.
    const known = [
      [
        rational(1n),
        "367879441171442321595523770161460867445811131031767834507836801697461495744899803357147274",
      ],
      [
        rational(37n, 3n),
        "0000044025205299739279990153485844162593903208687751575044714519747423878671399516114",
      ],
    ] as const;
    for (const [x, digits] of known) {
      const held = expMinus(x);
      expect(overlap(held, decimal(digits))).to.equal(true);
      expect(held.high - held.low < 1n << 20n).to.equal(true);
    }
  });

  it("of exp hold it to the last bit", () => {
    const small = fc
      .tuple(fc.bigInt({ min: 0n, max: 10n ** 9n }), fc.bigInt({ min: 8n * 10n ** 9n, max: 10n ** 12n }))
      .map(([numerator, denominator]) => rational(numerator, denominator));
    const moreBits = 100n;
    fc.assert(
      fc.property(small, ({ numerator, denominator }) => {
        // The series again with 100 bits more, each of whose roundings is far below the last bit of the enclosure.
        let [term, exact] = [one << moreBits, one << moreBits];
        for (let n = 1n; term !== 0n; n++) {
          term = (-term * numerator) / (denominator * n);
          exact += term;
        }
        const held = expMinus(rational(numerator, denominator));
        expect(held.low << moreBits <= exact + 1_000n && exact - 1_000n <= held.high << moreBits).to.equal(
          true,
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it("of exp are narrow, in order, near Math.exp, and multiply as exponents add", () => {
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        const sum = rational(
          a.numerator * b.denominator + b.numerator * a.denominator,
          a.denominator * b.denominator,
        );
        const [ofA, ofB, ofSum] = [a, b, sum].map(expMinus);
        expect(ofA!.low <= ofA!.high && ofA!.high - ofA!.low < 1n << 30n).to.equal(true);
        expect(ofA!.low >= 0n && ofA!.high <= one + (1n << 20n)).to.equal(true);
        expect(overlap(times(ofA!, ofB!), ofSum!)).to.equal(true);
        const float = Math.exp(-Number(a.numerator) / Number(a.denominator));
        expect(Number(ofA!.low) / Number(one)).to.be.closeTo(float, float * 1e-13);
      }),
    );
  });

  it("hold what was rounded on both sides", () => {
    const third = enclosure(rational(1n, 3n));
    expect(third.high - third.low).to.equal(1n);
    const thirdAgain = over(whole(1n), whole(3n));
    expect(thirdAgain).to.deep.equal(third);
    const ninth = times(third, third);
    expect(9n * ninth.low < one && 9n * ninth.high > one).to.equal(true);
    const root = squareRoot(whole(2n));
    expect(
      root.low ** 2n < 2n << (2n * fractionBits) && root.high ** 2n > 2n << (2n * fractionBits),
    ).to.equal(true);
  });
});
