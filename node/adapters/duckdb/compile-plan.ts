/**
 * A plan as one DuckDB statement over `rows_` (see `stored-columns.ts`). Only checked identifiers and integer literals go into it. No row
 * can make it fail: from the columns' bounds every intermediate value is known to fit the type in which it is computed. A sum's centre is
 * taken off afterwards, in whole numbers of any size: sum(x - c) = sum(x) - c * count(x).
 */
import type { Interval } from "../../data-sharing/plan/columns.ts";
import {
  type Expression,
  type GroupKey,
  groupCountOf,
  type Plan,
  type Predicate,
} from "../../data-sharing/plan/plan.ts";
import type { ExactAnswer } from "../../data-sharing/ports.ts";
import { assert } from "../../primitives/assert.ts";
import { type StoredColumn, sqlName } from "./stored-columns.ts";

export interface CompiledPlan {
  /** Gives one row per group that has rows: the values of the keys, then the aggregates. */
  sql: string;
  /** The dense answer, zeros included. */
  answerOf(rows: readonly (readonly bigint[])[]): ExactAnswer;
}

/** No table has as many rows, so that a sum of values below 2^86 fits HUGEINT. */
const rowsBits = 40n;
const hugeBits = 126n;

/** Breaks an expectation, whatever the data, where values of the plan could leave 126 bits. */
export function compilePlan(plan: Plan, columns: readonly StoredColumn[]): CompiledPlan {
  const { sources, publicJoins, filter } = plan.rows;
  const [source] = sources;
  assert(source?.kind === "table" && sources.length === 1 && publicJoins.length === 0, "one table");
  assert(plan.bounding.kind === "stored", "bounded as stored");
  const { rowsPerPerson } = source;
  assert(Number.isSafeInteger(rowsPerPerson) && rowsPerPerson > 0, "rows per person are a number");
  const compiler = new Compiler(columns);
  const keys = plan.keys.map((key) => compiler.expression(key.expression));
  const aggregates = plan.vectors.flatMap((vector) => {
    assert(vector.kind === "count" || vector.kind === "sum", "a count or a sum");
    if (vector.of === null) return ["count(*)"];
    const value = compiler.expression(vector.of);
    if (vector.kind === "count") return [`count(${value.sql})`];
    return [`sum(${clamped(value, BigInt(vector.low), BigInt(vector.high))})`, `count(${value.sql})`];
  });
  const conditions = [
    // Also where the import kept no more: what the noise is measured by does not rest on another program's work (a quarter more CPU).
    `rank_ <= ${literal(BigInt(rowsPerPerson))}`,
    compiler.predicate(filter),
    ...plan.keys.map((key, at) => within(keys[at]!.sql, declaredValues(key).map(BigInt))),
  ];
  const output = [...keys.map((key) => key.sql), ...aggregates].map((sql) => `CAST(${sql} AS HUGEINT)`);
  const grouping = keys.length === 0 ? "" : ` GROUP BY ${keys.map((_, at) => at + 1).join(", ")}`;
  return {
    sql: `SELECT ${output.join(", ")} FROM rows_ WHERE ${conditions.join(" AND ")}${grouping}`,
    answerOf: (rows) => denseAnswer(plan, rows),
  };
}

/** Rows come in any order; an aggregate over no rows is null, which stands for nothing. */
function denseAnswer(plan: Plan, rows: readonly (readonly (bigint | null)[])[]): ExactAnswer {
  const vectors = plan.vectors.map(() => new Array<bigint>(groupCountOf(plan) ?? 0).fill(0n));
  const places = plan.keys.map(
    (key) => new Map(declaredValues(key).map((value, place) => [BigInt(value), place])),
  );
  for (const row of rows) {
    const group = plan.keys.reduce((index, key, at) => {
      const place = places[at]!.get(row[at]!);
      assert(place !== undefined, "a group is of the domain");
      return index * declaredValues(key).length + place;
    }, 0);
    let at = plan.keys.length;
    plan.vectors.forEach((vector, index) => {
      const first = row[at++] ?? 0n;
      const centred = vector.kind === "sum" ? BigInt(vector.centre) * (row[at++] ?? 0n) : 0n;
      vectors[index]![group] = first - centred;
    });
  }
  return { groups: null, vectors };
}

function declaredValues(key: GroupKey): string[] {
  assert(key.kind === "declared", "a declared key");
  return key.values;
}

interface Value {
  sql: string;
  /** What it lies in where it is not null. */
  range: Interval;
}

class Compiler {
  readonly #columns: ReadonlyMap<string, StoredColumn>;

  constructor(columns: readonly StoredColumn[]) {
    this.#columns = new Map(columns.map((column) => [column.name, column]));
  }

