import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { sampleDiscreteGaussian } from "../../../../node/data-sharing/mechanisms/discrete-gaussian.ts";
import { gaussianNoiseMargin } from "../../../../node/data-sharing/mechanisms/noise-interval.ts";
import { rational } from "../../../../node/data-sharing/mechanisms/rational.ts";

describe("the 95% interval of the noise", () => {
  it("agrees with the normal quantile where the noise is wide", () => {
    for (const sigma of [50n, 999n, 1_001n, 10_000n]) {
      const margin = Number(gaussianNoiseMargin(rational(sigma * sigma)));
      expect(margin).to.be.closeTo(1.96 * Number(sigma), 2);
    }
  });

  it("is zero where the noise is almost always zero, and one where it is mostly within one", () => {
    expect(gaussianNoiseMargin(rational(1n, 100n))).to.equal(0n);
    expect(gaussianNoiseMargin(rational(1n, 4n))).to.equal(1n);
  });

  it("holds at least 95% of real draws", () => {
    const variance = rational(40n);
    const margin = gaussianNoiseMargin(variance);
    const count = 20_000;
    let inside = 0;
    for (let i = 0; i < count; i++) {
      const x = sampleDiscreteGaussian(variance, { bytes: randomBytes });
      if (x <= margin && x >= -margin) inside++;
    }
    // Six standard deviations of the count below 95%: one false alarm in a thousand million runs.
    expect(inside).to.be.greaterThan(count * 0.95 - 6 * Math.sqrt(count * 0.95 * 0.05));
  });
});
