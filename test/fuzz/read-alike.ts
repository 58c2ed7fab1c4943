/**
 * Whether an engine reads a statement as the plan does: the plan's own answer without noise, worked out to the columns of SELECT, against the
 * rows that the engine gives for the text. What the manual says is different is let be: a group that nobody is in and a group of NULL are not
 * rows, and SUM over nothing is 0.
 */
import { dateToDays, parseDecimal } from "../../node/data-sharing/manifests/grid.ts";
import { executePlan, type Tables } from "../../node/data-sharing/plan/evaluate.ts";
import {
  type AnswerCondition,
  cellsOf,
  type Output,
  type Plan,
  type Vector,
} from "../../node/data-sharing/plan/plan.ts";
import { compareLabels, declaredLabels } from "../../node/data-sharing/release/labels.ts";
import { type EngineValue, plain } from "./engines.ts";
import { openTexts } from "./world.ts";

/** Of doubles, and of numerics that PostgreSQL rounds. */
const tolerance = 1e-7;

type Expected =
  | { kind: "exact"; value: string | null }
  | { kind: "near"; value: number | null }
  /** In steps of the grid, or days: a value between two. */
  | { kind: "between"; low: number; high: number; scale: number; isDate: boolean }
  | { kind: "absent" };

export interface ExpectedRow {
  cells: Expected[];
  /** Whether HAVING lets it through; null where rounding may decide. */
  passes: boolean | null;
}

export interface Expectation {
  rows: ExpectedRow[];
  plan: Plan;
  /** Rows that the engine may have besides: a key that is not shown may be null. */
  more: boolean;
}

export function expectationOf(tables: Tables, plan: Plan): Expectation {
  const presence: Vector[] = plan.vectors.map((vector) => ({
    kind: "count",
    of: "of" in vector ? vector.of : null,
  }));
  const width = plan.vectors.length;
  const vectors: Vector[] = [...plan.vectors, ...presence, { kind: "count", of: null }];
  const answer = executePlan(tables, { ...plan, vectors }, { texts: openTexts });
  const count = answer.vectors.at(-1)!.length;
  const rows = Array.from({ length: count }, (_, group): ExpectedRow | null => {
    if (plan.keys.length > 0 && answer.vectors.at(-1)![group] === 0n) return null;
    const labels = answer.groups?.[group] ?? declaredLabels(plan, group);
    const cell = (vector: number) => answer.vectors[vector]!.slice(...around(vectors[vector]!, group));
    const numbers: Numbers = {
      of: (release) => cell(plan.releases[release]!.vector),
      present: (release) => cell(width + plan.releases[release]!.vector)[0]!,
      labels,
      plan,
    };
    const all = plan.outputs.map((output) => expectedCell(output, numbers));
    return {
      cells: all.filter((_cell, at) => plan.outputs[at]!.shown),
      passes: plan.post.having === null ? true : truth(plan.post.having, all),
    };
  });
  const shown = new Set(plan.outputs.flatMap((one) => (one.kind === "key" && one.shown ? [one.key] : [])));
  return { rows: rows.filter((row) => row !== null), plan, more: shown.size < plan.keys.length };
}

function around(vector: Vector, group: number): [number, number] {
  return [group * cellsOf(vector), (group + 1) * cellsOf(vector)];
}

interface Numbers {
  of(release: number): bigint[];
  present(release: number): bigint;
  labels: readonly string[];
  plan: Plan;
}

function expectedCell(output: Output, { of, present, labels, plan }: Numbers): Expected {
  switch (output.kind) {
    case "key":
      return { kind: "exact", value: plain(labels[output.key]!) };
    case "count":
      return output.label === undefined
        ? { kind: "exact", value: String(of(output.release)[output.cell]!) }
        : { kind: "absent" };
    case "sum": {
      if (present(output.release) === 0n) return { kind: "exact", value: null };
      return { kind: "exact", value: decimal(of(output.release)[0]!, output.scale) };
    }
    case "average": {
      const [total, count] = [of(output.sum)[0]!, of(output.count)[0]!];
      const { centre } = plan.vectors[plan.releases[output.sum]!.vector] as { centre: string };
      if (count === 0n) return { kind: "near", value: null };
      return { kind: "near", value: ratio(total + BigInt(centre) * count, count) / 10 ** output.scale };
    }
    case "variance": {
      const [squares, total, count] = [of(output.squares)[0]!, of(output.sum)[0]!, of(output.count)[0]!];
      const less = output.sample ? count - 1n : count;
      if (less <= 0n) return { kind: "near", value: null };
      const value = ratio(squares * count - total ** 2n, count * less) / 10 ** (2 * output.scale);
      return { kind: "near", value: output.root ? Math.sqrt(value) : value };
    }
    case "quantile":
      return quantileCell(output, of(output.release), plan);
  }
}

