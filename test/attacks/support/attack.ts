/** What an attack is: a question put to a running daemon from outside, and a figure that a correct build cannot exceed. */
import type { Target } from "./target.ts";

/** `fast` fits `npm test`; `full` has more trials, and so more power. */
export type Size = "fast" | "full";

export interface Finding {
  /** What was measured. */
  figure: number;
  /** What a correct build stays within. */
  bound: number;
  unit: string;
  pass: boolean;
  /** One line for people: numbers behind the figure. */
  detail: string;
}

export interface Attack {
  name: string;
  /** What the attacker tries. */
  what: string;
  /** Why the figure is bounded, and how likely a false alarm is. */
  bound: string;
  /** It waits more than it works, and so is started before the others. */
  isPatient?: boolean;
  run(target: Target, size: Size): Promise<Finding>;
}

/** Of a figure that must not exceed its bound. */
export function atMost(figure: number, bound: number, unit: string, detail: string): Finding {
  return { figure, bound, unit, pass: figure <= bound, detail };
}
