/** Where the readers of expressions and of conditions meet. */

import { compilePredicate } from "./predicate.ts";
import type { Reading } from "./reading.ts";
import { compileScalar } from "./scalar.ts";
import type { Scope } from "./scope.ts";

export function readingOf(scope: Scope): Reading {
  const reading: Reading = {
    scope,
    scalar: (node) => compileScalar(node, reading),
    predicate: (node) => compilePredicate(node, reading),
  };
  return reading;
}
