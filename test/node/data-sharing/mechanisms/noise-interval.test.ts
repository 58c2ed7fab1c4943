import { expect } from "chai";
import { sampleDiscreteGaussians } from "../../../../node/data-sharing/mechanisms/discrete-gaussian.ts";
import { gaussianNoiseMargin } from "../../../../node/data-sharing/mechanisms/noise-interval.ts";
import { rational } from "../../../../node/data-sharing/mechanisms/rational.ts";
import { binomialUpperTail, falseAlarmRate } from "../../../support/goodness-of-fit.ts";
import { seededRandomness } from "../../../support/seeded-randomness.ts";

describe("the 95% interval of the noise", () => {
  it("is the exact quantile to the unit, on both sides of where sums end", () => {
    // P(|N| <= t), summed term by term.
    const inside = (variance: number, t: number) => {
      let [within, all] = [1, 1];
      for (let x = 1; x < 15 * Math.sqrt(variance); x++) {
        const weight = 2 * Math.exp((-x * x) / (2 * variance));
        all += weight;
        if (x <= t) within += weight;
      }
      return within / all;
    };
    for (const variance of [2, 77, 4_321, 9_999, 10_001, 54_321, 1_000_000, 7_654_321]) {
      const margin = Number(gaussianNoiseMargin(rational(BigInt(variance))));
      expect(inside(variance, margin), `${variance}`).to.be.at.least(0.95);
      expect(inside(variance, margin - 1), `${variance}`).to.be.lessThan(0.95);
    }
  });

  it("is the normal quantile to the unit where the noise is very wide", () => {
    // 1.959963984540054235524... times the standard deviation.
    expect(gaussianNoiseMargin(rational(10n ** 24n))).to.equal(1_959_963_984_540n);
    expect(gaussianNoiseMargin(rational(10n ** 40n))).to.equal(195_996_398_454_005_423_552n);
    expect(gaussianNoiseMargin(rational(10n ** 24n, 4n))).to.equal(979_981_992_270n);
  });

  it("is zero where the noise is almost always zero, and one where it is mostly within one", () => {
    expect(gaussianNoiseMargin(rational(1n, 100n))).to.equal(0n);
    expect(gaussianNoiseMargin(rational(1n, 4n))).to.equal(1n);
  });

  it("holds at least 95% of real draws, and one less does not", () => {
    const variance = rational(40n);
    const margin = gaussianNoiseMargin(variance);
    const count = 200_000;
    const noise = sampleDiscreteGaussians(variance, count, seededRandomness(1));
    const outside = (t: bigint) => noise.filter((x) => x > t || x < -t).length;
    expect(binomialUpperTail(count, 0.05, outside(margin))).to.be.greaterThan(falseAlarmRate);
    expect(binomialUpperTail(count, 0.05, outside(margin - 1n))).to.be.lessThan(falseAlarmRate);
  });
});