/** Between the values at both places that a quantile may be interpolated from, each known to one bucket. */
function quantileCell(
  { release, scale, type }: Extract<Output, { kind: "quantile" }>,
  counts: bigint[],
  plan: Plan,
): Expected {
  const { vector, quantile } = plan.releases[release] as Extract<
    Plan["releases"][number],
    { mechanism: "exponential" }
  >;
  const buckets = plan.vectors[vector] as Extract<Vector, { kind: "buckets" }>;
  const values = counts.flatMap((count, bucket) => new Array<number>(Number(count)).fill(bucket));
  if (values.length === 0) return { kind: "exact", value: null };
  const place = ((values.length - 1) * Number(quantile.numerator)) / Number(quantile.denominator);
  const [from, step] = [Number(buckets.low), Number(buckets.step)];
  const [first, last] = [values[Math.floor(place)]!, values[Math.ceil(place)]!];
  return {
    kind: "between",
    low: first === 0 ? -Infinity : from + first * step,
    high: last === buckets.buckets - 1 ? Infinity : from + (last + 1) * step,
    scale,
    isDate: type === "date",
  };
}

function ratio(numerator: bigint, denominator: bigint): number {
  return Number((numerator * 10n ** 15n) / denominator) / 1e15;
}

function decimal(steps: bigint, scale: number): string {
  const digits = String(steps < 0n ? -steps : steps).padStart(scale + 1, "0");
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return plain(`${steps < 0n ? "-" : ""}${text}`);
}

type Truth = boolean | null | "unsure";

function truth(condition: AnswerCondition, cells: readonly Expected[]): boolean | null {
  const answer = truthOf(condition, cells);
  return answer === "unsure" ? null : answer === true;
}

function truthOf(condition: AnswerCondition, cells: readonly Expected[]): Truth {
  switch (condition.kind) {
    case "compare": {
      const cell = cells[condition.output]!;
      if (cell.kind === "between" || cell.kind === "absent") return "unsure";
      if (cell.value === null) return null;
      const wanted = Number(condition.value);
      if (cell.kind === "near" && isNear(cell.value, wanted)) return "unsure";
      const order =
        cell.kind === "near" ? Math.sign(cell.value - wanted) : compared(cell.value, condition.value);
      return { "=": order === 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0 }[
        condition.operator
      ];
    }
    case "not": {
      const inner = truthOf(condition.operand, cells);
      return typeof inner === "boolean" ? !inner : inner;
    }
    default: {
      const deciding = condition.kind === "or";
      const parts = condition.operands.map((operand) => truthOf(operand, cells));
      if (parts.includes(deciding)) return deciding;
      if (parts.includes("unsure")) return "unsure";
      return parts.includes(null) ? null : !deciding;
    }
  }
}

function compared(a: string, b: string): number {
  const days = dateToDays(a);
  const [left, right] = [parseDecimal(days === null ? a : String(days)), parseDecimal(b)];
  if (left === null || right === null) return Number.NaN;
  const scale = Math.max(left.scale, right.scale);
  const [x, y] = [left, right].map((one) => one.steps * 10n ** BigInt(scale - one.scale)) as [bigint, bigint];
  return x < y ? -1 : x > y ? 1 : 0;
}

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
}

