import { createCipheriv } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import {
  gaussianVariance,
  integerSquareRoot,
  sampleDiscreteGaussian,
} from "../../../../node/data-sharing/mechanisms/discrete-gaussian.ts";
import { sampleDiscreteLaplace } from "../../../../node/data-sharing/mechanisms/discrete-laplace.ts";
import { type Rational, rational } from "../../../../node/data-sharing/mechanisms/rational.ts";
import { bernoulliExp, uniformBelow } from "../../../../node/data-sharing/mechanisms/uniform.ts";
import type { Randomness } from "../../../../node/data-sharing/ports.ts";

/** AES-CTR from a fixed key: the same draws in each run, so a statistical test cannot fail by chance once it has passed. */
function seeded(seed: number): Randomness {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  const stream = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  return { bytes: (count) => stream.update(Buffer.alloc(count)) };
}

const draws = 40_000;

/** Pearson's statistic over the outcomes -span..span and the two tails together, per degree of freedom. */
function misfit(sample: () => bigint, weight: (x: number) => number, span: number): number {
  const counts = new Map<number, number>();
  for (let i = 0; i < draws; i++) {
    const x = Number(sample());
    const cell = Math.abs(x) > span ? Number.POSITIVE_INFINITY : x;
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  }
  let mass = 0;
  for (let x = -2_000; x <= 2_000; x++) mass += weight(x);
  let inside = 0;
  let statistic = 0;
  const add = (cell: number, p: number) => {
    const expected = p * draws;
    statistic += ((counts.get(cell) ?? 0) - expected) ** 2 / expected;
  };
  for (let x = -span; x <= span; x++) {
    inside += weight(x) / mass;
    add(x, weight(x) / mass);
  }
  add(Number.POSITIVE_INFINITY, 1 - inside);
  return statistic / (2 * span + 1);
}

/** Beyond this the fit is worse than chance in fewer than one of 10,000 runs, for every span used here. */
const misfitMax = 2.6;

const number = ({ numerator, denominator }: Rational) => Number(numerator) / Number(denominator);

describe("exact noise", () => {
  for (const [scale, span] of [
    [rational(1n), 6],
    [rational(7n, 2n), 14],
    [rational(1n, 3n), 2],
  ] as const) {
    it(`draws discrete Laplace noise of scale ${number(scale)} with the exact probabilities`, () => {
      const randomness = seeded(1);
      const fit = misfit(
        () => sampleDiscreteLaplace(scale, randomness),
        (x) => Math.exp(-Math.abs(x) / number(scale)),
        span,
      );
      expect(fit).to.be.lessThan(misfitMax);
    });
  }

  for (const [variance, span] of [
    [rational(1n), 3],
    [rational(25n, 4n), 8],
    [rational(1n, 3n), 1],
    [rational(100n), 30],
  ] as const) {
    it(`draws discrete Gaussian noise of variance ${number(variance)} with the exact probabilities`, () => {
      const randomness = seeded(2);
      const fit = misfit(
        () => sampleDiscreteGaussian(variance, randomness),
        (x) => Math.exp((-x * x) / (2 * number(variance))),
        span,
      );
      expect(fit).to.be.lessThan(misfitMax);
    });
  }

  it("would notice noise of a slightly wrong variance", () => {
    const randomness = seeded(3);
    const fit = misfit(
      () => sampleDiscreteGaussian(rational(28n, 4n), randomness),
      (x) => Math.exp((-x * x) / (2 * 6.25)),
      8,
    );
    expect(fit).to.be.greaterThan(misfitMax);
  });

  it("says yes with probability exp(-gamma), also beyond one", () => {
    const randomness = seeded(4);
    for (const gamma of [rational(0n), rational(1n, 2n), rational(1n), rational(5n, 2n)]) {
      let yes = 0;
      for (let i = 0; i < draws; i++) if (bernoulliExp(gamma, randomness)) yes++;
      const p = Math.exp(-number(gamma));
      expect(Math.abs(yes - draws * p)).to.be.at.most(4 * Math.sqrt(draws * p * (1 - p)) + 1e-9);
    }
  });

  it("stays below the bound for bounds of any size", () => {
    const randomness = seeded(5);
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 1n << 200n }), (bound) => {
        const drawn = uniformBelow(bound, randomness);
        return drawn >= 0n && drawn < bound;
      }),
    );
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
