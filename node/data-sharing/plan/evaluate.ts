/**
 * What a plan means, as a small interpreter over rows of integers: the reference that engines are compared with, and the means by
 * which a key's domain is found. Slow on purpose of being plain.
 */
import { assert } from "../../primitives/assert.ts";
import { daysToDate, formatDecimal } from "../manifests/grid.ts";
import type { ExactAnswer } from "../ports.ts";
import { evaluateExpression, evaluatePredicate, type Row } from "./evaluate-row.ts";
import {
  cellsOf,
  type GroupKey,
  groupCountOf,
  type PersonColumn,
  type Plan,
  type PublicJoin,
  type Rows,
  type Source,
  type Vector,
} from "./plan.ts";

export interface PersonRow {
  person: string;
  /** The place of the row among those of its person; the first ones take part. By default the order of the rows. */
  rank?: number;
  columns: Row;
}

/** The rows of each table; a list by itself stands for every table. */
export type Tables = readonly PersonRow[] | Readonly<Record<string, readonly PersonRow[]>>;

export interface EvaluateOptions {
  /** Whose rows take part; everybody's by default. */
  takesPart?: (person: string) => boolean;
  /** Open texts by their code. */
  texts?: ReadonlyMap<bigint, string>;
}

/** What one person adds to one group, bounded: by vector the amount of each cell that is not left as it was. */
export interface PersonTotals {
  group: number;
  totals: ReadonlyMap<number, bigint>[];
}

/** Runs the plan without noise. */
export function executePlan(tables: Tables, plan: Plan, options: EvaluateOptions = {}): ExactAnswer {
  const evaluation = new Evaluation(plan, options);
  const all = [...evaluation.totalsOf(tables)];
  const vectors = plan.vectors.map((vector) =>
    new Array<bigint>(evaluation.groupCount * cellsOf(vector)).fill(0n),
  );
  for (const { group, totals } of all)
    for (const [index, cells] of totals.entries())
      for (const [cell, amount] of cells)
        vectors[index]![group * cellsOf(plan.vectors[index]!) + cell]! += amount;
  const { labels } = evaluation;
  if (labels === null) return { groups: null, vectors };
  // A group to which nobody's rows count, as their groups are bounded, would show that somebody has such rows.
  const counted = [...new Set(all.map(({ group }) => group))].sort((a, b) => a - b);
  return {
    groups: counted.map((group) => labels[group]!),
    vectors: vectors.map((vector, index) => {
      const cells = cellsOf(plan.vectors[index]!);
      return counted.flatMap((group) => vector.slice(group * cells, (group + 1) * cells));
    }),
  };
}

/** The same, person by person: nobody's totals depend on another's rows, so people may be handed in a few at a time. */
export class Evaluation {
  readonly #plan: Plan;
  readonly #takesPart: (person: string) => boolean;
  readonly #groups: Groups;

  constructor(plan: Plan, options: EvaluateOptions = {}) {
    this.#plan = plan;
    this.#takesPart = options.takesPart ?? (() => true);
    this.#groups = new Groups(plan, options.texts ?? new Map());
  }

  /** Of a declared domain, or those that came up so far. */
  get groupCount(): number {
    return this.#groups.count;
  }

  /** By group and key; null where the plan itself says them. */
  get labels(): string[][] | null {
    return this.#groups.labels;
  }

