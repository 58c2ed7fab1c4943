/**
 * A plan whose sources bound each person's rows already: grouped and added up by DuckDB. Vectors of buckets and the counting of people
 * group by more than the keys, so each is a part of its own, all in one statement.
 */
import type { DuckDBDataChunk } from "@duckdb/node-api";
import {
  cellsOf,
  openGroupsMaxOf,
  type Plan,
  rowsPerPersonOf,
  type Vector,
} from "../../data-sharing/plan/plan.ts";
import { assert } from "../../primitives/assert.ts";
import { limitError } from "../engine-errors.ts";
import { OpenGroups } from "./answer-groups.ts";
import { ExpressionCompiler } from "./compile-expressions.ts";
import { type CompiledGroups, compileGroups } from "./compile-groups.ts";
import type { CompiledRows } from "./compile-rows.ts";
import { bucketOf, centredValue, heldValue } from "./compile-vectors.ts";
import type { AnswerReader, CompiledPlan, ExactVectors } from "./compiled-plan.ts";
import { hugeBits, magnitude, type Value } from "./sql-values.ts";

/** No table has as many rows, nor any join of them. */
const rowsBits = 40n;
/** Of a sum that could leave 126 bits, the low bits are added up by themselves. */
const lowBits = 62n;
/** A group's bit in a number for each person; people of more groups are counted by walking through them (compile-walk.ts). */
export const maskedGroupsMax = 62;
/** With more parts the rows are found once and kept. */
const scansMax = 4;

export function compileGrouped(plan: Plan, rows: CompiledRows): CompiledPlan {
  const groups = compileGroups(plan, rows);
  const compiler = new ExpressionCompiler(rows.columns);
  const parts = partsOf(plan, groups, compiler);
  const width = Math.max(...parts.map(({ numbers }) => numbers.length));
  const columns = [
    ...(parts.some(({ needsPerson }) => needsPerson) ? [`${rows.person} AS person_`] : []),
    ...groups.columns.map((sql, at) => `${sql} AS g${at}`),
    ...parts.flatMap(({ columns }) => columns),
  ];
  const selects = parts.map(({ groups: own, numbers, tail }, at) => {
    const wide = [...own, ...numbers, ...Array.from({ length: width - numbers.length }, () => "NULL")];
    return `SELECT ${[String(at), ...wide].map((sql) => `CAST(${sql} AS HUGEINT)`).join(", ")} FROM ${tail}`;
  });
  const kept = parts.length > scansMax ? "MATERIALIZED" : "NOT MATERIALIZED";
  const statement = `WITH found AS ${kept} (SELECT ${columns.join(", ")} FROM ${rows.from}${groups.joins} WHERE ${rows.where} AND ${groups.where}) ${selects.join(" UNION ALL ")}`;
  return {
    sql: () => statement,
    inPieces: false,
    reader: () => new GroupedReader(plan, groups.count, parts),
  };
}

interface Part {
  /** Of the rows that are found, under their own names. */
  columns: string[];
  needsPerson: boolean;
  /** The group's columns, and the cell or null. */
  groups: string[];
  numbers: string[];
  /** FROM and what follows. */
  tail: string;
  /** What a row of the part adds to the answer. */
  add(vectors: bigint[][], group: number, cell: number, numbers: readonly bigint[]): void;
}

function partsOf(plan: Plan, groups: CompiledGroups, compiler: ExpressionCompiler): Part[] {
  const keys = plan.keys.length === 0 ? [] : groups.columns.map((_, at) => `g${at}`);
  const parts = [plainPart(plan, keys, compiler)];
  const places = plan.vectors.flatMap((vector, at) => (vector.kind === "people" ? [at] : []));
  if (places.length > 0 && rowsPerPersonOf(plan.rows) > 1n) parts.push(peoplePart(places, groups.count));
  plan.vectors.forEach((vector, at) => {
    if (vector.kind === "buckets") parts.push(bucketsPart(vector, at, keys, compiler));
  });
  return parts;
}

/** Everything that is one number for each group. Without keys it has a row also where there are no rows, which adds nothing. */
function plainPart(plan: Plan, keys: string[], compiler: ExpressionCompiler): Part {
  const [columns, numbers]: [string[], string[]] = [[], []];
  const adders = plan.vectors.map((vector, at) => {
    if (vector.kind === "buckets") return () => 0n;
    if (vector.kind === "people" && rowsPerPersonOf(plan.rows) > 1n) return () => 0n;
    const first = numbers.length;
    if (vector.kind === "people" || vector.of === null) {
      numbers.push("count(*)");
      return (own: readonly bigint[]) => own[first]!;
    }
    if (vector.kind === "count") {
      columns.push(`${compiler.expression(vector.of).sql} AS x${at}`);
      numbers.push(`count(x${at})`);
      return (own: readonly bigint[]) => own[first]!;
    }
    // sum(x - c) = sum(x) - c * count(x), in whole numbers of any size.
    const value = vector.kind === "sum" ? heldValue(vector, compiler) : centredValue(vector, compiler);
    columns.push(`${value.sql} AS x${at}`);
    const sum = summed(`x${at}`, value);
    numbers.push(...sum.numbers, `count(x${at})`);
    const count = numbers.length - 1;
    const centre = vector.kind === "sum" ? BigInt(vector.centre) : 0n;
    return (own: readonly bigint[]) => sum.total(own.slice(first)) - centre * own[count]!;
  });
  return {
    columns,
    needsPerson: false,
    groups: [...groupOf(keys), "NULL"],
    numbers: numbers.length === 0 ? ["NULL"] : numbers,
    tail: `found${keys.length === 0 ? "" : ` GROUP BY ${keys.join(", ")}`}`,
    add: (vectors, group, _cell, own) =>
      adders.forEach((amount, at) => {
        const vector = plan.vectors[at]!;
        vectors[at]![group * cellsOf(vector)]! += amount(own);
      }),
  };
}

