/** How far noise moves an answer: real releases of it, as a repository makes them but for seeded randomness, against what it is without. */
import type { Plan } from "../../node/data-sharing/plan/plan.ts";
import type { ExactAnswer, Randomness } from "../../node/data-sharing/ports.ts";
import { declaredLabels } from "../../node/data-sharing/release/labels.ts";
import { presentAnswer } from "../../node/data-sharing/release/present.ts";
import { releaseAnswer } from "../../node/data-sharing/release/release.ts";

/** A group and, by the shown columns that are no keys, its numbers without noise; null for those that need not be looked at. */
export interface TrueGroup {
  labels: string[];
  values: (number | null)[];
}

export interface NoiseErrors {
  /** By group and column, in percent of the number: within it lie 95% of the releases that show the group; infinite where less than half do. */
  percents: (number | null)[][];
  /** Of the groups, over all releases, those that are not shown. */
  lostPercent: number;
}

export function noiseErrors(
  exact: ExactAnswer,
  asked: Plan,
  groups: TrueGroup[],
  releases: number,
  randomness: Randomness,
): NoiseErrors {
  // Of all groups and in their own order, whatever HAVING and LIMIT would leave of them.
  const plan: Plan = { ...asked, post: { having: null, order: [], limit: null } };
  const errors = groups.map(({ values }) => values.map((): number[] => []));
  let shown = 0;
  for (let release = 0; release < releases; release++) {
    const numbers = releasedNumbers(exact, plan, randomness);
    for (const [place, { labels, values }] of groups.entries()) {
      const own = numbers.get(JSON.stringify(labels));
      if (own === undefined) continue;
      shown++;
      for (const [column, value] of values.entries())
        if (value !== null && own[column] !== null)
          errors[place]![column]!.push((100 * Math.abs(own[column]! - value)) / Math.abs(value));
    }
  }
  return {
    percents: groups.map(({ values }, place) =>
      values.map((value, column) => (value === null ? null : within95(errors[place]![column]!, releases))),
    ),
    lostPercent: 100 * (1 - shown / (releases * groups.length)),
  };
}

/** By the labels of each group that is shown. */
function releasedNumbers(
  exact: ExactAnswer,
  plan: Plan,
  randomness: Randomness,
): Map<string, (number | null)[]> {
  const released = releaseAnswer(exact, plan, randomness);
  const { columns, rows } = presentAnswer(plan, released);
  const numbers = new Map<string, (number | null)[]>();
  for (const [place, { values, suppressed }] of rows.entries()) {
    if (suppressed) continue;
    const labels = released.groups?.[place] ?? declaredLabels(plan, place);
    numbers.set(
      JSON.stringify(labels),
      values
        .filter((_, column) => columns[column]!.kind !== "key")
        .map((value) => (value === null ? null : Number(value))),
    );
  }
  return numbers;
}

function within95(errors: number[], releases: number): number {
  if (errors.length < releases / 2) return Number.POSITIVE_INFINITY;
  return errors.toSorted((a, b) => a - b)[Math.ceil(0.95 * errors.length) - 1]!;
}