/** What is different, in words; null where nothing is. */
export function difference(
  { rows, plan, more }: Expectation,
  actual: readonly EngineValue[][],
): string | null {
  const shown = plan.outputs.filter((output) => output.shown);
  const wrongWidth = actual.find((row) => row.length !== shown.length);
  if (wrongWidth !== undefined) return `${wrongWidth.length} columns where the plan has ${shown.length}`;
  const isExact = shown.map(({ kind }) => kind === "key" || kind === "count" || kind === "sum");
  const nameOf = (values: readonly (EngineValue | undefined)[]) =>
    JSON.stringify(
      values.filter((_, at) => isExact[at]).map((value) => (value === null ? null : String(value))),
    );
  // Rows whose key is null are in no group.
  const keyed = actual.filter((row) =>
    shown.every((output, at) => output.kind !== "key" || row[at] !== null),
  );
  const found = Map.groupBy(keyed, (row) =>
    nameOf(row.map((value) => (typeof value === "string" ? plain(value) : value))),
  );
  const named = (row: ExpectedRow) =>
    nameOf(row.cells.map((cell) => (cell.kind === "exact" ? cell.value : undefined)));
  const passing = rows.filter(({ passes }) => passes !== false);
  const isLimited = plan.post.limit !== null;
  const mayMiss = isLimited || passing.some(({ passes }) => passes === null);
  const wanted = Map.groupBy(passing, named);
  for (const [name, own] of wanted) {
    const [row, second] = own;
    const [match, other] = found.get(name) ?? [];
    if (!mayMiss && (found.get(name)?.length ?? 0) < own.length) return `no row ${name}`;
    if (match === undefined || second !== undefined || other !== undefined) continue;
    for (const [at, cell] of row!.cells.entries()) {
      const problem = cellDifference(cell, match[at]!);
      if (problem !== null) return `${shown[at]!.name} of ${name}: ${problem}`;
    }
  }
  if (!more)
    for (const [name, own] of found)
      if (own.length > (wanted.get(name)?.length ?? 0)) return `a row ${name} that the plan does not have`;
  if (isLimited) {
    const hasNull = keyed.length < actual.length || more || rows.some(({ passes }) => passes === null);
    if (actual.length > plan.post.limit!) return `${actual.length} rows above LIMIT`;
    if (!hasNull && plan.keys.length === 0 && actual.length < Math.min(passing.length, plan.post.limit!))
      return `${actual.length} rows where LIMIT leaves more`;
  }
  return orderDifference(plan, shown, keyed);
}

function cellDifference(cell: Expected, value: EngineValue): string | null {
  switch (cell.kind) {
    case "exact":
    case "absent":
      return null;
    case "near": {
      const isSame =
        cell.value === null || value === null ? cell.value === value : isNear(cell.value, Number(value));
      return isSame ? null : `${value} instead of ${cell.value}`;
    }
    case "between": {
      if (value === null) return "null";
      const days = cell.isDate ? dateToDays(String(value).slice(0, 10)) : null;
      const steps = days === null ? Number(value) * 10 ** cell.scale : Number(days);
      const slack = tolerance * Math.max(1, Math.abs(steps));
      return steps >= cell.low - slack && steps < cell.high + slack
        ? null
        : `${value} outside of ${cell.low} ... ${cell.high}`;
    }
  }
}

/** Whether the rows come as ORDER BY says, by what is neither null nor a text. */
function orderDifference(plan: Plan, shown: Output[], rows: readonly EngineValue[][]): string | null {
  const items = plan.post.order.map(({ output, descending }) => {
    return { at: shown.indexOf(plan.outputs[output]!), descending };
  });
  const compare = (a: EngineValue[], b: EngineValue[]): number => {
    for (const { at, descending } of items) {
      const [x, y] = [a[at], b[at]];
      if (at < 0 || x === null || y === null || x === undefined || y === undefined) return 0;
      if (/[^\d.-]/.test(`${x}${y}`) && !/^(?:true|false)/.test(String(x)) && dateToDays(String(x)) === null)
        return 0;
      const order = compareLabels(String(x), String(y));
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  };
  const wrong = rows.findIndex((row, at) => at > 0 && compare(rows[at - 1]!, row) > 0);
  return wrong < 0 ? null : `row ${wrong + 1} comes too late for ORDER BY`;
}
