/** The name of a plan: what both parties log, and what an answer says it answers. */
import { canonicalHash } from "../../primitives/canonical-json.ts";
import type { Hex } from "../../primitives/hex.ts";
import type { Plan } from "./plan.ts";

/** SHA-256 over the canonical JSON of the plan. */
export function planHash(plan: Plan): Hex {
  return canonicalHash(plan);
}
