/**
 * The relational plan: what a question means, apart from how it was written. Integers only, as columns are stored (see
 * `manifests/dataset-manifest.ts`), so that every engine gives the same numbers. The plan is plain JSON; two questions that mean the
 * same have the same plan and so the same hash (`plan-hash.ts`). All whole numbers that may exceed 2^53 are decimal strings.
 *
 * Rows (scan, unit join, public join, one row per person, filter) -> bounding -> GroupBy(declared domain | threshold) -> Vectors ->
 * Releases -> Outputs -> Post (post-processing). The privacy unit is followed all the way: every row of every source has one person.
 */

/** A total integer function of one row; null where SQL gives null. */
export type Expression =
  /** `wage`; in a join `0.wage` with the number of the source, or `p0.income` of a public table. */
  | { kind: "column"; name: string }
  | { kind: "constant"; value: string }
  | { kind: "null" }
  | { kind: "add" | "multiply"; operands: Expression[] }
  /** left - right */
  | { kind: "subtract"; left: Expression; right: Expression }
  /** Floor of a non-negative expression over a positive constant. */
  | { kind: "divide"; left: Expression; divisor: string }
  /** Of days since 1970-01-01, in the years 1 to 9999. */
  | { kind: "date-part"; part: DatePart; of: Expression }
  /** The first branch whose condition is true. */
  | { kind: "case"; branches: { when: Predicate; value: Expression }[]; otherwise: Expression };

/** As EXTRACT gives them: `dow` counts from Sunday, 0; `doy` from 1. */
export type DatePart = "year" | "quarter" | "month" | "day" | "dow" | "doy";

/** Three-valued, as in SQL; a row passes where it is true. */
export type Predicate =
  | { kind: "always" }
  | { kind: "never" }
  | { kind: "compare"; operator: "=" | "<" | "<="; left: Expression; right: Expression }
  | { kind: "in"; expression: Expression; values: string[] }
  | { kind: "is-null"; column: string }
  | { kind: "and" | "or"; operands: Predicate[] }
  | { kind: "not"; operand: Predicate };

/** What every row comes from; a row of several sources is one of each, all of the same person. */
export interface Rows {
  sources: Source[];
  publicJoins: PublicJoin[];
  /** Over the joined rows. */
  filter: Predicate;
}

export type Source =
  /** At most `rowsPerPerson` rows of a person, the first ones by a rank that says nothing about them. */
  | { kind: "table"; table: string; rowsPerPerson: number }
  /** One row for each person with rows: SELECT ... GROUP BY person. */
  | { kind: "people"; rows: Rows; columns: PersonColumn[] };

/** A column of a person's one row. A sum over nulls alone is 0, the least and the greatest of them are null. */
export interface PersonColumn {
  name: string;
  aggregate: "count" | "sum" | "minimum" | "maximum";
  /** Null for COUNT(*). */
  of: Expression | null;
}

/** A table that anyone may see, written out. A row is joined with each of its rows of the same key, and with none where there is none. */
export interface PublicJoin {
  /** The private side of each key column. */
  on: Expression[];
  /** Of the values after the key: `name` becomes the column `p<place of the join>.name`. */
  columns: string[];
  /** The key's values, then those of the columns; ascending. A row that stands twice is joined twice. */
  rows: string[][];
}

/** How much of one person counts. */
export type Bounding =
  /** What the sources let through. */
  | { kind: "stored" }
  /**
   * In each group at most `rowsPerGroup` rows' worth: where a person has k more, each of his totals T there becomes T * rowsPerGroup / k,
   * rounded toward zero. At most `groups` groups, chosen by that person's rows alone.
   */
  | { kind: "query"; rowsPerGroup: number; groups: number };

export type GroupKey =
  /** Rows whose key is null or outside of the domain belong to no group. */
  | {
      kind: "declared";
      expression: Expression;
      /** Values of the expression, ascending, none twice. */
      values: string[];
      /** What people call them, in the same order. */
      labels: string[];
    }
  /** Any value but null; which ones there are is itself private, and released above a threshold only. */
  | { kind: "open"; expression: Expression; type: "number" | "date" | "text"; scale: number };

/** Exact integers per group, `cellsOf` of them. */
export type Vector =
  /** Rows, or rows where `of` is not null. */
  | { kind: "count"; of: Expression | null }
  /** Persons with a row, each once. */
  | { kind: "people" }
  /** Sum over rows of clamp(expression, low, high) - centre; null counts as nothing. */
  | { kind: "sum"; of: Expression; low: string; high: string; centre: string }
  /** Of the square of that. */
  | { kind: "squares"; of: Expression; low: string; high: string; centre: string }
  /** Rows by floor((expression - low) / step), held to 0 ... buckets - 1; null counts as nothing. */
  | { kind: "buckets"; of: Expression; low: string; step: string; buckets: number };

