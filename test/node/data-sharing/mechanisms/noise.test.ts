import { expect } from "chai";
import fc from "fast-check";
import {
  drawGaussian,
  gaussianSampler,
  gaussianVariance,
  integerSquareRoot,
  sampleDiscreteGaussian,
  sampleDiscreteGaussians,
} from "../../../../node/data-sharing/mechanisms/discrete-gaussian.ts";
import {
  drawLaplace,
  drawSmallLaplace,
  sampleDiscreteLaplace,
  smallScaleMax,
} from "../../../../node/data-sharing/mechanisms/discrete-laplace.ts";
import { RandomReader } from "../../../../node/data-sharing/mechanisms/random-reader.ts";
import { type Rational, rational } from "../../../../node/data-sharing/mechanisms/rational.ts";
import {
  binomialUpperTail,
  falseAlarmRate,
  fitProbability,
  tableOf,
} from "../../../support/goodness-of-fit.ts";
import { seededRandomness, startingWith } from "../../../support/seeded-randomness.ts";

const draws = 100_000;
const number = ({ numerator, denominator }: Rational) => Number(numerator) / Number(denominator);
const ofLaplace = (scale: Rational) => tableOf((x) => Math.exp(-Math.abs(x) / number(scale)), -2_000, 2_000);
const ofGaussian = (variance: Rational) =>
  tableOf((x) => Math.exp((-x * x) / (2 * number(variance))), -2_000, 2_000);
const many = (sample: () => bigint) => Array.from({ length: draws }, sample);

