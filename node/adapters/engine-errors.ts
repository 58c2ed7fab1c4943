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
