/** Exact distributions of two ways to select a candidate, at `epsilon` for scores of sensitivity one. */

/** P(i) proportional to exp(epsilon score / 2), as logarithms that are not normalised. */
export function exponentialLogWeights(scores: readonly number[], epsilon: number): number[] {
  return scores.map((score) => (epsilon * score) / 2);
}

/**
 * Permute-and-flip (McKenna and Sheldon 2020): candidates in random order, each kept with probability p_i = exp(epsilon (score - best) / 2), the
 * first kept one wins. P(i) = p_i times the mean, over the set S of those before i, of the product of (1 - p_j).
 */
export function permuteAndFlip(scores: readonly number[], epsilon: number): number[] {
  const best = Math.max(...scores);
  const keep = scores.map((score) => Math.exp((epsilon * (score - best)) / 2));
  return keep.map((kept, i) => {
    // sums[s]: elementary symmetric polynomial of degree s over the others' chances to be passed over.
    let sums = [1];
    for (const [j, other] of keep.entries()) {
      if (j === i) continue;
      sums = [...sums, 0].map((sum, degree) => sum + (degree > 0 ? sums[degree - 1]! * (1 - other) : 0));
    }
    // 1 / (n C(n - 1, s)): the chance that exactly a given set of s others comes before i.
    const n = keep.length;
    let chance = 1 / n;
    return (
      kept *
      sums.reduce((mean, sum, s) => {
        const share = sum * chance;
        chance *= (s + 1) / (n - 1 - s);
        return mean + share;
      }, 0)
    );
  });
}
