/** Where the readers of expressions and of conditions meet. */
import { partsAllowance, partsOf, requireParts } from "./parts.ts";
import { compilePredicate } from "./predicate.ts";
import type { Reading, Scalar } from "./reading.ts";
import { compileScalar } from "./scalar.ts";
import type { Scope } from "./scope.ts";
import type { SqlNode } from "./sql-node.ts";

export function readingOf(scope: Scope): Reading {
  // Operands that are read several times are compiled once, or nested ones would take time without end.
  const scalars = new Map<SqlNode, Scalar>();
  const spend = partsAllowance();
  const reading: Reading = {
    scope,
    spend,
    scalar: (node) => {
      const before = scalars.get(node);
      if (before !== undefined) return before;
      const scalar = compileScalar(node, reading);
      scalars.set(node, scalar);
      if ("expression" in scalar) {
        const parts = partsOf(scalar.expression);
        requireParts(parts, node.place);
        spend(parts, node.place);
      }
      return scalar;
    },
    predicate: (node) => {
      const predicate = compilePredicate(node, reading);
      const parts = partsOf(predicate);
      requireParts(parts, node.place);
      spend(parts, node.place);
      return predicate;
    },
  };
  return reading;
}
