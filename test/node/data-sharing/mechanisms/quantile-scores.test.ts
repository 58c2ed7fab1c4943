import { expect } from "chai";
import fc from "fast-check";
import { microEpsilonOf } from "../../../../node/data-sharing/mechanisms/exponential-mechanism.ts";
import {
  extremeOffset,
  quantileScores,
  quantileSensitivity,
} from "../../../../node/data-sharing/mechanisms/quantile-scores.ts";
import { logTable } from "../../../support/neighbour-audit.ts";
import { exponentialLogWeights } from "./selection-tables.ts";

const quantile = (numerator: bigint, denominator: bigint) => ({ numerator, denominator });
const [min, median, max] = [quantile(0n, 1n), quantile(1n, 2n), quantile(1n, 1n)];
const quantiles = [min, quantile(1n, 4n), quantile(1n, 3n), median, quantile(9n, 10n), max, quantile(4n, 4n)];
const magnitude = (value: bigint) => (value < 0n ? -value : value);

/** All counts of `buckets` buckets with up to `most` rows each. */
function everyCount(buckets: number, most: bigint): bigint[][] {
  if (buckets === 0) return [[]];
  return everyCount(buckets - 1, most).flatMap((counts) =>
    Array.from({ length: Number(most) + 1 }, (_, count) => [...counts, BigInt(count)]),
  );
}

/** The most that any score changes when `rows` rows come in, wherever they fall. */
function largestChange(counts: bigint[], q: typeof median, offset: bigint, rows: number): bigint {
  const before = quantileScores(counts, q, offset);
  const places =
    rows === 1 ? counts.map((_, i) => [i]) : counts.flatMap((_, i) => counts.map((__, j) => [i, j]));
  let most = 0n;
  for (const place of places) {
    const more = counts.map((count, i) => count + BigInt(place.filter((at) => at === i).length));
    const after = quantileScores(more, q, offset);
    for (const [i, score] of after.entries()) {
      const change = magnitude(score - before[i]!);
      if (change > most) most = change;
    }
  }
  return most;
}

/** The exact chance of each candidate. */
function chances(scores: bigint[], sensitivity: bigint, microRho: bigint): number[] {
  const inSensitivities = scores.map((score) => Number(score) / Number(sensitivity));
  return logTable(exponentialLogWeights(inSensitivities, Number(microEpsilonOf(microRho)) / 1e6)).map(
    Math.exp,
  );
}

describe("scores of quantiles", () => {
  it("are zero for the bucket that holds the quantile, and fall with the rows in between", () => {
    // Ten rows; the median's target is between the fifth and the sixth.
    expect(quantileScores([2n, 3n, 4n, 0n, 1n], median, 0n)).to.deep.equal([-6n, 0n, 0n, -8n, -8n]);
    expect(quantileScores([2n, 3n, 4n, 0n, 1n], quantile(1n, 4n), 0n)).to.deep.equal([
      -2n,
      0n,
      -10n,
      -26n,
      -26n,
    ]);
  });

  it("are best exactly where a sorted list has the quantile", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 60 }),
        fc.constantFrom(...quantiles),
        (values, q) => {
          const counts = Array.from({ length: 10 }, (_, x) => BigInt(values.filter((v) => v === x).length));
          const sorted = values.toSorted((a, b) => a - b);
          const rank = (Number(q.numerator) * values.length) / Number(q.denominator);
          // The row at which the share is first reached; for MIN the first.
          const row = sorted[Math.max(Math.ceil(rank) - 1, 0)]!;
          expect(quantileScores(counts, q, 0n)[row]).to.equal(0n);
        },
      ),
    );
  });

  it("change by no more than the sensitivity, for all small data and one or two rows of a person, and by that much somewhere", () => {
    const data = everyCount(4, 2n);
    for (const q of quantiles)
      for (const offset of [0n, 1n, -1n, 3n, -3n, 7n, -7n, 30n, -30n])
        for (const rows of [1, 2]) {
          const sensitivity = quantileSensitivity(q, BigInt(rows));
          let most = 0n;
          for (const counts of data) {
            const change = largestChange(counts, q, offset, rows);
            if (change > most) most = change;
          }
          expect(most <= sensitivity, `${q.numerator}/${q.denominator} ${offset}`).to.equal(true);
          if (offset === 0n) expect(most).to.equal(sensitivity);
        }
  }).timeout(120_000);

  it("change by no more than the sensitivity in larger data", () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: 0n, max: 1_000n }), { minLength: 1, maxLength: 12 }),
        fc.constantFrom(...quantiles),
        fc.oneof(fc.constant(0n), fc.bigInt({ min: -5_000n, max: 5_000n })),
        (counts, q, offset) => largestChange(counts, q, offset, 2) <= quantileSensitivity(q, 2n),
      ),
    );
  });

  it("of MIN and MAX without an offset tie with every empty candidate beyond the rows", () => {
    const counts = [0n, 0n, 5n, 9n, 5n, 0n, 0n];
    expect(quantileScores(counts, max, 0n).slice(4)).to.deep.equal([0n, 0n, 0n]);
    expect(quantileScores(counts, min, 0n).slice(0, 3)).to.deep.equal([0n, 0n, 0n]);
  });

  it("of MIN and MAX with an offset are best inside, and mirror images", () => {
    const counts = [0n, 0n, 5n, 9n, 5n, 0n, 0n];
    expect(quantileScores(counts, max, -3n)).to.deep.equal([-16n, -16n, -11n, -2n, 0n, -3n, -3n]);
    expect(quantileScores(counts, min, 3n)).to.deep.equal([-3n, -3n, 0n, -2n, -11n, -16n, -16n]);
  });

  it("aim at the middle and not at the other end where there are fewer rows than the offset", () => {
    const counts = [0n, 1n, 1n, 1n, 0n];
    expect(quantileScores(counts, max, -100n)).to.deep.equal(quantileScores(counts, min, 100n));
    // Half of three rows, rounded down: between the first row and the second.
    expect(quantileScores(counts, max, -100n)).to.deep.equal([-1n, 0n, 0n, -1n, -2n]);
    expect(quantileScores([0n, 0n], max, -100n)).to.deep.equal([0n, 0n]);
  });
});

describe("the offset of MIN and MAX", () => {
  it("is 2 sensitivity / epsilon ln(10 candidates), rounded up by less than a twentieth", () => {
    for (const candidates of [1, 2, 7, 100, 1_000, 10_000])
      for (const sensitivity of [1n, 5n, 1_000n])
        for (const microRho of [1n, 500n, 50_000n, 10n ** 6n]) {
          const epsilon = Math.sqrt((8 * Number(microRho)) / 1e6);
          const real = ((2 * Number(sensitivity)) / epsilon) * Math.log(10 * candidates);
          const offset = Number(extremeOffset(candidates, sensitivity, microRho));
          expect(offset).to.be.within(real, real * 1.05 + 1);
        }
  });

  it("keeps the empty candidates beyond the extreme under one in ten, where they would else have nearly all", () => {
    const candidates = 1_000;
    const counts = Array.from({ length: candidates }, (_, i) => (i < 200 ? 25n : 0n));
    for (const microRho of [1_000n, 10_000n, 100_000n]) {
      const sensitivity = quantileSensitivity(max, 1n);
      const offset = extremeOffset(candidates, sensitivity, microRho);
      const beyond = (used: bigint) =>
        chances(quantileScores(counts, max, used), sensitivity, microRho)
          .slice(200)
          .reduce((a, b) => a + b);
      expect(beyond(-offset)).to.be.lessThan(0.1);
      expect(beyond(0n)).to.be.greaterThan(0.5);
    }
  });
});
