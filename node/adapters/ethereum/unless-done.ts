/** Repeating a step that was done is no failure. */
import { contractErrorOf } from "./contracts.ts";

/** Runs `step`; if the contract refuses with one of `errors` and `isDone` agrees, the step was done before. */
export async function unlessDone(
  errors: readonly string[],
  step: () => Promise<unknown>,
  isDone: () => boolean | Promise<boolean> = () => true,
): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!errors.includes(contractErrorOf(error) ?? "") || !(await isDone())) throw error;
  }
}
