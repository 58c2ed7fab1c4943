import { expect } from "chai";
import fc from "fast-check";
import {
  answersLeft,
  epsilonOf,
  microRhoAtLeast,
  rhoOf,
  shareOfCharge,
} from "../../../../node/data-sharing/accounting/zcdp.ts";
import { rational } from "../../../../node/data-sharing/mechanisms/rational.ts";

const amount = fc.bigInt({ min: 1n, max: 10n ** 30n });

describe("zCDP accounting", () => {
  it("never charges less than what is lost, nor a whole unit more", () => {
    fc.assert(
      fc.property(amount, amount, (numerator, denominator) => {
        const charged = rhoOf(microRhoAtLeast(rational(numerator, denominator)));
        const over = charged.numerator * denominator - numerator * charged.denominator;
        expect(over >= 0n && over < denominator).to.equal(true);
      }),
    );
  });

  it("never gives the vectors of a plan more than its charge", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), amount, (parts, extra) => {
        const charge = BigInt(parts) + extra;
        expect(shareOfCharge(charge, parts) * BigInt(parts) <= charge).to.equal(true);
      }),
    );
  });

  it("refuses to release a vector for nothing", () => {
    expect(() => shareOfCharge(2n, 3)).to.throw("at least one micro-rho");
  });

  it("reports epsilon by Bun and Steinke's conversion", () => {
    expect(epsilonOf(500_000n, Math.exp(-2))).to.be.closeTo(0.5 + 2, 1e-12);
    expect(epsilonOf(0n, 1e-6)).to.equal(0);
  });

  it("says how many more answers fit, and none when the budget is used up or overdrawn", () => {
    expect(answersLeft(100n, 35n, 10n)).to.equal(6n);
    expect(answersLeft(100n, 100n, 10n)).to.equal(0n);
    expect(answersLeft(100n, 130n, 10n)).to.equal(0n);
  });
});
