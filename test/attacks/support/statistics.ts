/**
 * What a few thousand trials prove about a mechanism. Every bound here holds for any number of trials (exact binomial tails, no normal
 * approximation), so that a correct build fails with the stated probability at most and never by a formula.
 */
import { assert } from "../../../node/primitives/assert.ts";

/** Of one attack on a correct build. */
export const falseAlarmMax = 1e-6;

/** P(X >= hits) for X binomial. */
export function binomialUpperTail(hits: number, trials: number, p: number): number {
  if (hits <= 0) return 1;
  if (hits > trials || p <= 0) return 0;
  if (p >= 1) return 1;
  let sum = 0;
  for (let k = hits; k <= trials; k++) {
    const term = Math.exp(logChoose(trials, k) + k * Math.log(p) + (trials - k) * Math.log1p(-p));
    sum += term;
    // Past the mode terms only fall.
    if (k > trials * p && term < sum * 1e-15) break;
  }
  return Math.min(1, sum);
}

/**
 * How likely the sum of ranks is as uneven as this, either way, where the two columns come from one distribution (Mann and Whitney 1947;
 * counted out, no approximation).
 */
export function rankSumProbability(a: readonly number[], b: readonly number[]): number {
  let above = 0;
  for (const one of a) for (const other of b) above += one > other ? 1 : 0;
  const least = Math.min(above, a.length * b.length - above);
  // ways[j][u]: orders of i and j values in which u pairs have the first one above.
  let ways = Array.from({ length: b.length + 1 }, () => [1]);
  for (let i = 1; i <= a.length; i++) {
    const next: number[][] = [[1]];
    for (let j = 1; j <= b.length; j++)
      next[j] = Array.from(
        { length: i * j + 1 },
        // The largest of all is one of the first, above all j, or one of the second.
        (_, u) => (ways[j]![u - j] ?? 0) + (next[j - 1]![u] ?? 0),
      );
    ways = next;
  }
  const counts = ways[b.length]!;
  const all = counts.reduce((sum, count) => sum + count, 0);
  const tail = counts.slice(0, least + 1).reduce((sum, count) => sum + count, 0);
  return Math.min(1, (2 * tail) / all);
}

/** Each end is wrong with probability `alpha` at most (Clopper and Pearson 1934). */
export function clopperPearson(hits: number, trials: number, alpha: number): { low: number; high: number } {
  assert(hits >= 0 && hits <= trials && trials > 0, "hits are among the trials");
  const low = hits === 0 ? 0 : bisect((p) => binomialUpperTail(hits, trials, p) >= alpha);
  const high = hits === trials ? 1 : 1 - bisect((p) => binomialUpperTail(trials - hits, trials, p) >= alpha);
  return { low, high };
}

/** What an attacker counted: guesses "in" among those who are in, and among those who are not. */
export interface Guesses {
  inTrials: number;
  inHits: number;
  outTrials: number;
  outHits: number;
}

/**
 * A rho that the mechanism exceeds for certain, but for probability `falseAlarmMax`: rho-zCDP bounds every Rényi divergence of order a by
 * rho a, and of any guess made from its answers too (Bun and Steinke 2016, definition 1.1 and lemma 2.2). 0 where guesses tell nothing.
 * Guesses from `looks` different rules may be tried; one per side of the event is counted for by itself.
 */
export function empiricalRho(guesses: Guesses, looks = 1): number {
  const { inTrials, inHits, outTrials, outHits } = guesses;
  const alpha = falseAlarmMax / (4 * looks);
  const inside = clopperPearson(inHits, inTrials, alpha);
  const outside = clopperPearson(outHits, outTrials, alpha);
  if (inside.low > outside.high) return rhoBetween(inside.low, outside.high);
  if (outside.low > inside.high) return rhoBetween(outside.low, inside.high);
  return 0;
}

/** The least rho under which one event has probability `p` on one side and `q` < p on the other. */
function rhoBetween(p: number, q: number): number {
  let most = 0;
  for (let order = 1.02; order < 200; order *= 1.05) {
    const divergences = [renyi(p, q, order), renyi(q, p, order)];
    for (const divergence of divergences) most = Math.max(most, divergence / order);
  }
  return most;
}

/** Of two coins, p against q (Rényi 1961). */
function renyi(p: number, q: number, order: number): number {
  const part = (a: number, b: number) =>
    a <= 0 ? Number.NEGATIVE_INFINITY : order * Math.log(a) + (1 - order) * Math.log(b);
  const [one, other] = [part(p, q), part(1 - p, 1 - q)];
  const larger = Math.max(one, other);
  return (larger + Math.log(Math.exp(one - larger) + Math.exp(other - larger))) / (order - 1);
}

/** Epsilon at `delta` of rho-zCDP (Bun and Steinke 2016, proposition 1.3). */
export function epsilonOfRho(rho: number, delta: number): number {
  return rho + 2 * Math.sqrt(rho * Math.log(1 / delta));
}

/**
 * How many of `bits` secret bits, each fair and each of another person, can be guessed right from an answer that is rho-zCDP, but for
 * probability `falseAlarmMax`: no more than of coins that fall right with probability e^epsilon / (1 + e^epsilon), up to a delta a bit
 * (Steinke, Nasr and Jagielski 2023, theorem 1.1 and its approximate form).
 */
export function rightGuessesMax(bits: number, rho: number): number {
  const delta = falseAlarmMax / (4 * bits);
  const odds = Math.exp(epsilonOfRho(rho, delta));
  for (let right = Math.ceil(bits / 2); right <= bits; right++)
    if (binomialUpperTail(right, bits, odds / (1 + odds)) < falseAlarmMax / 2) return right - 1;
  return bits;
}

/** Correlation of two columns of numbers. */
export function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! - ma, b[i]! - mb];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}

/** The largest p in [0, 1] up to which `isBelow` does not hold yet; it is false and then true. */
function bisect(isReached: (p: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (isReached(middle)) high = middle;
    else low = middle;
  }
  return low;
}

const logFactorials = [0, 0];

function logChoose(n: number, k: number): number {
  for (let i = logFactorials.length; i <= n; i++) logFactorials.push(logFactorials[i - 1]! + Math.log(i));
  return logFactorials[n]! - logFactorials[k]! - logFactorials[n - k]!;
}
