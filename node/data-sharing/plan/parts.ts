/**
 * How large an expression grows. ABS, LEAST, `%` and the like say an operand more than once, so that a short text can stand for a plan
 * without end.
 */
import type { Expression, Predicate } from "./plan.ts";
import { type Place, refuse } from "./sql-node.ts";

/** Of one expression or condition of a plan: enough for three hundred comparisons. */
const partsMax = 1_000;
/** Of all expressions and conditions of one SELECT, those inside of others counted too: the time that compiling takes goes with them. */
const partsInAllMax = 20_000;
/** Parts that are shared are counted once and added as often as they stand there. */
const known = new WeakMap<Expression | Predicate, number>();

export function partsOf(part: Expression | Predicate): number {
  const before = known.get(part);
  if (before !== undefined) return before;
  const count = 1 + innerOf(part).reduce((sum, inner) => sum + partsOf(inner), 0);
  known.set(part, count);
  return count;
}

/** To be asked before anything walks through it. */
export function requireParts(parts: number, place: Place): void {
  if (parts > partsMax)
    refuse(place, `it comes to more than ${partsMax} parts, as some of it is needed several times`);
}

/** Counts what one SELECT comes to while it is compiled, and refuses the first that is too much. */
export function partsAllowance(): (parts: number, place: Place) => void {
  let left = partsInAllMax;
  return (parts, place) => {
    left -= parts;
    if (left < 0) refuse(place, `all of it comes to more than ${partsInAllMax} parts`);
  };
}

function innerOf(part: Expression | Predicate): (Expression | Predicate)[] {
  switch (part.kind) {
    case "add":
    case "multiply":
    case "and":
    case "or":
      return part.operands;
    case "subtract":
    case "compare":
      return [part.left, part.right];
    case "divide":
      return [part.left];
    case "date-part":
      return [part.of];
    case "in":
      return [part.expression];
    case "not":
      return [part.operand];
    case "case":
      return [...part.branches.flatMap(({ when, value }) => [when, value]), part.otherwise];
    default:
      return [];
  }
}
