import { expect } from "chai";
import fc from "fast-check";
import { formatDecimal } from "../../../../node/data-sharing/manifests/grid.ts";
import { sampleDiscreteGaussians } from "../../../../node/data-sharing/mechanisms/discrete-gaussian.ts";
import { rational } from "../../../../node/data-sharing/mechanisms/rational.ts";
import { averageCell } from "../../../../node/data-sharing/release/cells.ts";
import { roundDivide } from "../../../../node/data-sharing/release/fixed-point.ts";
import { type VarianceTerm, varianceCell } from "../../../../node/data-sharing/release/variance-cell.ts";
import { seededRandomness } from "../../../support/seeded-randomness.ts";

const exactly = rational(0n);
const total = (values: bigint[]) => values.reduce((a, b) => a + b, 0n);

/** What one repository releases of these values, without noise. */
function termOf(values: bigint[], centre: bigint): VarianceTerm {
  const away = values.map((value) => value - centre);
  return {
    squares: { value: total(away.map((value) => value * value)), variance: exactly },
    sum: { value: total(away), variance: exactly },
    count: { value: BigInt(values.length), variance: exactly },
    centre,
  };
}

describe("a variance", () => {
  const value = fc.bigInt(-(2n ** 47n), 2n ** 47n);
  const parts = fc.array(fc.tuple(fc.array(value, { minLength: 1, maxLength: 6 }), value), {
    minLength: 1,
    maxLength: 4,
  });

  it("of several repositories is that of all their people, whatever their centres", () => {
    fc.assert(
      fc.property(parts, fc.boolean(), fc.nat(4), (split, sample, scale) => {
        const all = split.flatMap(([values]) => values);
        const count = BigInt(all.length);
        const divisor = sample ? count - 1n : count;
        const cell = varianceCell(
          split.map(([values, centre]) => termOf(values, centre)),
          { sample, root: false },
          scale,
        );
        if (divisor === 0n) {
          expect(cell).to.deep.equal({ value: null, margin: null });
          return;
        }
        // Of count times each value, about the mean of these: no fraction anywhere.
        const sum = total(all);
        const squares = total(all.map((each) => (count * each - sum) ** 2n));
        const expected = roundDivide(100n * squares, count * count * divisor);
        expect(cell.value).to.equal(formatDecimal(expected, 2 * scale + 2));
        expect(Number(cell.margin)).to.equal(0);
      }),
    );
  });

  it("has a root that is the standard deviation", () => {
    const values = [2n, 4n, 4n, 4n, 5n, 5n, 7n, 9n];
    const cell = (sample: boolean, root: boolean) =>
      varianceCell([termOf(values, 6n)], { sample, root }, 0).value;
    expect(cell(false, false)).to.equal("4.00");
    expect(cell(false, true)).to.equal("2.00");
    expect(cell(true, false)).to.equal("4.57");
    expect(cell(true, true)).to.equal("2.14");
  });

  it("below zero is shown as zero, with a margin all the same", () => {
    const noisy = (value: bigint, variance: bigint) => ({ value, variance: rational(variance) });
    const term = { squares: noisy(-50n, 400n), sum: noisy(3n, 9n), count: noisy(100n, 4n), centre: 10n };
    for (const root of [false, true]) {
      const cell = varianceCell([term], { sample: true, root }, 0);
      expect(cell.value).to.equal("0.00");
      expect(Number(cell.margin)).to.be.above(0);
    }
  });

  it("of nobody, or of a sample of one, is nothing", () => {
    expect(varianceCell([termOf([], 0n)], { sample: false, root: false }, 0).value).to.equal(null);
    expect(varianceCell([termOf([5n], 0n)], { sample: true, root: false }, 0).value).to.equal(null);
    expect(varianceCell([termOf([5n], 0n)], { sample: false, root: true }, 0).value).to.equal("0.00");
  });
});

describe("margins by the delta method", () => {
  const runs = 3_000;
  /** Values from 0 to 100 around 31, as two repositories with other centres and other noise release them. */
  const values = Array.from({ length: 4_000 }, (_, i) => (BigInt((i * 7_919) % 83) % 60n) + BigInt(i % 5));
  const terms = [termOf(values.slice(0, 2_500), 50n), termOf(values.slice(2_500), 20n)];
  const noise = [
    { squares: 40_000n ** 2n, sum: 900n ** 2n, count: 40n ** 2n },
    { squares: 60_000n ** 2n, sum: 1_300n ** 2n, count: 25n ** 2n },
  ];

  /** Standard deviation of the shown number over many draws, and its margin in those. */
  function simulated(show: (terms: VarianceTerm[]) => { value: string | null; margin: string | null }) {
    const randomness = seededRandomness(7);
    const draws = noise.map((own) => ({
      squares: sampleDiscreteGaussians(rational(own.squares), runs, randomness),
      sum: sampleDiscreteGaussians(rational(own.sum), runs, randomness),
      count: sampleDiscreteGaussians(rational(own.count), runs, randomness),
    }));
    const shown = Array.from({ length: runs }, (_, run) => {
      const noisy = terms.map(({ squares, sum, count, centre }, part): VarianceTerm => {
        const [own, drawn] = [noise[part]!, draws[part]!];
        return {
          squares: { value: squares.value + drawn.squares[run]!, variance: rational(own.squares) },
          sum: { value: sum.value + drawn.sum[run]!, variance: rational(own.sum) },
          count: { value: count.value + drawn.count[run]!, variance: rational(own.count) },
          centre,
        };
      });
      const { value, margin } = show(noisy);
      return { value: Number(value), margin: Number(margin) };
    });
    const mean = shown.reduce((sum, { value }) => sum + value, 0) / runs;
    const deviation = Math.sqrt(shown.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / (runs - 1));
    const margin = shown.reduce((sum, each) => sum + each.margin, 0) / runs;
    return { mean, ratio: margin / (1.959964 * deviation) };
  }

  const kinds: [string, (terms: VarianceTerm[]) => { value: string | null; margin: string | null }][] = [
    ["an average", (noisy) => averageCell(noisy, { low: -(10n ** 9n), high: 10n ** 9n }, 0)],
    ["a variance", (noisy) => varianceCell(noisy, { sample: false, root: false }, 0)],
    ["a variance of a sample", (noisy) => varianceCell(noisy, { sample: true, root: false }, 0)],
    ["a standard deviation", (noisy) => varianceCell(noisy, { sample: true, root: true }, 0)],
  ];
  for (const [name, show] of kinds)
    it(`are 1.96 standard deviations of ${name} over many draws, within 10%`, () => {
      const { mean, ratio } = simulated(show);
      expect(ratio).to.be.within(0.9, 1.1);
      expect(mean).to.be.closeTo(Number(show(terms).value), Math.abs(mean) * 0.02);
    });

  it("of a sample of few people count the one that is taken off", () => {
    const [few] = [termOf([10n, 20n, 30n, 40n, 50n], 30n)];
    const noisy = { ...few!, count: { ...few!.count, variance: rational(1n, 100n) } };
    // V = 250 at the mean, so a count moves V by V / (N - 1), for a population by V / N of 200.
    const margin = (sample: boolean) => Number(varianceCell([noisy], { sample, root: false }, 0).margin);
    expect(margin(true)).to.be.closeTo((1.959964 * 0.1 * 250) / 4, 0.011);
    expect(margin(false)).to.be.closeTo((1.959964 * 0.1 * 200) / 5, 0.011);
  });
});
