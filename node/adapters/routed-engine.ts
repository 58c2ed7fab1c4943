/** Puts each question to the engine that has its dataset. */
import type { Plan } from "../data-sharing/plan/plan.ts";
import type { EngineLimits, ExactAnswer, PeopleFilter, PlanEngine } from "../data-sharing/ports.ts";

export class RoutedEngine implements PlanEngine {
  readonly #engineOf: (dataset: string) => PlanEngine;

  constructor(engineOf: (dataset: string) => PlanEngine) {
    this.#engineOf = engineOf;
  }

  async requireAvailable(dataset: string, plan: Plan): Promise<void> {
    await this.#engineOf(dataset).requireAvailable(dataset, plan);
  }

  async execute(
    dataset: string,
    plan: Plan,
    limits: EngineLimits,
    people?: PeopleFilter,
  ): Promise<ExactAnswer> {
    return await this.#engineOf(dataset).execute(dataset, plan, limits, people);
  }
}
