/** Answers of several repositories in one table: put together where that is possible, else each in rows of its own. */
import { type AnswerOfPlan, combineAnswers, quantileIn, requireAlike } from "./combine.ts";
import { compareDecimals } from "./labels.ts";
import { presentAnswer } from "./present.ts";
import type { PresentedAnswer, PresentedColumn } from "./presented-answer.ts";

export interface AnswerOfRepository extends AnswerOfPlan {
  publisher: string;
}

/**
 * A median of all people does not follow from the medians of parts: then each repository's rows come by themselves, its name first.
 * @throws TrustedDataError `answers_not_combinable` for other reasons, `answer_invalid`.
 */
export function presentTogether(answers: readonly AnswerOfRepository[]): PresentedAnswer {
  const plans = answers.map(({ plan }) => plan);
  if (answers.length < 2 || quantileIn(plans) === undefined) return combineAnswers(answers);
  requireAlike(plans);
  const presented = answers.map(({ plan, released }) => presentAnswer(plan, released));
  const columns = presented[0]!.columns.map((column, index): PresentedColumn => {
    const all = presented.map((each) => each.columns[index]!);
    return { ...column, spacing: widest(all), rankMargin: farthest(all) };
  });
  const taken = new Set(columns.map(({ name }) => name));
  const name = taken.has("repository") ? "answering_repository" : "repository";
  const first: PresentedColumn = {
    name,
    kind: "key",
    type: "text",
    scale: 0,
    spacing: null,
    rankMargin: null,
  };
  return {
    columns: [first, ...columns],
    rows: presented.flatMap(({ rows }, index) =>
      rows.map((row) => ({
        ...row,
        values: [answers[index]!.publisher, ...row.values],
        margins: [null, ...row.margins],
      })),
    ),
  };
}

/** What is said of a column of candidates holds for all repositories. */
function widest(columns: PresentedColumn[]): string | null {
  const known = columns.flatMap(({ spacing }) => spacing ?? []);
  return known.toSorted(compareDecimals).at(-1) ?? null;
}

function farthest(columns: PresentedColumn[]): number | null {
  const known = columns.flatMap(({ rankMargin }) => rankMargin ?? []);
  return known.length === 0 ? null : Math.max(...known);
}
