import { expect } from "chai";
import fc from "fast-check";
import { microRhoWithin } from "../../../../node/data-sharing/accounting/micro-rho-within.ts";
import { epsilonOf } from "../../../../node/data-sharing/accounting/zcdp.ts";

const delta = fc.double({ min: 1e-9, max: 0.01, noNaN: true });

describe("the charge within an epsilon", () => {
  it("never exceeds it, and one micro-rho more would", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 50, noNaN: true }), delta, (epsilon, ofDelta) => {
        const microRho = microRhoWithin(epsilon, ofDelta);
        expect(epsilonOf(microRho, ofDelta)).to.be.at.most(epsilon);
        expect(epsilonOf(microRho + 1n, ofDelta)).to.be.greaterThan(epsilon);
      }),
      { numRuns: 50 },
    );
  });

  it("gives back a charge from the epsilon that is reported for it", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1_000n, max: 10n ** 8n }), (microRho) => {
        expect(microRhoWithin(epsilonOf(microRho, 1e-6), 1e-6)).to.equal(microRho);
      }),
      { numRuns: 50 },
    );
  });

  it("is nothing where one micro-rho is too much already", () => {
    expect(epsilonOf(1n, 1e-6)).to.be.greaterThan(0.001);
    expect(microRhoWithin(0.001, 1e-6)).to.equal(0n);
    expect(microRhoWithin(0, 1e-6)).to.equal(0n);
  });

  it("refuses what is no epsilon", () => {
    for (const epsilon of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => microRhoWithin(epsilon, 1e-6)).to.throw("at least zero");
  });
});