  /** All rows of a person must be in one call. */
  *totalsOf(tables: Tables): Generator<PersonTotals> {
    const people = new Map<string, Map<number, Row[]>>();
    for (const { person, columns } of rowsOf(tables, this.#plan.rows, this.#takesPart)) {
      const group = this.#groups.placeOf(columns);
      if (group === null) continue;
      const own = people.get(person) ?? new Map<number, Row[]>();
      people.set(person, own);
      own.set(group, [...(own.get(group) ?? []), columns]);
    }
    const { bounding } = this.#plan;
    for (const own of people.values()) {
      const taken = [...own].slice(0, bounding.kind === "query" ? bounding.groups : own.size);
      for (const [group, rows] of taken) yield { group, totals: personTotals(this.#plan, rows) };
    }
  }
}

function personTotals(plan: Plan, rows: Row[]): Map<number, bigint>[] {
  const have = BigInt(rows.length);
  const most = plan.bounding.kind === "query" ? BigInt(plan.bounding.rowsPerGroup) : have;
  return plan.vectors.map((vector) => {
    const totals = new Map<number, bigint>();
    for (const row of vector.kind === "people" ? rows.slice(0, 1) : rows) {
      const change = changeBy(vector, row);
      if (change !== null) totals.set(change.cell, (totals.get(change.cell) ?? 0n) + change.amount);
    }
    const isScaled = vector.kind !== "people" && have > most;
    if (isScaled) for (const [cell, total] of totals) totals.set(cell, (total * most) / have);
    return totals;
  });
}

/** What one row adds to which cell; null for nothing. */
function changeBy(vector: Vector, row: Row): { cell: number; amount: bigint } | null {
  if (vector.kind === "people") return { cell: 0, amount: 1n };
  const value = vector.of === null ? 0n : evaluateExpression(vector.of, row);
  if (value === null) return null;
  if (vector.kind === "count") return { cell: 0, amount: 1n };
  if (vector.kind === "buckets") {
    const [offset, step] = [value - BigInt(vector.low), BigInt(vector.step)];
    const last = BigInt(vector.buckets - 1);
    const bucket = offset < 0n ? 0n : offset / step;
    return { cell: Number(bucket > last ? last : bucket), amount: 1n };
  }
  const [low, high] = [BigInt(vector.low), BigInt(vector.high)];
  const centred = (value < low ? low : value > high ? high : value) - BigInt(vector.centre);
  return { cell: 0, amount: vector.kind === "squares" ? centred ** 2n : centred };
}

/** The groups of an answer: all of a declared domain, or those that rows have. */
class Groups {
  readonly #plan: Plan;
  readonly #texts: ReadonlyMap<bigint, string>;
  readonly #places = new Map<string, number>();
  readonly #declared: (Map<string, number> | null)[];
  readonly #dense: number | null;
  /** By group and key; null where the plan itself says them. */
  readonly labels: string[][] | null;

  constructor(plan: Plan, texts: ReadonlyMap<bigint, string>) {
    this.#plan = plan;
    this.#texts = texts;
    this.#dense = groupCountOf(plan);
    this.labels = this.#dense === null ? [] : null;
    this.#declared = plan.keys.map((key) =>
      key.kind === "open" ? null : new Map(key.values.map((value, place) => [value, place])),
    );
  }

  get count(): number {
    return this.#dense ?? this.labels!.length;
  }

  /** The group's number, the last key fastest, or in the order of appearance; null for a row of no group. */
  placeOf(row: Row): number | null {
    const values: bigint[] = [];
    let dense = 0;
    for (const [index, key] of this.#plan.keys.entries()) {
      const value = evaluateExpression(key.expression, row);
      const place = value === null ? undefined : (this.#declared[index]?.get(String(value)) ?? null);
      if (value === null || place === undefined || (place === null && key.kind === "declared")) return null;
      if (key.kind === "declared") dense = dense * key.values.length + place!;
      values.push(value);
    }
    if (this.labels === null) return dense;
    const text = values.join(" ");
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    this.#places.set(text, this.labels.length);
    return this.labels.push(values.map((value, index) => this.#labelOf(this.#plan.keys[index]!, value))) - 1;
  }

  #labelOf(key: GroupKey, value: bigint): string {
    if (key.kind === "declared") return key.labels[key.values.indexOf(String(value))]!;
    if (key.type === "date") return daysToDate(value);
    return key.type === "text" ? (this.#texts.get(value) ?? String(value)) : formatDecimal(value, key.scale);
  }
}

/** All rows that pass, joined. */
function rowsOf(tables: Tables, rows: Rows, takesPart: (person: string) => boolean): PersonRow[] {
  const isJoin = rows.sources.length > 1;
  const sources = rows.sources.map((source, at) =>
    sourceRows(tables, source, takesPart).map((row) => ({
      person: row.person,
      columns: isJoin ? prefixed(row.columns, `${at}.`) : row.columns,
    })),
  );
  const [first, ...others] = sources;
  assert(first !== undefined, "rows come from somewhere");
  const joined = others.reduce(unitJoin, first);
  return rows.publicJoins
    .reduce((left, join, at) => publicJoin(left, join, at), joined)
    .filter(({ columns }) => evaluatePredicate(rows.filter, columns) === true);
}

function sourceRows(tables: Tables, source: Source, takesPart: (person: string) => boolean): PersonRow[] {
  if (source.kind === "people") {
    const byPerson = Map.groupBy(rowsOf(tables, source.rows, takesPart), (row) => row.person);
    return [...byPerson].map(([person, own]) => ({
      person,
      columns: Object.fromEntries(source.columns.map((column) => [column.name, personValue(column, own)])),
    }));
  }
  const rows = Array.isArray(tables) ? tables : (tables as Record<string, PersonRow[]>)[source.table];
  assert(rows !== undefined, "the plan's tables are there");
  const byPerson = Map.groupBy(
    (rows as PersonRow[]).filter(({ person }) => takesPart(person)),
    (row) => row.person,
  );
  return [...byPerson.values()].flatMap((own) =>
    own.toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0)).slice(0, source.rowsPerPerson),
  );
}

function personValue({ aggregate, of }: PersonColumn, rows: PersonRow[]): bigint | null {
  const values = rows
    .map(({ columns }) => (of === null ? 0n : evaluateExpression(of, columns)))
    .filter((value) => value !== null);
  if (aggregate === "count") return BigInt(values.length);
  if (aggregate === "sum") return values.reduce((a, b) => a + b, 0n);
  if (values.length === 0) return null;
  return values.reduce((a, b) => (a < b === (aggregate === "minimum") ? a : b));
}

function unitJoin(left: PersonRow[], right: PersonRow[]): PersonRow[] {
  const byPerson = Map.groupBy(right, (row) => row.person);
  return left.flatMap(({ person, columns }) =>
    (byPerson.get(person) ?? []).map((other) => ({ person, columns: { ...columns, ...other.columns } })),
  );
}

function publicJoin(left: PersonRow[], { on, columns, rows }: PublicJoin, at: number): PersonRow[] {
  const byKey = Map.groupBy(rows, (row) => row.slice(0, on.length).join(" "));
  return left.flatMap((row) => {
    const key = on.map((expression) => evaluateExpression(expression, row.columns)).join(" ");
    return (byKey.get(key) ?? []).map((match) => ({
      person: row.person,
      columns: {
        ...row.columns,
        ...Object.fromEntries(
          columns.map((name, place) => [`p${at}.${name}`, BigInt(match[on.length + place]!)]),
        ),
      },
    }));
  });
}

function prefixed(columns: Row, prefix: string): Row {
  return Object.fromEntries(Object.entries(columns).map(([name, value]) => [`${prefix}${name}`, value]));
}
