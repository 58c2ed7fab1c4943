/** Where the readers of expressions and of conditions meet. */
import { partsOf, requireParts } from "./parts.ts";
import { compilePredicate } from "./predicate.ts";
import type { Reading, Scalar } from "./reading.ts";
import { compileScalar } from "./scalar.ts";
import type { Scope } from "./scope.ts";
import type { SqlNode } from "./sql-node.ts";

export function readingOf(scope: Scope): Reading {
  // Operands that are read several times are compiled once, or nested ones would take time without end.
  const scalars = new Map<SqlNode, Scalar>();
  const reading: Reading = {
    scope,
    scalar: (node) => {
      const before = scalars.get(node);
      if (before !== undefined) return before;
      const scalar = compileScalar(node, reading);
      scalars.set(node, scalar);
      if ("expression" in scalar) requireParts(partsOf(scalar.expression), node.place);
      return scalar;
    },
    predicate: (node) => {
      const predicate = compilePredicate(node, reading);
      requireParts(partsOf(predicate), node.place);
      return predicate;
    },
  };
  return reading;
}
