/** The exact answer from the rows that the statements of a plan gave; rows of several partitions add up. */
import { daysToDate, formatDecimal } from "../../data-sharing/manifests/grid.ts";
import {
  cellsOf,
  type GroupKey,
  groupCountOf,
  openGroupsMaxOf,
  type Plan,
} from "../../data-sharing/plan/plan.ts";
import type { ExactAnswer } from "../../data-sharing/ports.ts";
import { assert } from "../../primitives/assert.ts";
import { isTextKey, type Statement } from "./compile-plan.ts";

/** More groups, or cells of groups, than an answer may have. */
export class TooManyGroups extends Error {}

/** As PostgreSQL's driver gives them: numbers as text. */
export type AnswerRow = readonly (string | null)[];

export class AnswerBuilder {
  readonly #plan: Plan;
  readonly #places: (Map<string, number> | null)[];
  readonly #isSparse: boolean;
  readonly #groups = new Map<string, number>();
  readonly #labels: string[][] = [];
  readonly #vectors: bigint[][];

  constructor(plan: Plan) {
    this.#plan = plan;
    const count = groupCountOf(plan);
    this.#isSparse = count === null;
    this.#places = plan.keys.map((key) =>
      key.kind === "open" ? null : new Map(key.values.map((value, place) => [value, place])),
    );
    this.#vectors = plan.vectors.map((vector) => new Array<bigint>((count ?? 0) * cellsOf(vector)).fill(0n));
  }

  /** @throws TooManyGroups */
  add({ vectors, hasBucket }: Statement, rows: readonly AnswerRow[]): void {
    const keys = this.#plan.keys.length;
    const texts = this.#plan.keys.filter(isTextKey).length;
    for (const row of rows) {
      const group = this.#isSparse ? this.#openGroup(row) : this.#declaredGroup(row);
      const first = keys + texts + (hasBucket ? 1 : 0);
      const cell = hasBucket ? Number(row[first - 1]) : 0;
      for (const [at, vector] of vectors.entries()) {
        const place = group * cellsOf(this.#plan.vectors[vector]!) + cell;
        this.#vectors[vector]![place]! += BigInt(row[first + at] ?? 0);
      }
    }
  }

  answer(): ExactAnswer {
    return { groups: this.#isSparse ? this.#labels : null, vectors: this.#vectors };
  }

  #declaredGroup(row: AnswerRow): number {
    return this.#plan.keys.reduce((index, key, at) => {
      const place = this.#places[at]!.get(row[at]!);
      assert(key.kind === "declared" && place !== undefined, "a group is of the domain");
      return index * key.values.length + place;
    }, 0);
  }

  #openGroup(row: AnswerRow): number {
    const { keys } = this.#plan;
    // Texts of one code are groups of their own.
    const name = JSON.stringify(row.slice(0, keys.length + keys.filter(isTextKey).length));
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const group = this.#labels.length;
    if (group >= openGroupsMaxOf(this.#plan)) throw new TooManyGroups();
    this.#groups.set(name, group);
    let text = keys.length;
    this.#labels.push(keys.map((key, at) => this.#label(at, row[at]!, isTextKey(key) ? row[text++]! : null)));
    for (const [at, vector] of this.#plan.vectors.entries())
      for (let cell = 0; cell < cellsOf(vector); cell++) this.#vectors[at]!.push(0n);
    return group;
  }

  #label(at: number, value: string, text: string | null): string {
    const key = this.#plan.keys[at]! as GroupKey;
    if (key.kind === "declared") {
      const place = this.#places[at]!.get(value);
      assert(place !== undefined, "a value of a declared key is of its domain");
      return key.labels[place]!;
    }
    if (key.type === "date") return daysToDate(BigInt(value));
    return key.type === "text" ? (text ?? value) : formatDecimal(BigInt(value), key.scale);
  }
}
