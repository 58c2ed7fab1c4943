/**
 * What a plan gives without noise, added up person by person, and what the sampling error of it follows from: products of what one
 * person adds to two numbers, summed over people. Sampling errors are reports, so floating point does no harm there.
 */
import { Evaluation, type Tables } from "../../node/data-sharing/plan/evaluate.ts";
import { cellsOf, type Plan } from "../../node/data-sharing/plan/plan.ts";
import type { ExactAnswer } from "../../node/data-sharing/ports.ts";

export class Tally {
  readonly plan: Plan;
  readonly groups: GroupTally[] = [];
  readonly #evaluation: Evaluation;
  /** With rows in a group or without. */
  people = 0;

  constructor(plan: Plan) {
    this.plan = plan;
    this.#evaluation = new Evaluation(plan);
  }

  /** So many people with these rows each. */
  add(tables: Tables, count: number): void {
    this.people += count;
    for (const { group, totals } of this.#evaluation.totalsOf(tables)) {
      this.groups[group] ??= new GroupTally(this.plan);
      this.groups[group].add(totals, count);
    }
  }

  exact(): ExactAnswer {
    const { plan } = this;
    const vectors = plan.vectors.map((vector, index) => {
      const cells = cellsOf(vector);
      const values = new Array<bigint>(this.#evaluation.groupCount * cells).fill(0n);
      for (const [group, tally] of this.groups.entries())
        for (const [cell, sum] of tally?.sums[index] ?? []) values[group * cells + cell] = sum;
      return values;
    });
    return { groups: this.#evaluation.labels, vectors };
  }
}

export class GroupTally {
  readonly #plan: Plan;
  /** By vector, each cell that is not empty. */
  readonly sums: Map<number, bigint>[];
  /** By two vectors, of their first cells. */
  readonly #products: number[][];
  /** By vector and cell: the sum of squares. */
  readonly #squares: Map<number, number>[];
  readonly #ranks: Ranks[];

  constructor(plan: Plan) {
    this.#plan = plan;
    this.sums = plan.vectors.map(() => new Map());
    this.#products = plan.vectors.map(() => plan.vectors.map(() => 0));
    this.#squares = plan.vectors.map(() => new Map());
    this.#ranks = plan.vectors.map(() => ({ all: 0, squares: new Map(), mixed: new Map() }));
  }

  add(totals: ReadonlyMap<number, bigint>[], count: number): void {
    const weight = BigInt(count);
    for (const [index, cells] of totals.entries()) {
      const [sums, squares] = [this.sums[index]!, this.#squares[index]!];
      for (const [cell, amount] of cells) {
        sums.set(cell, (sums.get(cell) ?? 0n) + amount * weight);
        squares.set(cell, (squares.get(cell) ?? 0) + Number(amount) ** 2 * count);
      }
      if (this.#plan.vectors[index]!.kind === "buckets") addRanks(this.#ranks[index]!, cells, count);
    }
    const firsts = totals.map((cells) => Number(cells.get(0) ?? 0n));
    for (const [one, a] of firsts.entries())
      for (const [other, b] of firsts.entries()) this.#products[one]![other]! += a * b * count;
  }

  sum(vector: number, cell = 0): number {
    return Number(this.sums[vector]!.get(cell) ?? 0n);
  }

  squares(vector: number, cell: number): number {
    return this.#squares[vector]!.get(cell) ?? 0;
  }

  /** The sum over people of the square of weights times what they add to each vector. */
  squaresOf(weights: ReadonlyMap<number, number>): number {
    let sum = 0;
    for (const [one, a] of weights)
      for (const [other, b] of weights) sum += a * b * this.#products[one]![other]!;
    return sum;
  }

  /** Of a vector of buckets, for a share `of` its rows: the sum over people of (rows up to the bucket - share * rows)^2. */
  squaresOfRank(vector: number, bucket: number, share: number): number {
    const { all, squares, mixed } = this.#ranks[vector]!;
    const upTo = (steps: ReadonlyMap<number, number>) =>
      [...steps].reduce((sum, [cell, step]) => (cell <= bucket ? sum + step : sum), 0);
    return upTo(squares) - 2 * share * upTo(mixed) + share * share * all;
  }
}

/** Of a person with c rows, b of them up to a bucket: b^2 and b c by the buckets at which they rise, and c^2. */
interface Ranks {
  all: number;
  squares: Map<number, number>;
  mixed: Map<number, number>;
}

function addRanks(ranks: Ranks, cells: ReadonlyMap<number, bigint>, count: number): void {
  const rows = [...cells.values()].reduce((sum, amount) => sum + Number(amount), 0);
  ranks.all += rows * rows * count;
  let below = 0;
  for (const [cell, amount] of [...cells].sort(([a], [b]) => a - b)) {
    const upTo = below + Number(amount);
    ranks.squares.set(cell, (ranks.squares.get(cell) ?? 0) + (upTo * upTo - below * below) * count);
    ranks.mixed.set(cell, (ranks.mixed.get(cell) ?? 0) + Number(amount) * rows * count);
    below = upTo;
  }
}
