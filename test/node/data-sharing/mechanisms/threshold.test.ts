import { expect } from "chai";
import fc from "fast-check";
import { deltaOfThresholds } from "../../../../node/data-sharing/accounting/zcdp.ts";
import { sampleDiscreteGaussians } from "../../../../node/data-sharing/mechanisms/discrete-gaussian.ts";
import { leastWithTail } from "../../../../node/data-sharing/mechanisms/discrete-tail.ts";
import { type Rational, rational } from "../../../../node/data-sharing/mechanisms/rational.ts";
import {
  groupCountVariance,
  peopleRhoOf,
  thresholdFor,
} from "../../../../node/data-sharing/mechanisms/threshold.ts";
import { binomialUpperTail, falseAlarmRate } from "../../../support/goodness-of-fit.ts";
import { seededRandomness } from "../../../support/seeded-randomness.ts";

/** P(N >= m) for m >= 0, summed term by term in floating point: good to 12 digits. */
function tail(variance: number, m: number): number {
  const last = Math.ceil(25 * Math.sqrt(variance)) + m + 5;
  const weight = (x: number) => Math.exp((-x * x) / (2 * variance));
  let [above, positive] = [0, 0];
  for (let x = last; x >= 1; x--) {
    positive += weight(x);
    if (x === m) above = positive;
  }
  if (m === 0) above = 1 + positive;
  return above / (1 + 2 * positive);
}

const number = ({ numerator, denominator }: Rational) => Number(numerator) / Number(denominator);

/** Least tau, found with 60 digits by mpmath: terms summed up to a variance of 20,000, Euler-Maclaurin to the fifth derivative above. */
const known: [numerator: bigint, denominator: bigint, groups: bigint, microRho: bigint, tau: bigint][] = [
  [1n, 100n, 1n, 1n, 2n],
  [1n, 3n, 1n, 1n, 6n],
  [1n, 3n, 1_000_000n, 1n, 7n],
  [1n, 1n, 1n, 50_000n, 8n],
  [1n, 1n, 3n, 999_999_999_999n, 5n],
  [100n, 1n, 10n, 500_000n, 67n],
  [10_000n, 3n, 1n, 1n, 460n],
  [4_096n, 1n, 1_000_000n, 1n, 610n],
  [4_097n, 1n, 1n, 50_000n, 416n],
  [10_000n, 1n, 1n, 1n, 796n],
  [123_456n, 7n, 3n, 999_999_999_999n, 454n],
  [10n ** 6n, 1n, 1_000_000n, 1n, 9_507n],
  [10n ** 8n, 1n, 10n, 500_000n, 64_672n],
  [10n ** 12n, 1n, 1n, 1n, 7_941_347n],
  [10n ** 12n, 1n, 3n, 999_999_999_999n, 3_402_935n],
  [10n ** 24n, 1n, 1n, 50_000n, 6_466_951_087_243n],
  [10n ** 24n, 7n, 1_000_000n, 1n, 3_592_561_758_505n],
];

describe("the threshold of open group keys", () => {
  it("shares its charge with the noise on the number of groups, and no more than it has", () => {
    for (const groups of [1n, 3n, 10_000n])
      for (const microRho of [1n, 7n, 50_000n, 10n ** 9n]) {
        // What one person costs at most: L2 sensitivities over twice the variances.
        const people = peopleRhoOf(microRho);
        const { numerator, denominator } = groupCountVariance(groups, microRho);
        const number = rational(groups ** 2n * denominator, 2n * numerator);
        const sum = people.numerator * number.denominator + number.numerator * people.denominator;
        expect(sum * 1_000_000n).to.equal(microRho * people.denominator * number.denominator);
      }
  });

  it("is the least that keeps delta, by a computation of high precision", () => {
    for (const [numerator, denominator, groupsPerPerson, microRho, tau] of known) {
      const variance = rational(numerator, denominator);
      expect(thresholdFor({ variance, groupsPerPerson, microRho }), `${numerator}/${denominator}`).to.equal(
        tau,
      );
    }
  });

  it("keeps delta, and one less would not, for variances on both sides of where sums end", () => {
    const parameters = fc.record({
      variance: fc
        .oneof(
          fc.tuple(fc.bigInt({ min: 1n, max: 500n }), fc.bigInt({ min: 1n, max: 100n })),
          fc.tuple(fc.bigInt({ min: 1n, max: 100_000n }), fc.bigInt({ min: 1n, max: 10n })),
          fc.tuple(fc.bigInt({ min: 4_000n, max: 4_200n }), fc.constant(1n)),
        )
        .map(([numerator, denominator]) => rational(numerator, denominator))
        .filter((variance) => number(variance) >= 0.01),
      groupsPerPerson: fc.bigInt({ min: 1n, max: 100_000n }),
      microRho: fc.oneof(
        fc.bigInt({ min: 1n, max: 10n ** 6n }),
        fc.bigInt({ min: 1n, max: 10n ** 12n - 1n }),
      ),
    });
    fc.assert(
      fc.property(parameters, ({ variance, groupsPerPerson, microRho }) => {
        const tau = Number(thresholdFor({ variance, groupsPerPerson, microRho }));
        const named = (threshold: number) => Number(groupsPerPerson) * tail(number(variance), threshold - 1);
        const delta = number(deltaOfThresholds(microRho));
        expect(named(tau)).to.be.at.most(delta * (1 + 1e-10));
        expect(named(tau - 1)).to.be.greaterThan(delta * (1 - 1e-10));
      }),
      { numRuns: 300 },
    );
  }).timeout(120_000);

  it("grows with the groups of a person and with the noise, and falls with the charge", () => {
    const at = (variance: bigint, groupsPerPerson: bigint, microRho: bigint) =>
      thresholdFor({ variance: rational(variance), groupsPerPerson, microRho });
    expect(at(100n, 2n, 1_000n) > at(100n, 1n, 1_000n)).to.equal(true);
    expect(at(400n, 1n, 1_000n) > at(100n, 1n, 1_000n)).to.equal(true);
    expect(at(100n, 1n, 100_000n) < at(100n, 1n, 1_000n)).to.equal(true);
  });

  describe("in draws of the real noise", () => {
    const draws = 200_000;
    const microRho = 999_999_999_999n;
    const delta = number(deltaOfThresholds(microRho));

    for (const variance of [rational(1n), rational(1n, 3n), rational(5n, 2n)]) {
      const groupsPerPerson = 1n;
      const noise = sampleDiscreteGaussians(variance, draws, seededRandomness(1));
      const tau = thresholdFor({ variance, groupsPerPerson, microRho });
      const named = (threshold: bigint) => noise.filter((n) => 1n + n >= threshold).length;

      it(`names a person alone at most as often as delta says, at a variance of ${number(variance)}`, () => {
        expect(binomialUpperTail(draws, delta, named(tau))).to.be.greaterThan(falseAlarmRate);
      });

      it(`would be noticed if it were one too low, at a variance of ${number(variance)}`, () => {
        expect(binomialUpperTail(draws, delta, named(tau - 1n))).to.be.lessThan(falseAlarmRate);
      });
    }
  });

  it("is not computed where its bounds do not hold", () => {
    const variance = rational(100n);
    expect(() => leastWithTail(variance, rational(1n, 500n))).to.throw("1/1000");
    expect(() => leastWithTail(variance, rational(1n, 1n << 151n))).to.throw("1/1000");
    expect(() => leastWithTail(rational(0n), rational(1n, 10_000n))).to.throw("positive");
    expect(() => thresholdFor({ variance, groupsPerPerson: 0n, microRho: 1n })).to.throw("positive");
  });
});
