/** What a plan is compiled to: a statement, and what makes the answer of its rows. */
import type { DuckDBDataChunk } from "@duckdb/node-api";

/** Numbers of people, both inside. */
export interface PersonRange {
  first: number;
  last: number;
}

export interface CompiledPlan {
  /** The statement, over people of these numbers. */
  sql(people: PersonRange): string;
  /** Whether it is to be run for some people after the other, as it finds every row; else once for all of them. */
  inPieces: boolean;
  /** For one run of the plan. `seed` is the secret of the data by which groups of a person are chosen. */
  reader(seed: bigint): AnswerReader;
}

/** Takes the chunks of the statement's answers in their order. */
export interface AnswerReader {
  /** @throws TrustedDataError `engine_limit` */
  take(chunk: DuckDBDataChunk): void;
  answer(): ExactVectors;
}

/** An exact answer whose groups are still the values of their keys. */
export interface ExactVectors {
  groups: readonly bigint[][] | null;
  vectors: bigint[][];
}
