/** What every engine says when it cannot: the same codes and sentences, and no engine's own text, which could carry values. */
import { TrustedDataError } from "../errors.ts";

/** Before the charge. */
export function unavailableError(dataset: string): TrustedDataError {
  return new TrustedDataError(
    "dataset_unavailable",
    "The dataset cannot be asked now, and nothing was charged; tell its custodian, or ask a new question later.",
    { dataset },
  );
}

/** Also where open groups or waiting questions are too many. */
export function limitError(): TrustedDataError {
  return new TrustedDataError("engine_limit", "The plan reached a limit of the engine.");
}

export function failedError(): TrustedDataError {
  return new TrustedDataError("engine_failed", "The engine could not run the plan.");
}

export function noDataError(dataset: string): TrustedDataError {
  return new TrustedDataError("engine_failed", `There is no data for the dataset ${dataset} here.`, {
    dataset,
  });
}

/** For the custodian's own commands. */
export function unknownDataset(dataset: string): TrustedDataError {
  return new TrustedDataError(
    "dataset_unknown",
    `There is no dataset ${dataset} here that asks for consent.`,
    {
      dataset,
    },
  );
}