/** Without keys there is one group. */
function groupOf(keys: string[]): string[] {
  return keys.length === 0 ? ["0"] : keys;
}

/** A sum in a type that holds it, or as two: of the low bits and of the rest. */
function summed(
  sql: string,
  { range }: Value,
): { numbers: string[]; total(numbers: readonly bigint[]): bigint } {
  const reach = magnitude(range) + 1n;
  if (reach < 1n << (hugeBits - rowsBits)) return { numbers: [`sum(${sql})`], total: ([sum]) => sum! };
  assert(range.low >= 0n, "what is wide is a square");
  const unit = 1n << lowBits;
  return {
    numbers: [`sum(${sql} // ${unit})`, `sum(${sql} % ${unit})`],
    total: ([high, low]) => high! * unit + low!,
  };
}

/** A bit for each group in which a person is; persons are stored side by side, so that one number each is found in little time. */
function peoplePart(places: number[], count: number | null): Part {
  assert(count !== null && count <= maskedGroupsMax, "each group has a bit");
  const numbers = Array.from({ length: count }, (_, group) => group);
  const counts = numbers.map((group) => `sum((mask >> ${group}) & 1)`);
  return {
    columns: [],
    needsPerson: true,
    groups: ["place", "NULL"],
    numbers: ["people"],
    tail: `(SELECT unnest([${numbers}]) AS place, unnest([${counts}]) AS people FROM (SELECT bit_or(CAST(1 AS BIGINT) << g0) AS mask FROM found GROUP BY person_))`,
    add: (vectors, group, _cell, [people]) => {
      for (const at of places) vectors[at]![group]! += people!;
    },
  };
}

function bucketsPart(
  vector: Extract<Vector, { kind: "buckets" }>,
  at: number,
  keys: string[],
  compiler: ExpressionCompiler,
): Part {
  return {
    columns: [`${bucketOf(vector, compiler)} AS x${at}`],
    needsPerson: false,
    groups: [...groupOf(keys), `x${at}`],
    numbers: ["count(*)"],
    tail: `found WHERE x${at} IS NOT NULL GROUP BY ${[...keys, `x${at}`].join(", ")}`,
    add: (vectors, group, cell, [rows]) => {
      vectors[at]![group * vector.buckets + cell]! += rows!;
    },
  };
}

class GroupedReader implements AnswerReader {
  readonly #parts: readonly Part[];
  readonly #open: OpenGroups | null;
  readonly #groupsMax: number;
  readonly #keys: number;
  readonly #cells: number[];
  readonly #vectors: bigint[][];

  constructor(plan: Plan, count: number | null, parts: readonly Part[]) {
    this.#parts = parts;
    this.#open = count === null ? new OpenGroups() : null;
    this.#groupsMax = openGroupsMaxOf(plan);
    this.#keys = count === null ? plan.keys.length : 1;
    this.#cells = plan.vectors.map(cellsOf);
    this.#vectors = this.#cells.map((cells) => new Array<bigint>((count ?? 0) * cells).fill(0n));
  }

  take(chunk: DuckDBDataChunk): void {
    for (const row of chunk.getRows() as (bigint | null)[][]) {
      const part = this.#parts[Number(row[0])]!;
      const keys = row.slice(1, 1 + this.#keys).map((key) => key ?? 0n);
      const cell = Number(row[1 + this.#keys] ?? 0n);
      // An aggregate over no rows is null, which stands for nothing.
      const numbers = row.slice(2 + this.#keys).map((number) => number ?? 0n);
      part.add(this.#vectors, this.#groupOf(keys), cell, numbers);
    }
  }

  answer(): ExactVectors {
    return { groups: this.#open?.values ?? null, vectors: this.#vectors };
  }

  #groupOf(keys: readonly bigint[]): number {
    if (this.#open === null) return Number(keys[0]!);
    const group = this.#open.numberOf(keys);
    if (group >= this.#groupsMax) throw limitError();
    this.#vectors.forEach((vector, at) => {
      while (vector.length < (group + 1) * this.#cells[at]!) vector.push(0n);
    });
    return group;
  }
}
