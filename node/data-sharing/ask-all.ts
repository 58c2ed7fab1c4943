/** One question to every repository that has matching data (step 1 to 7), side by side; who is down or refuses is named, the others answer. */
import { TrustedDataError } from "../errors.ts";
import type { DatasetOffer } from "./discover.ts";
import { compilePlan } from "./plan/compile-plan.ts";
import { loadSqlParser } from "./plan/parse-sql.ts";
import type { Ended, Querier, Question, Stage } from "./querier.ts";
import { requireAlike } from "./release/combine.ts";

export interface Failure {
  offer: DatasetOffer;
  code: string;
  message: string;
  /** The logged refusal, which has a receipt too; undefined if nothing was logged. */
  ended: Ended | undefined;
}

export interface AskedAll {
  answered: Ended[];
  failures: Failure[];
}

/**
 * @throws TrustedDataError `answers_not_combinable` where the answers could not be put together; then nobody is asked, and nothing is
 * charged.
 */
export async function askAll(
  querier: Querier,
  question: Question,
  offers: readonly DatasetOffer[],
  onStage: (offer: DatasetOffer, stage: Stage | "failed") => void = () => undefined,
): Promise<AskedAll> {
  await requireAnswersAlike(question, offers);
  const asked: AskedAll = { answered: [], failures: [] };
  const outcomes = await Promise.all(
    offers.map(async (offer): Promise<Ended | Failure> => {
      try {
        return await querier.ask(question, offer, (stage) => onStage(offer, stage));
      } catch (error) {
        if (!(error instanceof TrustedDataError)) throw error;
        onStage(offer, "failed");
        return { offer, code: error.code, message: error.message, ended: undefined };
      }
    }),
  );
  for (const outcome of outcomes) {
    if ("code" in outcome) asked.failures.push(outcome);
    else if (outcome.answer !== null) asked.answered.push(outcome);
    else asked.failures.push(refusalOf(outcome));
  }
  return asked;
}

/** A dataset that the question does not fit says so when it is asked. */
async function requireAnswersAlike(question: Question, offers: readonly DatasetOffer[]): Promise<void> {
  if (offers.length < 2) return;
  await loadSqlParser();
  const plans = offers.flatMap(({ manifest }) => {
    try {
      return [compilePlan(question.algorithm, question.parameters, manifest)];
    } catch (error) {
      if (error instanceof TrustedDataError) return [];
      throw error;
    }
  });
  if (plans.length > 1) requireAlike(plans);
}

function refusalOf(ended: Ended): Failure {
  const { offer, transcript, reason } = ended;
  return {
    offer,
    code: transcript.refusal ?? "refused",
    message: reason ?? "The repository refused.",
    ended,
  };
}
