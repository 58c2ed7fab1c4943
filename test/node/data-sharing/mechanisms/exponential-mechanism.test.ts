import { expect } from "chai";
import fc from "fast-check";
import {
  acceptance,
  microEpsilonOf,
  selectCandidate,
} from "../../../../node/data-sharing/mechanisms/exponential-mechanism.ts";
import { RandomReader } from "../../../../node/data-sharing/mechanisms/random-reader.ts";
import { SeededRandom } from "../../../../node/living-lab/data/seeded-random.ts";
import { falseAlarmRate, fitProbability } from "../../../support/goodness-of-fit.ts";
import { expectWithinCharge, logTable, rhoOfPair } from "../../../support/neighbour-audit.ts";

import { seededRandomness, startingWith } from "../../../support/seeded-randomness.ts";
import { exponentialLogWeights, permuteAndFlip } from "./selection-tables.ts";

const draws = 60_000;
const rhoOf = (microRho: bigint) => Number(microRho) / 1e6;
const epsilonOf = (microRho: bigint) => Number(microEpsilonOf(microRho)) / 1e6;

/** What `selectCandidate` should do. */
function tableFor(scores: readonly bigint[], sensitivity: bigint, microRho: bigint): number[] {
  const inSensitivities = scores.map((score) => Number(score) / Number(sensitivity));
  return logTable(exponentialLogWeights(inSensitivities, epsilonOf(microRho)));
}

function fitOf(drawn: number[], table: number[]): number {
  return fitProbability(drawn, new Map(table.map((logP, i) => [i, Math.exp(logP)])));
}