export type Release =
  /** Every cell of the vector with discrete Gaussian noise. `sensitivitySquared` is the square of the largest L2 change by one person. */
  | { mechanism: "gaussian"; vector: number; sensitivitySquared: string; microRho: string }
  /**
   * One candidate for each group, by the exponential mechanism: of the values first + j * step, j counting the vector's buckets, one near
   * the place quantile * n + offset among the group's n rows. `sensitivity` is the largest change of a score by one person.
   */
  | {
      mechanism: "exponential";
      vector: number;
      quantile: { numerator: string; denominator: string };
      offset: string;
      first: string;
      sensitivity: string;
      microRho: string;
    };

/** A column of the answer, computed from released numbers and nothing else. `scale` decimal places. */
export type Output = { name: string /** Or only for HAVING and ORDER BY. */; shown: boolean } & (
  | { kind: "key"; key: number }
  /** `cell` is 0 but for the buckets of a histogram; its release's vector is count, people or buckets. */
  | {
      kind: "count";
      release: number;
      cell: number /** What a bucket holds: `0 to 10`, the upper end outside. */;
      label?: string;
    }
  /** The vector's centre is zero. */
  | { kind: "sum"; release: number; scale: number }
  /** centre + sum / count; `scale` is that of what is averaged, shown with two more places. */
  | { kind: "average"; sum: number; count: number; scale: number }
  /** squares / count - (sum / count)^2, times count / (count - 1) for a sample; `root` for the standard deviation. */
  | {
      kind: "variance";
      squares: number;
      sum: number;
      count: number;
      scale: number;
      sample: boolean;
      root: boolean;
    }
  | { kind: "quantile"; release: number; type: "number" | "date"; scale: number }
);

/** Of a row of the answer; false where a value is not shown. `value` is an exact decimal. */
export type AnswerCondition =
  | { kind: "compare"; operator: "=" | "<" | "<=" | ">" | ">="; output: number; value: string }
  | { kind: "and" | "or"; operands: AnswerCondition[] }
  | { kind: "not"; operand: AnswerCondition };

/** What is done with the rows of the answer, by whoever shows it. */
export interface Post {
  having: AnswerCondition | null;
  order: { output: number; descending: boolean }[];
  limit: number | null;
}

export interface Plan {
  version: "itd-plan/2";
  rows: Rows;
  bounding: Bounding;
  keys: GroupKey[];
  vectors: Vector[];
  releases: Release[];
  /** The released count by which a group counts as too small; it is suppressed below `minimum`. Always present. */
  floor: { release: number; minimum: number };
  /** With an open key: the released number of people below which a group is not shown at all. */
  threshold: { release: number; minimum: string } | null;
  /** The sum of what the releases cost. */
  microRho: string;
  outputs: Output[];
  post: Post;
}

/** Released integers of one answer: drawing their noise takes the process about half a second, and the answer has about 300 KB. */
export const cellsMax = 20_000;
/** Exact integers that an engine may have to find for one answer; more are needed where candidates are counted and one is released. */
export const exactCellsMax = 400_000;
/** Groups with an open key that an engine may find. */
export const openGroupsMax = 20_000;
/** Integers of an answer with an open key: most of them are zero, and all are kept in memory. */
const openCellsMax = 4_000_000;

/** How many groups with an open key an engine finds for this plan; where there are more it fails. */
export function openGroupsMaxOf({ vectors }: Pick<Plan, "vectors">): number {
  const cells = vectors.reduce((sum, vector) => sum + cellsOf(vector), 0);
  return Math.min(openGroupsMax, Math.floor(openCellsMax / cells));
}

/** How many groups the declared domains span; 1 without keys. Null with an open key: the data says how many. */
export function groupCountOf(plan: Pick<Plan, "keys">): number | null {
  let count = 1;
  for (const key of plan.keys) {
    if (key.kind === "open") return null;
    count *= key.values.length;
  }
  return count;
}

/** Integers of one group. */
export function cellsOf(vector: Vector): number {
  return vector.kind === "buckets" ? vector.buckets : 1;
}

/** Released integers of one group. */
export function releasedCellsOf(plan: Pick<Plan, "vectors">, release: Release): number {
  return release.mechanism === "exponential" ? 1 : cellsOf(plan.vectors[release.vector]!);
}

/** The most rows of one person, by joining any of each source with any other. */
export function rowsPerPersonOf({ sources, publicJoins }: Rows): bigint {
  const own = sources.map((source) => (source.kind === "table" ? BigInt(source.rowsPerPerson) : 1n));
  return [...own, ...publicJoins.map(matchesMax)].reduce((a, b) => a * b, 1n);
}

/** The most rows of a public table with one key; at least 1. */
function matchesMax({ on, rows }: PublicJoin): bigint {
  const matches = new Map<string, bigint>();
  for (const row of rows) {
    const key = row.slice(0, on.length).join(" ");
    matches.set(key, (matches.get(key) ?? 0n) + 1n);
  }
  return [...matches.values()].reduce((a, b) => (a > b ? a : b), 1n);
}
