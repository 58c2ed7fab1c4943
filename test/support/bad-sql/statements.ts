/**
 * Statements that nobody should be able to ask: outside of the subset, or hostile. Whatever the subset grows to, none of them becomes part of
 * it. Those that come first in a group show best what it is there for.
 */

import { numbersBeyond, textsThatEnd } from "./other-constants.ts";
import { otherNames, otherSources } from "./other-names.ts";
import { otherClauses, otherEngines, otherExpressions, otherFunctions } from "./other-sql.ts";
import { hiddenStatements, otherStatements } from "./other-statements.ts";
import type { BadStatement } from "./statement.ts";
import { growing, manyParts, nestedDeeply, tooLong } from "./too-much.ts";

export const badStatements: Readonly<Record<string, readonly BadStatement[]>> = {
  "another statement": otherStatements,
  "a second statement, hidden": hiddenStatements,
  "a source that is none": otherSources,
  "a name that is none, or looks like another": otherNames,
  "a clause outside of the subset": otherClauses,
  "an expression outside of the subset": otherExpressions,
  "a function with a life of its own": otherFunctions,
  "SQL of another engine": otherEngines,
  "a text that could end or open one": textsThatEnd,
  "a number that nothing holds": numbersBeyond,
  "nesting without end": nestedDeeply,
  "more parts than anyone reads": manyParts,
  "a short text that stands for much": growing,
  "more than a manifest holds": tooLong,
};
