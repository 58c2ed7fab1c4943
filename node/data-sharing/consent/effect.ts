/**
 * What a statement means for one purpose; the newest one that means anything for it counts. Consent to a purpose is consent to all narrower
 * ones. A withdrawal takes back the purpose, all narrower ones, and all broader ones too, as those would include what was taken back.
 */
import type { ConsentStatement } from "./ports.ts";
import { purposeCovers } from "./purposes.ts";

/** Undefined where the statement says nothing about the purpose. */
export function effectOn(
  asked: string,
  { state, purposes }: Pick<ConsentStatement, "state" | "purposes">,
): ConsentStatement["state"] | undefined {
  const isMeant =
    state === "given"
      ? purposes.some((purpose) => purposeCovers(purpose, asked))
      : purposes.length === 0 ||
        purposes.some((purpose) => purposeCovers(purpose, asked) || purposeCovers(asked, purpose));
  return isMeant ? state : undefined;
}
