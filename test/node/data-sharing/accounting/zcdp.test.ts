import { expect } from "chai";
import fc from "fast-check";
import {
  answersLeft,
  deltaOfThresholds,
  epsilonOf,
  microRhoAtLeast,
  rhoOf,
  shareOfCharge,
} from "../../../../node/data-sharing/accounting/zcdp.ts";
import { rational } from "../../../../node/data-sharing/mechanisms/rational.ts";
import {
  deltaOfPair,
  expectWithinCharge,
  type LogTable,
  logTable,
  rhoOfPair,
} from "../../../support/neighbour-audit.ts";

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

  describe("reported as epsilon and delta", () => {
    const rhoValues = [1n, 100n, 10_000n, 125_000n, 500_000n, 1_000_000n, 8_000_000n, 100_000_000n];

    it("is the least that the conversion gives for any order", () => {
      // Found with 40 digits by mpmath.
      for (const [microRho, delta, epsilon] of [
        [1n, 1e-6, 0.004496493981056],
        [10_000n, 1e-6, 0.6216929659162292],
        [100_000n, 1e-9, 2.723312225383873],
        [500_000n, 1e-6, 5.221636364044736],
        [1_000_000n, 1e-5, 7.077228188573387],
        [8_000_000n, 1e-6, 27.81827001239814],
        [100_000_000n, 1e-6, 172.463727623991],
        [999_000_000n, 1e-6, 1283.75951137032],
        [1_000_000n, 0.1, 2.854981891192669],
      ] as const)
        expect(epsilonOf(microRho, delta) / epsilon - 1).to.be.within(0, 1e-9);
      expect(epsilonOf(0n, 1e-6)).to.equal(0);
      expect(epsilonOf(1n, 0.5)).to.equal(0);
    });

    it("is at most what Bun and Steinke's conversion gives", () => {
      for (const microRho of rhoValues)
        for (const delta of [1e-5, 1e-6]) {
          const rho = Number(microRho) / 1e6;
          const simple = rho + 2 * Math.sqrt(rho * Math.log(1 / (delta - rho * 1e-9)));
          expect(epsilonOf(microRho, delta)).to.be.lessThan(simple);
        }
    });

    it("grows with rho and falls with delta", () => {
      fc.assert(
        fc.property(
          fc.bigInt({ min: 1n, max: 10n ** 8n }),
          fc.bigInt({ min: 1n, max: 10n ** 6n }),
          fc.double({ min: 1e-6, max: 0.01, noNaN: true }),
          (microRho, more, delta) => {
            const epsilon = epsilonOf(microRho, delta);
            expect(epsilonOf(microRho + more, delta)).to.be.at.least(epsilon * (1 - 1e-11));
            expect(epsilonOf(microRho, delta * 1.5)).to.be.at.most(epsilon * (1 + 1e-11));
          },
        ),
      );
    });

    it("is never less than what the exact Gaussian noise of that rho really loses, and not much more", () => {
      for (const rho of [1n, 50n, 500n].map((tenThousandths) => tenThousandths * 1_000n)) {
        const [p, q] = gaussianPair(1, 1e6 / (2 * Number(rho)));
        for (const delta of [1e-3, 1e-5]) {
          const epsilon = epsilonOf(rho, delta);
          expect(deltaOfPair(p, q, epsilon)).to.be.at.most(delta);
          expect(deltaOfPair(p, q, epsilon * 0.8)).to.be.greaterThan(delta);
        }
      }
    });

    it("sets aside the delta that thresholds may have spent, up to all of it", () => {
      expect(deltaOfThresholds(1_000_000n)).to.deep.equal(rational(1_000_000n, 10n ** 15n));
      // A rho of 500 spends half of a delta of 10^-6.
      const [half, whole] = [epsilonOf(500_000_000n, 1e-6), epsilonOf(500_000_000n, 1.5e-6)];
      expect(half).to.be.greaterThan(whole);
      expect(epsilonOf(1_000_000_000n, 1e-6)).to.equal(Number.POSITIVE_INFINITY);
      expect(epsilonOf(10n ** 12n, 1e-6)).to.equal(Number.POSITIVE_INFINITY);
      expect(() => epsilonOf(1n, 0)).to.throw("between 0 and 1");
    });
  });

  describe("of Gaussian noise on neighbouring data", () => {
    for (const [shift, variance] of [
      [1, 0.25],
      [1, 1],
      [1, 9],
      [2, 1],
      [3, 40],
    ] as const) {
      const rho = shift ** 2 / (2 * variance);

      it(`costs what it is charged, for a change of ${shift} at a variance of ${variance}`, () => {
        const [p, q] = gaussianPair(shift, variance);
        expectWithinCharge(p, q, rho);
        expect(rhoOfPair(p, q)).to.be.greaterThan(0.999 * rho);
      });

      it(`would be noticed if the variance were a tenth too small or the sensitivity halved (${shift}, ${variance})`, () => {
        const [p, q] = gaussianPair(shift, variance * 0.9);
        expect(() => expectWithinCharge(p, q, rho)).to.throw("at most");
        const [one, other] = gaussianPair(2 * shift, variance);
        expect(() => expectWithinCharge(one, other, rho)).to.throw("at most");
      });
    }

    it("adds up over vectors", () => {
      const [p, q] = gaussianPair(1, 1);
      const joint = (one: LogTable, other: LogTable) => one.flatMap((a) => other.map((b) => a + b));
      expectWithinCharge(joint(p, p), joint(q, q), 1);
      expect(rhoOfPair(joint(p, p), joint(q, q))).to.be.greaterThan(0.999);
    });
  });

  it("says how many more answers fit, and none when the budget is used up or overdrawn", () => {
    expect(answersLeft(100n, 35n, 10n)).to.equal(6n);
    expect(answersLeft(100n, 100n, 10n)).to.equal(0n);
    expect(answersLeft(100n, 130n, 10n)).to.equal(0n);
  });
});

/** Exact logarithmic probabilities of discrete Gaussian noise around 0 and around `shift`, over the same outcomes. */
function gaussianPair(shift: number, variance: number): [LogTable, LogTable] {
  const span = Math.ceil(30 * Math.sqrt(variance) + 10 * shift) + 150;
  const around = (mean: number) =>
    logTable(Array.from({ length: 2 * span + 1 }, (_, i) => -((i - span - mean) ** 2) / (2 * variance)));
  return [around(0), around(shift)];
}
