import { expect } from "chai";
import fc from "fast-check";
import { rational } from "../../../../node/data-sharing/mechanisms/rational.ts";
import {
  added,
  ceilDivide,
  ceilSquareRoot,
  normalMargin,
  roundDivide,
  roundSquareRoot,
} from "../../../../node/data-sharing/release/fixed-point.ts";

const positive = fc.bigInt(1n, 10n ** 40n);

describe("exact arithmetic of what is shown", () => {
  it("rounds quotients to the nearest, and halves away from zero", () => {
    expect([5n, -5n, 4n, -4n, 6n].map((value) => roundDivide(value, 10n))).to.deep.equal([
      1n,
      -1n,
      0n,
      0n,
      1n,
    ]);
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 40n), 10n ** 40n), positive, (value, divisor) => {
        const error = 2n * (roundDivide(value, divisor) * divisor - value);
        expect(error <= divisor && error >= -divisor).to.equal(true);
        expect(roundDivide(-value, divisor)).to.equal(-roundDivide(value, divisor));
      }),
    );
  });

  it("rounds up where a margin must not be too small", () => {
    fc.assert(
      fc.property(positive, positive, (value, divisor) => {
        const quotient = ceilDivide(value, divisor);
        expect(quotient * divisor >= value && (quotient - 1n) * divisor < value).to.equal(true);
        const root = ceilSquareRoot(value);
        expect(root * root >= value && (root - 1n) ** 2n < value).to.equal(true);
      }),
    );
    expect(ceilSquareRoot(0n)).to.equal(0n);
  });

  it("rounds roots of quotients to the nearest", () => {
    fc.assert(
      fc.property(positive, positive, (value, divisor) => {
        const root = roundSquareRoot(value, divisor);
        // (root - 1/2)^2 <= value / divisor < (root + 1/2)^2
        expect((2n * root - 1n) ** 2n * divisor <= 4n * value || root === 0n).to.equal(true);
        expect((2n * root + 1n) ** 2n * divisor > 4n * value).to.equal(true);
      }),
    );
  });

  it("takes 1.959964 standard deviations for a margin, rounded up, and adds variances", () => {
    expect(normalMargin(rational(10n ** 12n))).to.equal(1_959_965n);
    expect(normalMargin(rational(0n))).to.equal(0n);
    expect(added(rational(1n, 6n), rational(1n, 3n))).to.deep.equal(rational(1n, 2n));
  });
});
