/** Whether draws follow a probability table: Pearson's chi-squared test with its p-value (Numerical Recipes, section 6.2). */

/** Below it draws do not follow the table: one false alarm in a million tests. */
export const falseAlarmRate = 1e-6;

/** Cells with fewer expected draws go into one, as the statistic is chi-squared only where each cell expects several. */
const expectedMin = 10;

/**
 * The probability of a fit at least as bad if `draws` come from `probabilities` (outcome to probability). What the table leaves out of
 * the total of one is a cell of its own.
 */
export function fitProbability(
  draws: readonly (bigint | number)[],
  probabilities: Map<number, number>,
): number {
  const counts = new Map<number, number>();
  for (const draw of draws) counts.set(Number(draw), (counts.get(Number(draw)) ?? 0) + 1);
  let [restCount, restProbability, statistic, cells] = [draws.length, 1, 0, 0];
  const add = (count: number, expected: number) => {
    statistic += (count - expected) ** 2 / expected;
    cells++;
  };
  for (const [outcome, probability] of probabilities) {
    if (probability * draws.length < expectedMin) continue;
    const count = counts.get(outcome) ?? 0;
    add(count, probability * draws.length);
    restCount -= count;
    restProbability -= probability;
  }
  if (restProbability * draws.length > 1) add(restCount, restProbability * draws.length);
  // So few are expected beyond the cells that a Poisson count of 20 or more is an alarm by itself.
  else if (restCount > 20) return 0;
  return upperGamma((cells - 1) / 2, statistic / 2);
}

/** Probabilities in proportion to the weights of low..high. */
export function tableOf(weight: (x: number) => number, low: number, high: number): Map<number, number> {
  const table = new Map<number, number>();
  let mass = 0;
  for (let x = low; x <= high; x++) {
    table.set(x, weight(x));
    mass += weight(x);
  }
  for (const [x, w] of table) table.set(x, w / mass);
  return table;
}

/** P(X >= count) for a binomial X. */
export function binomialUpperTail(trials: number, probability: number, count: number): number {
  let tail = 0;
  for (let k = count; k <= trials; k++) {
    const term = Math.exp(
      logGamma(trials + 1) -
        logGamma(k + 1) -
        logGamma(trials - k + 1) +
        k * Math.log(probability) +
        (trials - k) * Math.log1p(-probability),
    );
    tail += term;
    if (k > trials * probability && term < tail * 1e-17) break;
  }
  return tail;
}

/** The regularised upper incomplete gamma function Q(a, x). */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let [term, sum] = [1 / a, 1 / a];
    for (let n = 1; term > sum * 1e-16; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return 1 - front * sum;
  }
  // Lentz's continued fraction.
  let b = x + 1 - a;
  let [c, d] = [1e300, 1 / b];
  let h = d;
  for (let n = 1; n < 10_000; n++) {
    const an = n * (a - n);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return front * h;
}

function logGamma(x: number): number {
  // Stirling's series, accurate to 1e-15 from 15 up; smaller arguments are shifted there.
  if (x < 15) return logGamma(x + 1) - Math.log(x);
  const y = 1 / (x * x);
  const series = (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y / 1680))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
}
