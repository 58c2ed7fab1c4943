/** The other way round from `epsilonOf`: what may be charged where people have named an epsilon. */
import { assert } from "../../primitives/assert.ts";
import { epsilonOf, type MicroRho } from "./zcdp.ts";

/**
 * The largest charge whose reported epsilon at `delta` does not exceed `epsilon`: one micro-rho more would, and zero where already one does.
 * By bisection, as `epsilonOf` grows with rho.
 */
export function microRhoWithin(epsilon: number, delta: number): MicroRho {
  assert(epsilon >= 0 && Number.isFinite(epsilon), "epsilon is a number of at least zero");
  const exceeds = (microRho: MicroRho) => epsilonOf(microRho, delta) > epsilon;
  let above = 1n;
  while (!exceeds(above)) above *= 2n;
  let within = above / 2n;
  while (above - within > 1n) {
    const middle = (within + above) / 2n;
    if (exceeds(middle)) above = middle;
    else within = middle;
  }
  return within;
}