  expression(expression: Expression): Value {
    switch (expression.kind) {
      case "column": {
        const { low, high } = this.#column(expression.name);
        return { sql: sqlName(expression.name), range: { low, high } };
      }
      case "constant":
        return constant(BigInt(expression.value));
      case "add":
        return folded(
          expression.operands.map((part) => this.expression(part)),
          "+",
        );
      case "multiply":
        return folded(
          expression.operands.map((part) => this.expression(part)),
          "*",
        );
      case "subtract":
        return folded([this.expression(expression.left), this.expression(expression.right)], "-");
      case "divide": {
        const left = this.expression(expression.left);
        const divisor = BigInt(expression.divisor);
        assert(divisor > 0n, "a divisor is positive");
        const range = { low: left.range.low / divisor, high: left.range.high / divisor };
        const type = typeFor(largest([magnitude(left.range), divisor]));
        return { sql: `(CAST(${left.sql} AS ${type}) // CAST(${literal(divisor)} AS ${type}))`, range };
      }
      default:
        throw new Error(`no ${expression.kind}`);
    }
  }

  predicate(predicate: Predicate): string {
    switch (predicate.kind) {
      case "always":
        return "true";
      case "never":
        return "false";
      case "is-null":
        return `(${sqlName(this.#column(predicate.column).name)} IS NULL)`;
      case "not":
        return `(NOT ${this.predicate(predicate.operand)})`;
      case "and":
      case "or": {
        if (predicate.operands.length === 0) return predicate.kind === "and" ? "true" : "false";
        const parts = predicate.operands.map((operand) => this.predicate(operand));
        return `(${parts.join(predicate.kind === "and" ? " AND " : " OR ")})`;
      }
      case "in":
        return within(this.expression(predicate.expression).sql, predicate.values.map(BigInt));
      case "compare":
        assert(["=", "<", "<="].includes(predicate.operator), "an operator of plans");
        return `(${this.#compared(predicate.left)} ${predicate.operator} ${this.#compared(predicate.right)})`;
    }
  }

  /** A constant beyond all values compares like the largest one. */
  #compared(expression: Expression): string {
    return expression.kind === "constant"
      ? literal(saturated(BigInt(expression.value)))
      : this.expression(expression).sql;
  }

  #column(name: string): StoredColumn {
    const column = this.#columns.get(name);
    assert(column !== undefined, "a plan names columns of its dataset");
    return column;
  }
}

function constant(value: bigint): Value {
  return { sql: literal(value), range: { low: value, high: value } };
}

/** Computed in a type that holds the result in whichever order the parts are taken. */
function folded(parts: Value[], operator: "+" | "-" | "*"): Value {
  const magnitudes = parts.map((part) => magnitude(part.range));
  const reach =
    operator === "*"
      ? magnitudes.reduce((a, b) => a * largest([b, 1n]), 1n)
      : magnitudes.reduce((a, b) => a + b, 0n);
  const type = typeFor(largest([reach, ...magnitudes]));
  const sql = parts.map((part) => `CAST(${part.sql} AS ${type})`).join(` ${operator} `);
  return {
    sql: `(${sql})`,
    range: parts.map((part) => part.range).reduce((a, b) => combined(a, b, operator)),
  };
}

function combined(a: Interval, b: Interval, operator: "+" | "-" | "*"): Interval {
  if (operator === "+") return { low: a.low + b.low, high: a.high + b.high };
  if (operator === "-") return { low: a.low - b.high, high: a.high - b.low };
  const corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
  return { low: -largest(corners.map((corner) => -corner)), high: largest(corners) };
}

/**
 * Always written, also where stored values should lie inside anyway; then at the stored bounds, which fit the type of the values. LEAST and
 * GREATEST skip NULL and so would make it a bound.
 */
function clamped({ sql, range }: Value, low: bigint, high: bigint): string {
  const reach = largest([magnitude(range), 1n]);
  assert(reach < 1n << (hugeBits - rowsBits), "a sum fits 126 bits");
  const inside = (value: bigint) => saturated(value < low ? low : value > high ? high : value);
  const [least, most] = [inside(range.low), inside(range.high)];
  return `CASE WHEN ${sql} < ${literal(least)} THEN ${literal(least)} WHEN ${sql} > ${literal(most)} THEN ${literal(most)} ELSE ${sql} END`;
}

/** Membership; a run of neighbours is a range, for which engines are faster. */
function within(sql: string, values: bigint[]): string {
  const places = values
    .filter((value) => saturated(value) === value)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  // Three-valued: unknown for null, also where no value can be equal.
  if (places.length === 0) return `(CASE WHEN ${sql} IS NULL THEN NULL ELSE false END)`;
  const [first, last] = [places[0]!, places.at(-1)!];
  if (last - first + 1n === BigInt(new Set(places).size))
    return `(${sql} BETWEEN ${literal(first)} AND ${literal(last)})`;
  return `(${sql} IN (${places.map(literal).join(", ")}))`;
}

function typeFor(reach: bigint): "BIGINT" | "HUGEINT" {
  assert(reach < 1n << hugeBits, "values of a plan fit 126 bits");
  return reach < 1n << 62n ? "BIGINT" : "HUGEINT";
}

function saturated(value: bigint): bigint {
  const most = 1n << hugeBits;
  return value > most ? most : value < -most ? -most : value;
}

function literal(value: bigint): string {
  assert(value === saturated(value), "a literal fits 126 bits");
  return value < 0n ? `(${value})` : String(value);
}

function magnitude({ low, high }: Interval): bigint {
  return largest([low, -low, high, -high]);
}

function largest(values: bigint[]): bigint {
  return values.reduce((a, b) => (a > b ? a : b));
}
