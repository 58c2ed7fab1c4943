/** Choices by a seed, so that a failing question can be asked again. */
import { generator } from "../conditions.ts";

export class Draw {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = generator(seed);
  }

  chance(odds: number): boolean {
    return this.#next() < odds;
  }

  /** From 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.#next() * count);
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => [this.#next(), item] as const)
      .sort(([a], [b]) => a - b)
      .map(([, item]) => item);
  }
}
