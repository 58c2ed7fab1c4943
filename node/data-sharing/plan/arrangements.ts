/**
 * The orders of sources that nothing tells apart, such as a table joined with itself: which of them is first is a matter of writing, so all
 * orders are compiled and one is taken.
 */
import { canonicalJson } from "../../primitives/canonical-json.ts";

/** More would take too long; then the order stays as it is written. */
const arrangementsMax = 24;

/** In how many orders items, sorted by `names`, stand where equal names may change places; 1 where that is too many. */
export function arrangementsOf(names: readonly string[]): number {
  const count = runsOf(names).reduce((product, run) => product * factorial(run), 1);
  return count <= arrangementsMax ? count : 1;
}

/** The order number `arrangement`, from 0, of items with these names. */
export function arranged<T>(items: readonly T[], names: readonly string[], arrangement: number): T[] {
  let [rest, start] = [arrangement, 0];
  return runsOf(names).flatMap((run) => {
    const own = items.slice(start, start + run);
    start += run;
    return Array.from({ length: run }, (_, at) => {
      const left = run - at;
      const [taken] = own.splice(rest % left, 1);
      rest = Math.floor(rest / left);
      return taken!;
    });
  });
}

/** What `compile` makes of one arrangement after the other, the least of them by the JSON of `part`. */
export function leastOf<T extends { arrangements: number }>(
  compile: (arrangement: number) => T,
  part: (compiled: T) => unknown,
): T {
  const first = compile(0);
  if (first.arrangements === 1) return first;
  let least = { compiled: first, text: canonicalJson(part(first)) };
  for (let arrangement = 1; arrangement < first.arrangements; arrangement++) {
    const compiled = compile(arrangement);
    const text = canonicalJson(part(compiled));
    if (text < least.text) least = { compiled, text };
  }
  return least.compiled;
}

/** Lengths of the runs of equal names. */
function runsOf(names: readonly string[]): number[] {
  const runs: number[] = [];
  for (const [at, name] of names.entries()) {
    if (at > 0 && name === names[at - 1]) runs[runs.length - 1]!++;
    else runs.push(1);
  }
  return runs;
}

function factorial(count: number): number {
  return count <= 1 ? 1 : count * factorial(count - 1);
}
