/** A repository that gave no answer, for programs. */
import type { Failure } from "../data-sharing/ask-all.ts";

export function failureDocument({ offer, code, message }: Failure) {
  const { publisher, repository, manifest } = offer;
  return { publisher, repository, dataset: manifest.name, code, message };
}
