import { expect } from "chai";
import fc from "fast-check";
import { RandomReader } from "../../../../node/data-sharing/mechanisms/random-reader.ts";
import { type Rational, rational } from "../../../../node/data-sharing/mechanisms/rational.ts";
import {
  smallBernoulli,
  smallBernoulliExp,
  smallDenominatorMax,
  smallUniformBelow,
} from "../../../../node/data-sharing/mechanisms/small-uniform.ts";
import { bernoulli, bernoulliExp, uniformBelow } from "../../../../node/data-sharing/mechanisms/uniform.ts";
import { binomialUpperTail, falseAlarmRate, fitProbability } from "../../../support/goodness-of-fit.ts";
import { seededRandomness, startingWith } from "../../../support/seeded-randomness.ts";

/** Bytes that make ties and long runs of trials likely. */
const awkwardBytes = fc
  .uint8Array({ maxLength: 40 })
  .chain((bytes) =>
    fc
      .array(fc.constantFrom(0, 0, 1, 127, 128, 255), { maxLength: 40 })
      .map((extreme) => Uint8Array.from([...extreme, ...bytes])),
  );
const denominator = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: smallDenominatorMax }),
  fc.integer({ min: smallDenominatorMax - 1_000, max: smallDenominatorMax }),
);
const fraction = denominator.chain((bottom) => fc.tuple(fc.nat({ max: bottom }), fc.constant(bottom)));

/** Both read the same bytes: the outcomes are equal, and so is what comes next. */
function expectEqual<T>(
  bytes: Uint8Array,
  small: (reader: RandomReader) => T,
  large: (reader: RandomReader) => T,
): void {
  const [one, other] = [new RandomReader(startingWith(bytes)), new RandomReader(startingWith(bytes))];
  expect(small(one)).to.equal(large(other));
  for (let i = 0; i < 4; i++) expect(one.next()).to.equal(other.next());
}

/** The first digits of a fraction to base 256: a uniform real that starts like this ties with it. */
function digitsOf({ numerator, denominator: bottom }: Rational, count: number): number[] {
  let remainder = numerator;
  return Array.from({ length: count }, () => {
    const digit = (remainder * 256n) / bottom;
    remainder = remainder * 256n - digit * bottom;
    return Number(digit < 256n ? digit : 255n);
  });
}

describe("exact trials", () => {
  it("are the same in plain numbers and in big integers, from the same bytes", () => {
    fc.assert(
      fc.property(fraction, awkwardBytes, fc.nat(8), ([top, bottom], bytes, ties) => {
        const p = rational(BigInt(top), BigInt(bottom));
        const tied = Uint8Array.from([...digitsOf(p, ties), ...bytes]);
        expectEqual(
          tied,
          (reader) => smallBernoulli(top, bottom, reader),
          (reader) => bernoulli(p, reader),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it("of exp(-gamma) are the same too, with gammas beyond one and more trials than numbers can hold", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 2 ** 52 }),
        fc.boolean(),
        denominator,
        awkwardBytes,
        (any, near, bottom, bytes) => {
          const top = near ? any % (3 * bottom) : any;
          const gamma = rational(BigInt(top), BigInt(bottom));
          expectEqual(
            bytes,
            (reader) => smallBernoulliExp(top, bottom, reader),
            (reader) => bernoulliExp(gamma, reader),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("of exp(-gamma) are the same where a later trial is decided by a late digit", () => {
    fc.assert(
      fc.property(
        fraction,
        fc.integer({ min: 1, max: 8 }),
        fc.nat(8),
        awkwardBytes,
        ([top, bottom], trial, ties, bytes) => {
          // Zeros win the trials before it, as each is at least as likely as 1/256.
          fc.pre(top < bottom && top * 16 > bottom);
          const chance = rational(BigInt(top), BigInt(bottom) * BigInt(trial));
          const first = Uint8Array.from([
            ...new Array<number>(trial - 1).fill(0),
            ...digitsOf(chance, ties),
            ...bytes,
          ]);
          expectEqual(
            first,
            (reader) => smallBernoulliExp(top, bottom, reader),
            (reader) => bernoulliExp(rational(BigInt(top), BigInt(bottom)), reader),
          );
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it("of a uniform integer are the same too", () => {
    fc.assert(
      fc.property(denominator, awkwardBytes, (bound, bytes) => {
        expectEqual(
          bytes,
          (reader) => BigInt(smallUniformBelow(bound, reader)),
          (reader) => uniformBelow(BigInt(bound), reader),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it("compare a uniform real with p to its last digit", () => {
    // 1/3 is 0.555... to base 256 (digit 85): the first byte that differs decides.
    const drawn = (bytes: number[]) =>
      bernoulli(rational(1n, 3n), new RandomReader(startingWith(Uint8Array.from(bytes))));
    expect(drawn([84])).to.equal(true);
    expect(drawn([86])).to.equal(false);
    expect(drawn([85, 85, 85, 85, 84])).to.equal(true);
    expect(drawn([85, 85, 85, 85, 86])).to.equal(false);
    // 1/2 ends after one digit, and what equals it is not below it.
    expect(bernoulli(rational(1n, 2n), new RandomReader(startingWith(Uint8Array.of(128))))).to.equal(false);
  });

  it("say yes with probability exp(-gamma), also beyond one", () => {
    const reader = new RandomReader(seededRandomness(4));
    const draws = 100_000;
    for (const [top, bottom] of [
      [1, 2],
      [1, 1],
      [5, 2],
    ] as const) {
      let yes = 0;
      for (let i = 0; i < draws; i++) if (smallBernoulliExp(top, bottom, reader)) yes++;
      const p = Math.exp(-top / bottom);
      expect(binomialUpperTail(draws, p, yes)).to.be.greaterThan(falseAlarmRate);
      expect(binomialUpperTail(draws, 1 - p, draws - yes)).to.be.greaterThan(falseAlarmRate);
    }
    expect(smallBernoulliExp(0, 1, reader)).to.equal(true);
  });

  it("favour no integer below a bound, as the remainder of a byte does", () => {
    const reader = new RandomReader(seededRandomness(5));
    const fitOf = (bound: number, draw: () => number) =>
      fitProbability(
        Array.from({ length: 60_000 }, draw),
        new Map(Array.from({ length: bound }, (_, x) => [x, 1 / bound])),
      );
    for (const bound of [3, 101, 300])
      expect(fitOf(bound, () => smallUniformBelow(bound, reader))).to.be.greaterThan(falseAlarmRate);
    expect(fitOf(101, () => reader.next() % 101)).to.be.lessThan(falseAlarmRate);
  });

  it("stay below bounds of any size", () => {
    const reader = new RandomReader(seededRandomness(6));
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 1n << 200n }), (bound) => {
        const drawn = uniformBelow(bound, reader);
        return drawn >= 0n && drawn < bound;
      }),
    );
  });
});
