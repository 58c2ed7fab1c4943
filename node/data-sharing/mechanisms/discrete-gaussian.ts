/**
 * Exact discrete Gaussian noise (Canonne, Kamath, Steinke 2020, algorithm 3): P(x) proportional to exp(-x^2 / (2 variance)).
 *
 * Added to integers of L2 sensitivity d it satisfies rho-zCDP with rho = d^2 / (2 variance) (theorem 4 there). Time and random bytes
 * depend on the noise.
 */
import { assert } from "../../primitives/assert.ts";
import type { Randomness } from "../ports.ts";
import { drawLaplace, drawSmallLaplace, smallScaleMax } from "./discrete-laplace.ts";
import { type RandomReader, withReader } from "./random-reader.ts";
import { type Rational, rational } from "./rational.ts";
import { smallBernoulliExp, smallDenominatorMax } from "./small-uniform.ts";
import { bernoulliExp } from "./uniform.ts";

/** Distances up to here have squares below 2^53. */
const smallDistanceMax = 2n ** 26n;

/** One draw; `variance` > 0 in squared units of the integer that is released (the parameter, within rounding also the variance). */
export function sampleDiscreteGaussian(variance: Rational, randomness: Randomness): bigint {
  return sampleDiscreteGaussians(variance, 1, randomness)[0]!;
}

/** `count` independent draws: several times as fast as one by one. */
export function sampleDiscreteGaussians(variance: Rational, count: number, randomness: Randomness): bigint[] {
  const draw = gaussianSampler(variance);
  return withReader(randomness, (reader) => {
    const noise = new Array<bigint>(count);
    for (let i = 0; i < count; i++) noise[i] = BigInt(draw(reader));
    return noise;
  });
}

/** Draws over integers of any size. */
export function drawGaussian(variance: Rational, reader: RandomReader): bigint {
  const { scale, accepts } = acceptance(variance);
  for (;;) {
    const candidate = drawLaplace(rational(scale), reader);
    if (accepts(candidate, reader)) return candidate;
  }
}

/** The same draws from the same bytes, in plain numbers wherever these are exact. */
export function gaussianSampler(variance: Rational): (reader: RandomReader) => number | bigint {
  const { scale, accepts, smallMagnitudeMax, n, step, denominator } = acceptance(variance);
  if (scale > smallScaleMax) return (reader) => drawGaussian(variance, reader);
  const t = Number(scale);
  const [smallN, smallStep, smallDenominator] = [Number(n), Number(step), Number(denominator)];
  return (reader) => {
    for (;;) {
      const candidate = drawSmallLaplace(t, 1, reader);
      const magnitude = Math.abs(Number(candidate));
      if (magnitude <= smallMagnitudeMax) {
        const distance = magnitude * smallStep - smallN;
        if (smallBernoulliExp(distance * distance, smallDenominator, reader)) return candidate;
      } else if (accepts(BigInt(candidate), reader)) return candidate;
    }
  };
}

/**
 * Candidates are Laplace noise of scale t = floor(sigma) + 1; y is kept with probability exp(-(|y| - variance / t)^2 / (2 variance)). With
 * variance = n / d that is exp(-(|y| step - n)^2 / denominator) for step = t d and denominator = 2 n d t^2. Up to `smallMagnitudeMax` (-1:
 * nowhere) the same can be computed in numbers.
 */
function acceptance(variance: Rational) {
  const { numerator: n, denominator: d } = lowestTerms(variance);
  assert(n > 0n, "the variance is positive");
  const scale = integerSquareRoot(n / d) + 1n;
  const step = scale * d;
  const denominator = 2n * n * d * scale * scale;
  const accepts = (candidate: bigint, reader: RandomReader) => {
    const distance = (candidate < 0n ? -candidate : candidate) * step - n;
    return bernoulliExp({ numerator: distance * distance, denominator }, reader);
  };
  const small = denominator <= smallDenominatorMax && n <= smallDistanceMax;
  const smallMagnitudeMax = small ? Number((smallDistanceMax + n) / step) : -1;
  return { scale, step, n, denominator, accepts, smallMagnitudeMax };
}

function lowestTerms({ numerator, denominator }: Rational): Rational {
  let [a, b] = [numerator, denominator];
  while (b > 0n) [a, b] = [b, a % b];
  return a === 0n ? { numerator, denominator } : rational(numerator / a, denominator / a);
}

/** The largest integer whose square is at most `value` (Newton's method). */
export function integerSquareRoot(value: bigint): bigint {
  assert(value >= 0n, "the value is not negative");
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}

/** The least variance for L2 sensitivity `sensitivity` at `rho` (zCDP): sensitivity^2 / (2 rho). */
export function gaussianVariance(sensitivity: bigint, rho: Rational): Rational {
  assert(sensitivity > 0n && rho.numerator > 0n, "sensitivity and rho are positive");
  return rational(sensitivity * sensitivity * rho.denominator, 2n * rho.numerator);
}
