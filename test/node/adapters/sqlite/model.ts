/** What the stores should do, in the plainest words: everything in maps. The random test holds SQLite to it. */
import type { StoredQuestion } from "../../../../node/data-sharing/ports.ts";
import type { BudgetLine } from "../../../../node/ledger/budget-line.ts";

export interface ModelQuestion {
  state: StoredQuestion["state"];
  dataset: string;
  querier: string;
  charged: bigint;
}

export interface ModelEntry {
  signature: string | null;
  batch: number | undefined;
}

export class Model {
  readonly questions = new Map<string, ModelQuestion>();
  readonly refusals = new Set<string>();
  /** In the order in which they were logged. */
  readonly entries = new Map<string, ModelEntry>();
  readonly batches: { lines: BudgetLine[]; anchored: boolean }[] = [];
  readonly corrections = new Map<string, bigint>();

  spent(dataset: string): bigint {
    return this.#sum((question) => question.dataset === dataset) + (this.corrections.get(dataset) ?? 0n);
  }

  spentBy(dataset: string, querier: string): bigint {
    return this.#sum((question) => question.dataset === dataset && question.querier === querier);
  }

  ceiling(dataset: string): bigint {
    const line = this.batches.findLast(({ anchored }) => anchored)?.lines.find((l) => l.dataset === dataset);
    return line === undefined ? 0n : line.spent + line.reserved;
  }

  open(): string[] {
    return [...this.entries].filter(([, { batch }]) => batch === undefined).map(([name]) => name);
  }

  isTaken(name: string): boolean {
    return this.questions.has(name) || this.refusals.has(name);
  }

  adopt(lines: BudgetLine[]): void {
    if (this.batches.at(-1)?.anchored === false) {
      const lost = this.batches.length;
      this.batches.pop();
      for (const entry of this.entries.values()) if (entry.batch === lost) entry.batch = undefined;
    }
    for (const { dataset } of this.batches.findLast(({ anchored }) => anchored)?.lines ?? [])
      this.#raise(dataset, this.ceiling(dataset));
    this.batches.push({ lines, anchored: true });
    for (const { dataset, spent, reserved } of lines) this.#raise(dataset, spent + reserved);
  }

  #raise(dataset: string, microRho: bigint): void {
    const missing = microRho - this.spent(dataset);
    if (missing > 0n) this.corrections.set(dataset, (this.corrections.get(dataset) ?? 0n) + missing);
  }

  #sum(counts: (question: ModelQuestion) => boolean): bigint {
    return [...this.questions.values()].filter(counts).reduce((sum, { charged }) => sum + charged, 0n);
  }
}