describe("exact noise", () => {
  for (const scale of [rational(1n), rational(7n, 2n), rational(1n, 3n), rational(40n)]) {
    it(`draws discrete Laplace noise of scale ${number(scale)} with the exact probabilities`, () => {
      const randomness = seededRandomness(1);
      const drawn = many(() => sampleDiscreteLaplace(scale, randomness));
      expect(fitProbability(drawn, ofLaplace(scale))).to.be.greaterThan(falseAlarmRate);
    });
  }

  for (const variance of [
    rational(1n, 100n),
    rational(1n, 3n),
    rational(1n),
    rational(25n, 4n),
    rational(100n),
    rational(2_250_000n, 8_333n),
    rational(10_000n),
  ]) {
    it(`draws discrete Gaussian noise of variance ${number(variance)} with the exact probabilities`, () => {
      const drawn = sampleDiscreteGaussians(variance, draws, seededRandomness(2));
      expect(fitProbability(drawn, ofGaussian(variance))).to.be.greaterThan(falseAlarmRate);
    });
  }

  it("draws the same distribution over big integers, and one by one", () => {
    const variance = rational(25n, 4n);
    const reader = new RandomReader(seededRandomness(3));
    expect(
      fitProbability(
        many(() => drawGaussian(variance, reader)),
        ofGaussian(variance),
      ),
    ).to.be.greaterThan(falseAlarmRate);
    const randomness = seededRandomness(4);
    const single = many(() => sampleDiscreteGaussian(variance, randomness));
    expect(fitProbability(single, ofGaussian(variance))).to.be.greaterThan(falseAlarmRate);
  });

  describe("would be noticed if it were", () => {
    it("of a variance that is a tenth too small or too large", () => {
      for (const variance of [rational(1n), rational(100n), rational(10_000n)])
        for (const tenths of [9n, 11n]) {
          const wrong = rational(variance.numerator * tenths, 10n);
          const drawn = sampleDiscreteGaussians(wrong, draws, seededRandomness(5));
          expect(fitProbability(drawn, ofGaussian(variance)), number(wrong).toString()).to.be.lessThan(
            falseAlarmRate,
          );
        }
    });

    it("Laplace noise with two zeros", () => {
      const scale = rational(7n, 2n);
      const reader = new RandomReader(seededRandomness(6));
      // Without the rejection of minus zero, 0 has twice its weight: that is 0 outright in (1 - exp(-2/7)) / 2 of the draws, about 32/256.
      const twoZeros = () => (reader.next() < 32 ? 0n : BigInt(drawSmallLaplace(7, 2, reader)));
      expect(fitProbability(many(twoZeros), ofLaplace(scale))).to.be.lessThan(falseAlarmRate);
    });

    it("rounded continuous noise, where the steps are coarse", () => {
      const reader = new RandomReader(seededRandomness(7));
      const uniform = () => (reader.next() * 65_536 + reader.next() * 256 + reader.next() + 0.5) / 2 ** 24;
      const rounded = () =>
        BigInt(Math.round(Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())));
      expect(fitProbability(many(rounded), ofGaussian(rational(1n)))).to.be.lessThan(falseAlarmRate);
    });

    it("Laplace in place of Gaussian noise of the same variance", () => {
      const randomness = seededRandomness(8);
      const drawn = many(() => sampleDiscreteLaplace(rational(7n), randomness));
      expect(fitProbability(drawn, ofGaussian(rational(98n)))).to.be.lessThan(falseAlarmRate);
    });
  });

  it("is judged by p-values that are as rare as they say", () => {
    const randomness = seededRandomness(9);
    const variance = rational(25n, 4n);
    const fits = Array.from({ length: 300 }, () =>
      fitProbability(sampleDiscreteGaussians(variance, 2_000, randomness), ofGaussian(variance)),
    );
    for (const level of [0.1, 0.5, 0.9]) {
      const below = fits.filter((p) => p < level).length;
      expect(binomialUpperTail(fits.length, level, below)).to.be.greaterThan(falseAlarmRate);
      expect(binomialUpperTail(fits.length, 1 - level, fits.length - below)).to.be.greaterThan(
        falseAlarmRate,
      );
    }
  });

  describe("in plain numbers", () => {
    const sized = (bits: number) => fc.bigInt({ min: 1n, max: 1n << BigInt(bits) });
    const anySize = fc.oneof(...[4, 16, 30, 45, 90].map(sized));

    it("is the Gaussian noise of big integers, from the same bytes", () => {
      fc.assert(
        fc.property(anySize, anySize, fc.nat(), (numerator, denominator, seed) => {
          const variance = rational(numerator, denominator);
          const [one, other] = [seed, seed].map((s) => new RandomReader(seededRandomness(s)));
          const draw = gaussianSampler(variance);
          for (let i = 0; i < 20; i++) expect(BigInt(draw(one!))).to.equal(drawGaussian(variance, other!));
          expect(one!.next()).to.equal(other!.next());
        }),
        { numRuns: 500 },
      );
    });

    it("is the Laplace noise of big integers, from the same bytes", () => {
      const size = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: smallScaleMax }));
      fc.assert(
        fc.property(size, size, fc.nat(), (t, s, seed) => {
          const [one, other] = [seed, seed].map((n) => new RandomReader(seededRandomness(n)));
          const scale = rational(BigInt(t), BigInt(s));
          for (let i = 0; i < 20; i++)
            expect(BigInt(drawSmallLaplace(t, s, one!))).to.equal(drawLaplace(scale, other!));
          expect(one!.next()).to.equal(other!.next());
        }),
        { numRuns: 500 },
      );
    });

    it("goes over to big integers for magnitudes that numbers cannot hold", () => {
      // u = 0, then 9,001 times "yes" with probability 1/e (2 trials won, the third lost), then "no", then a sign.
      const steps = 9_001;
      const bytesOf = (zeros: number, sign: number) =>
        Uint8Array.from([
          ...new Array<number>(zeros).fill(0),
          ...Array.from({ length: steps }, () => [0, 255]).flat(),
          255,
          sign,
        ]);
      for (const [t, s, zeros] of [
        [2 ** 40, 1, 5],
        [2 ** 40 - 3, 1, 5],
        [2 ** 40 - 1, 3, 5],
        [200, 7, 1],
      ] as const) {
        const expected = (BigInt(t) * BigInt(steps)) / BigInt(s);
        for (const sign of [0, 1]) {
          const first = bytesOf(zeros, sign);
          const signed = sign === 1 ? -expected : expected;
          expect(BigInt(drawSmallLaplace(t, s, new RandomReader(startingWith(first))))).to.equal(signed);
          const scale = rational(BigInt(t), BigInt(s));
          expect(drawLaplace(scale, new RandomReader(startingWith(first)))).to.equal(signed);
        }
      }
      // Minus zero is drawn again here too.
      const again = new RandomReader(startingWith(bytesOf(1, 1)));
      expect(drawSmallLaplace(200, 2 ** 40, again)).to.equal(
        Number(drawLaplace(rational(200n, 2n ** 40n), new RandomReader(startingWith(bytesOf(1, 1))))),
      );
    });
  });

  it("takes exact square roots of integers of any size", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 300n }), (value) => {
        const root = integerSquareRoot(value);
        return root * root <= value && (root + 1n) * (root + 1n) > value;
      }),
    );
  });

  it("gives the variance that rho asks for", () => {
    const { numerator, denominator } = gaussianVariance(3n, rational(1n, 20n));
    expect(numerator / denominator).to.equal(90n);
  });
});
