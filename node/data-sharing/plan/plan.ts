/**
 * The relational plan: what a question means, apart from how it was written. Integers only, as columns are stored (see
 * `manifests/dataset-manifest.ts`), so that every engine gives the same numbers. The plan is plain JSON; two questions that mean the
 * same have the same plan and so the same hash (`plan-hash.ts`). All whole numbers that may exceed 2^53 are decimal strings.
 *
 * Scan(bounded rows per person) -> Filter -> GroupBy(declared domain) -> Vectors (COUNT, SUM) -> Release -> outputs (post-processing).
 */

/** A total integer function of one row; null where a nullable column is null. */
export type Expression =
  | { kind: "column"; name: string }
  | { kind: "constant"; value: string }
  | { kind: "add" | "multiply"; operands: Expression[] }
  /** left - right */
  | { kind: "subtract"; left: Expression; right: Expression }
  /** Floor of a non-negative expression over a positive constant. */
  | { kind: "divide"; left: Expression; divisor: string };

/** Three-valued, as in SQL; a row passes where it is true. */
export type Predicate =
  | { kind: "always" }
  | { kind: "never" }
  | { kind: "compare"; operator: "=" | "<" | "<="; left: Expression; right: Expression }
  | { kind: "in"; expression: Expression; values: string[] }
  | { kind: "is-null"; column: string }
  | { kind: "and" | "or"; operands: Predicate[] }
  | { kind: "not"; operand: Predicate };

/** A grouping key with its declared domain; rows whose key is null or outside of it belong to no group. */
export interface GroupKey {
  expression: Expression;
  /** Values of the expression, ascending, none twice. */
  values: string[];
  /** What people call them, in the same order. */
  labels: string[];
}

/** One released integer per group. */
export type Vector =
  /** Rows, or rows where `of` is not null. */
  | { kind: "count"; of: Expression | null }
  /** Sum over rows of clamp(expression, low, high) - centre; null counts as nothing. */
  | { kind: "sum"; of: Expression; low: string; high: string; centre: string };

/** Where each vector's noise comes from: discrete Gaussian of L2 sensitivity `sensitivity` at `microRho`. */
export interface VectorRelease {
  /** Largest L2 change of the vector when one person comes or goes, in the unit of the integer. */
  sensitivity: string;
  microRho: string;
}

/** A column of the answer, computed from released vectors and nothing else. `scale` decimal places. */
export type Output =
  | { kind: "key"; name: string; key: number }
  | { kind: "count"; name: string; vector: number }
  /** The vector's centre is zero. */
  | { kind: "sum"; name: string; vector: number; scale: number }
  /** centre + sum / count; `scale` is that of what is averaged, shown with two more places. */
  | { kind: "average"; name: string; sum: number; count: number; scale: number };

export interface Plan {
  version: "itd-plan/1";
  table: string;
  /** Rows of one person that may take part. */
  rowsPerPerson: number;
  filter: Predicate;
  keys: GroupKey[];
  vectors: Vector[];
  releases: VectorRelease[];
  /** The vector, a count of all rows, by which a group counts as too small; always present. */
  floor: { vector: number; minimumPeople: number };
  /** The sum of what the vectors cost. */
  microRho: string;
  outputs: Output[];
}

/** Released integers of one answer: drawing their noise takes the process about half a second, and the answer has about 300 KB. */
export const cellsMax = 20_000;

/** How many groups the domains span; 1 without keys. */
export function groupCountOf(plan: Pick<Plan, "keys">): number {
  return plan.keys.reduce((count, key) => count * key.values.length, 1);
}