describe("the exponential mechanism", () => {
  const scores = [-2n, 0n, -1n, -3n, -7n, 0n, -20n, -1n];
  const cases = [
    [scores, 1n, 20_000n],
    [scores, 3n, 500_000n],
    [scores.map((score) => score - 1_000_000n), 2n, 125_000n],
    [scores.map((score) => score * 10n ** 20n), 3n * 10n ** 20n, 500_000n],
    [[-5n], 1n, 1n],
  ] as const;

  for (const [of, sensitivity, microRho] of cases) {
    it(`selects of ${of.length} candidates (best ${of.toSorted((a, b) => Number(b - a))[0]}, sensitivity ${sensitivity}) with the exact probabilities`, () => {
      const randomness = seededRandomness(1);
      const drawn = Array.from({ length: draws }, () =>
        selectCandidate(of, sensitivity, microRho, randomness),
      );
      expect(fitOf(drawn, tableFor(of, sensitivity, microRho))).to.be.greaterThan(falseAlarmRate);
    });
  }

  it("would be noticed if its exponent lacked the factor of two", () => {
    const randomness = seededRandomness(2);
    const doubled = scores.map((score) => 2n * score);
    const drawn = Array.from({ length: draws }, () => selectCandidate(doubled, 3n, 500_000n, randomness));
    expect(fitOf(drawn, tableFor(scores, 3n, 500_000n))).to.be.lessThan(falseAlarmRate);
  });

  it("is the same in plain numbers and in big integers, from the same bytes", () => {
    const score = fc.bigInt({ min: -1_000_000n, max: 0n });
    fc.assert(
      fc.property(
        fc.array(score, { minLength: 1, maxLength: 20 }),
        fc.bigInt({ min: 1n, max: 1_000n }),
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        fc.uint8Array({ maxLength: 30 }),
        (of, sensitivity, microRho, bytes) => {
          const [small, large] = [undefined, 0].map((smallMax) =>
            acceptance(of, sensitivity, microRho, smallMax),
          );
          const [one, other] = [0, 0].map(() => new RandomReader(startingWith(bytes)));
          for (let i = 0; i < 3 * of.length; i++)
            expect(small!(i % of.length, one!)).to.equal(large!(i % of.length, other!));
          expect(one!.next()).to.equal(other!.next());
        },
      ),
      { numRuns: 500 },
    );
  });

  it("takes the largest epsilon in millionths that rho covers", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 12n }), (microRho) => {
        const epsilon = microEpsilonOf(microRho);
        // (epsilon / 10^6)^2 / 8 <= rho / 10^6
        expect(epsilon ** 2n <= 8n * microRho * 1_000_000n).to.equal(true);
        expect((epsilon + 1n) ** 2n > 8n * microRho * 1_000_000n).to.equal(true);
      }),
    );
  });

  describe("on neighbouring data", () => {
    const random = new SeededRandom("neighbours");
    /** Scores of up to eight candidates, and the same after a person came or went. */
    const pair = (sensitivity: number): [bigint[], bigint[]] => {
      const length = random.integer(2, 8);
      const before = Array.from({ length }, () => BigInt(random.integer(-30, 0)));
      const after = before.map((score) => score + BigInt(random.integer(-sensitivity, sensitivity)));
      return [before, after];
    };

    it("costs no more than it is charged", () => {
      for (const microRho of [100n, 10_000n, 125_000n, 1_000_000n, 8_000_000n])
        for (let run = 0; run < 200; run++) {
          const [before, after] = pair(3);
          const [p, q] = [before, after].map((of) => tableFor(of, 3n, microRho));
          expectWithinCharge(p!, q!, rhoOf(microRho), `${before} to ${after}`);
        }
    });

    it("would be noticed if its exponent lacked the factor of two, or its sensitivity were halved", () => {
      const [p, q] = [
        [0n, 0n],
        [1n, -1n],
      ].map((of) => tableFor(of, 1n, 10_000n * 4n));
      expect(() => expectWithinCharge(p!, q!, rhoOf(10_000n))).to.throw("at most");
    });

    it("uses up nearly all that it is charged", () => {
      const [p, q] = [
        [0n, 0n],
        [1n, -1n],
      ].map((of) => tableFor(of, 1n, 10_000n));
      expect(rhoOfPair(p!, q!)).to.be.greaterThan(0.99 * rhoOf(10_000n));
    });
  });

  describe("against permute-and-flip", () => {
    const random = new SeededRandom("scores");
    const meanError = (probabilities: number[], of: number[]) =>
      probabilities.reduce((sum, p, i) => sum - p * of[i]!, 0);
    const exponentialError = (of: number[], epsilon: number) =>
      meanError(logTable(exponentialLogWeights(of, epsilon)).map(Math.exp), of);
    const flipError = (of: number[], epsilon: number) => meanError(permuteAndFlip(of, epsilon), of);
    /** Up to eight scores with the best at 0, as far apart as matters at this rho. */
    const randomScores = (rho: number) => {
      const span = 10 ** (random.fraction() * 3) / Math.sqrt(rho) / 10;
      const tied = random.fraction() < 0.3;
      return Array.from({ length: random.integer(2, 8) }, (_, i) =>
        i === 0 ? 0 : -span * (tied ? 1 : random.fraction()),
      );
    };

    /**
     * The most epsilon that any analysis, known or not, could give permute-and-flip for this rho: what the pairs below really cost. Scores
     * may be shifted together, so each pair is one of neighbours of sensitivity one.
     */
    const flipEpsilonAtMost = (rho: number) => {
      const pairs = [
        [
          [0, 0],
          [0, -2],
        ],
        [
          [0, 0, 0],
          [0, 0, -2],
        ],
        [
          [0, 0, 0],
          [0, -2, -2],
        ],
        [
          [0, -0.3],
          [0, 1.7],
        ],
        [
          [0, ...new Array<number>(7).fill(0)],
          [0, ...new Array<number>(7).fill(-2)],
        ],
      ] as const;
      const cost = (epsilon: number) =>
        Math.max(
          ...pairs.map(([before, after]) =>
            rhoOfPair(
              permuteAndFlip(before!, epsilon).map(Math.log),
              permuteAndFlip(after!, epsilon).map(Math.log),
            ),
          ),
        );
      let [low, high] = [0, 20];
      for (let i = 0; i < 40; i++) {
        const middle = (low + high) / 2;
        if (cost(middle) <= rho) low = middle;
        else high = middle;
      }
      return low;
    };

    it("adds up: the exact distributions are distributions, the best is the likeliest, and two by hand", () => {
      for (let run = 0; run < 100; run++) {
        const of = randomScores(0.1);
        const p = permuteAndFlip(of, 1);
        expect(p.reduce((a, b) => a + b)).to.be.closeTo(1, 1e-12);
        expect(p[0]).to.equal(Math.max(...p));
        // McKenna and Sheldon's theorem: at equal epsilon permute-and-flip is never worse.
        expect(flipError(of, 1)).to.be.at.most(exponentialError(of, 1) + 1e-12);
      }
      expect(permuteAndFlip([0, -2], 1)[1]).to.be.closeTo(Math.exp(-1) / 2, 1e-12);
    });

    it("costs a quarter at equal epsilon where scores are near ties", () => {
      const epsilon = 0.02;
      const [before, after] = [
        [0, 0],
        [0, -2],
      ];
      const flip = rhoOfPair(
        permuteAndFlip(before!, epsilon).map(Math.log),
        permuteAndFlip(after!, epsilon).map(Math.log),
      );
      const exponential = rhoOfPair(
        logTable(exponentialLogWeights(before!, epsilon)),
        logTable(exponentialLogWeights(after!, epsilon)),
      );
      expect(flip / (epsilon ** 2 / 2)).to.be.within(0.98, 1);
      expect(exponential / (epsilon ** 2 / 8)).to.be.within(0.98, 1);
    });

    it("errs less at equal rho by the proven bounds, on every score vector tried", () => {
      for (const rho of [1e-4, 1e-2, 0.1, 0.5, 1, 4])
        for (let run = 0; run < 500; run++) {
          const of = randomScores(rho);
          expect(exponentialError(of, Math.sqrt(8 * rho)), `${of}`).to.be.at.most(
            flipError(of, Math.sqrt(2 * rho)) * (1 + 1e-12),
          );
        }
      // Two candidates: exp(-x) / (1 + exp(-x)) <= exp(-x / 2) / 2.
      for (let x = 0; x < 50; x += 0.25)
        expect(exponentialError([0, -x], 2)).to.be.at.most(flipError([0, -x], 1) * (1 + 1e-12));
    });

    it("errs less on average whatever better bound may be found for the other, up to a rho of one", () => {
      for (const rho of [1e-4, 1e-2, 0.1, 0.5, 1]) {
        const flipEpsilon = flipEpsilonAtMost(rho);
        expect(flipEpsilon).to.be.at.least(Math.sqrt(2 * rho) * 0.99);
        let [exponential, flip] = [0, 0];
        for (let run = 0; run < 1_000; run++) {
          const of = randomScores(rho);
          exponential += exponentialError(of, Math.sqrt(8 * rho));
          flip += flipError(of, flipEpsilon);
        }
        expect(exponential, `${rho}`).to.be.lessThan(flip);
      }
    });
  });
});
