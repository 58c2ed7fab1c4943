/**
 * Upper tails of the discrete Gaussian, P(N >= m) for P(x) proportional to exp(-x^2 / (2 variance)), bounded from above in integers, so that the
 * bound is one and the same on every machine.
 */
import { assert } from "../../primitives/assert.ts";
import { integerSquareRoot } from "./discrete-gaussian.ts";
import {
  type Enclosure,
  enclosure,
  expMinus,
  fractionBits,
  one,
  over,
  plus,
  squareRoot,
  times,
  whole,
} from "./enclosure.ts";
import { type Rational, rational } from "./rational.ts";

/** Up to this variance the tail is the exact sum, above it the integral's bound. */
const summedVarianceMax = 4_096n;

/** Probabilities that are asked for lie between these; in between all bounds below are good to far more than one step of m. */
const probabilityMax = rational(1n, 1_000n);
const probabilityMin = rational(1n, 1n << 150n);

/** Weights below 2^-200 are summed as a geometric series. */
const weightMin = one >> 200n;

/** Levels of the continued fraction: at z = 3 its error is below 2^-150. */
const fractionLevels = 150n;

const hundredDigits = 10n ** 99n;
const pi =
  3141592653589793238462643383279502884197169399375105820974944592307816406286208998628034825342117067n;
const twoPi: Enclosure = {
  low: enclosure(rational(2n * pi, hundredDigits)).low,
  high: enclosure(rational(2n * (pi + 1n), hundredDigits)).high,
};

/**
 * The least m with P(N >= m) <= `probability` (2^-150 to 1/1000), from the exact sum for variances up to 4,096. Above, from a bound that is so
 * tight that m could be one too high for one parameter in 100,000 at a standard deviation of 64, and fewer by its third power; never too low.
 */
export function leastWithTail(variance: Rational, probability: Rational): bigint {
  assert(variance.numerator > 0n, "the variance is positive");
  assert(
    !exceeds(probability, probabilityMax) && !exceeds(probabilityMin, probability),
    "the probability is between 2^-150 and 1/1000",
  );
  return variance.numerator <= summedVarianceMax * variance.denominator
    ? leastBySum(variance, probability)
    : leastByIntegral(variance, probability);
}

function exceeds(a: Rational, b: Rational): boolean {
  return a.numerator * b.denominator > b.numerator * a.denominator;
}

function leastBySum(variance: Rational, { numerator, denominator }: Rational): bigint {
  const { weights, beyond } = weightsOf(variance);
  const low = weights.reduce((sum, weight) => sum + weight.low, 0n);
  // All weights together: those of the negative integers are the same, 0 is there once.
  const total = 2n * low - weights[0]!.low;
  let tail = beyond;
  let m = weights.length;
  while ((tail + weights[m - 1]!.high) * denominator <= numerator * total) tail += weights[--m]!.high;
  return BigInt(m);
}

/** exp(-x^2 / (2 variance)) for x = 0, 1, ... as long as they count, and what is beyond, at most. */
function weightsOf({ numerator: n, denominator: d }: Rational): { weights: Enclosure[]; beyond: bigint } {
  const q = expMinus(rational(d, 2n * n));
  const square = times(q, q);
  const weights: Enclosure[] = [];
  // The ratio of a weight to the one before falls from step to step.
  let [weight, ratio] = [whole(1n), q];
  while (weight.high > weightMin) {
    weights.push(weight);
    weight = times(weight, ratio);
    ratio = times(ratio, square);
  }
  return { weights, beyond: (weight.high << fractionBits) / (one - ratio.high) + 1n };
}

/** Searches outward from an estimate, which decides only how soon the same m is found. */
function leastByIntegral(variance: Rational, { numerator, denominator }: Rational): bigint {
  const suffices = (m: bigint) => tailAtMost(variance, m) * denominator <= numerator << fractionBits;
  const guess = estimate(variance, Number(numerator) / Number(denominator));
  let step = 1n;
  let [low, high] = [guess, guess];
  while (!suffices(high)) {
    low = high;
    high += step;
    step *= 2n;
  }
  if (low === high) {
    low -= step;
    while (suffices(low)) {
      high = low;
      step *= 2n;
      low -= step;
    }
  }
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (suffices(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * P(N >= m), at most, in parts of 2^320, for m well above the standard deviation s (z below is at least 2.4, else 1).
 *
 * Let f(x) = exp(-x^2 / (2 s^2)). Where f'''' > 0, that is beyond 2.34 s, Taylor's formula over the unit interval around x gives f(x) <= (integral
 * of f over it) - f''(x) / 24; and as f'' is convex there, the sum of f'' over x >= m is at least its integral from m plus f''(m) / 2, or
 * -f'(m) + f''(m) / 2. The sum of all f is at least s sqrt(2 pi) (Poisson's summation). With z = (m - 1/2) / s and Q the normal upper tail,
 *   P(N >= m) <= Q(z) - f(m) (m / s^2 + (m^2 / s^2 - 1) / (2 s^2)) / (24 s sqrt(2 pi)).
 */
function tailAtMost({ numerator: n, denominator: d }: Rational, m: bigint): bigint {
  const zSquared = rational((2n * m - 1n) ** 2n * d, 4n * n);
  if (m <= 0n || 100n * zSquared.numerator < 576n * zSquared.denominator) return one;
  const weight = expMinus(rational(m * m * d, 2n * n));
  const slope = enclosure(rational(2n * m * n * d + m * m * d * d - n * d, 2n * n * n));
  const norm = squareRoot(times(twoPi, enclosure(rational(576n * n, d))));
  return normalTail(zSquared).high - over(times(weight, slope), norm).low;
}

/**
 * Q(z) = exp(-z^2 / 2) / (z sqrt(2 pi)) / v_0 with Laplace's continued fraction v_k = 1 + (k + 1) / z^2 / v_(k+1). All v are at least 1, so the
 * last level lies between 1 and 1 + (its own numerator).
 */
function normalTail(zSquared: Rational): Enclosure {
  const w = enclosure(rational(zSquared.denominator, zSquared.numerator));
  const term = (k: bigint): Enclosure => ({ low: k * w.low, high: k * w.high });
  let v: Enclosure = { low: one, high: one + term(fractionLevels + 1n).high };
  for (let k = fractionLevels; k > 0n; k--) v = plus(whole(1n), over(term(k), v));
  const half = rational(zSquared.numerator, 2n * zSquared.denominator);
  return over(over(expMinus(half), squareRoot(times(twoPi, enclosure(zSquared)))), v);
}

function estimate({ numerator, denominator }: Rational, probability: number): bigint {
  let z = 5;
  for (let i = 0; i < 30; i++)
    z = Math.sqrt(2 * (-Math.log(probability) - Math.log(z * Math.sqrt(2 * Math.PI)) - 1 / z ** 2));
  const scale = 2n ** 40n;
  const sigma = integerSquareRoot((numerator << 80n) / denominator);
  return (sigma * BigInt(Math.round(z * 2 ** 40))) / (scale * scale);
}
