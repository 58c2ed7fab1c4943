/**
 * A plan as PostgreSQL statements: one for counts, sums and people, one for each vector of buckets; all of them see one snapshot. Only
 * checked names, integer literals and quoted texts of the manifest go into them. Aggregates are PostgreSQL's own over immutable operators,
 * so that a foreign server can do its part.
 *
 * Where persons are counted or bounded, rows are first added up by person and group, then by group. Of a person with more than the allowed
 * groups those are taken whose keyed hash with the person is least: the choice depends on nobody else.
 */
import {
  type Expression,
  type GroupKey,
  groupCountOf,
  openGroupsMax,
  type Plan,
  rowsPerPersonOf,
  type Vector,
} from "../../data-sharing/plan/plan.ts";
import { assert } from "../../primitives/assert.ts";
import {
  clamped,
  expressionSql,
  inType,
  membership,
  quotient,
  type Scope,
  shifted,
  squared,
  type Value,
} from "./expressions.ts";
import { type OpenRows, openRows, type RowsOptions } from "./rows.ts";

export interface Statement {
  /** Gives, for each group that has rows: the keys' values, with an open text key the texts, the bucket if there is one, the numbers. */
  sql: string;
  /** The vectors of the numbers; of one of buckets it is the only one. */
  vectors: number[];
  hasBucket: boolean;
}

type Buckets = Extract<Vector, { kind: "buckets" }>;

export function compilePlan(plan: Plan, options: RowsOptions): Statement[] {
  const compiler = new Compiler(plan, options);
  const scalars = [...plan.vectors.keys()].filter((at) => plan.vectors[at]!.kind !== "buckets");
  const isSparse = groupCountOf(plan) === null;
  return [
    // Which open groups there are is asked even where nothing but buckets is.
    ...(scalars.length > 0 || isSparse ? [compiler.scalars(scalars)] : []),
    ...plan.vectors.flatMap((vector, at) =>
      vector.kind === "buckets" ? [compiler.buckets(vector, at)] : [],
    ),
  ];
}

class Compiler {
  readonly #plan: Plan;
  readonly #options: RowsOptions;
  readonly #isSparse: boolean;
  /** What a person's total is held to in a group; null where no person has more rows anyway. */
  readonly #rowsPerGroup: number | null;
  readonly #groups: number | null;
  readonly #rowsMax: bigint;

  constructor(plan: Plan, options: RowsOptions) {
    this.#plan = plan;
    this.#options = options;
    const groups = groupCountOf(plan);
    this.#isSparse = groups === null;
    this.#rowsMax = rowsPerPersonOf(plan.rows);
    const { bounding } = plan;
    const isBounded = bounding.kind === "query";
    this.#rowsPerGroup =
      isBounded && this.#rowsMax > BigInt(bounding.rowsPerGroup) ? bounding.rowsPerGroup : null;
    const groupsOfPerson = groups === null || this.#rowsMax < BigInt(groups) ? this.#rowsMax : BigInt(groups);
    this.#groups = isBounded && groupsOfPerson > BigInt(bounding.groups) ? bounding.groups : null;
  }

  scalars(vectors: number[]): Statement {
    const wanted = vectors.map((at) => this.#plan.vectors[at]!);
    const countsPeople = wanted.some((vector) => vector.kind === "people") && this.#rowsMax > 1n;
    const byPerson = countsPeople || this.#rowsPerGroup !== null || this.#groups !== null;
    const sql = byPerson ? this.#scalarsByPerson(wanted) : this.#scalarsByRow(wanted);
    return { sql, vectors, hasBucket: false };
  }

  #scalarsByRow(vectors: readonly Vector[]): string {
    const rows = openRows(this.#plan.rows, this.#options);
    const keys = this.#keys(rows.scope);
    // No row of a person stands beside another one, so that rows are people.
    const numbers = vectors.map((vector) =>
      vector.kind === "people" ? "count(*)" : totalOf(vector, rows.scope).sql,
    );
    return this.#grouped(
      [...keys.values, ...keys.texts, ...numbers],
      rows.sql(keys.conditions),
      keys.values.length,
    );
  }

  #scalarsByPerson(vectors: readonly Vector[]): string {
    const rows = openRows(this.#plan.rows, this.#options);
    const keys = this.#keys(rows.scope);
    const totals = vectors.map((vector) => (vector.kind === "people" ? null : totalOf(vector, rows.scope)));
    const names = keys.values.map((_, at) => `k${at}`);
    const items = [
      `${rows.person} AS person_`,
      ...keys.values.map((sql, at) => `${sql} AS k${at}`),
      ...keys.texts.map((sql, at) => `${sql} AS x${at}`),
      "count(*) AS rows_",
      ...totals.map((total, at) => `${total === null ? "1" : total.sql} AS v${at}`),
    ];
    const grouping = [1, ...names.map((_, at) => at + 2)].join(", ");
    const inner = `(SELECT ${items.join(", ")} ${rows.sql(keys.conditions)} GROUP BY ${grouping})`;
    const numbers = totals.map((total, at) =>
      total === null ? "count(*)" : `sum(${this.#scaled({ sql: `v${at}`, type: total.type })})`,
    );
    const texts = keys.texts.map((_, at) => `min(x${at})`);
    return this.#grouped(
      [...names, ...texts, ...numbers],
      this.#ofChosenGroups(inner, names, []),
      names.length,
    );
  }

  buckets(vector: Buckets, at: number): Statement {
    const rows = openRows(this.#plan.rows, this.#options);
    const keys = this.#keys(rows.scope);
    const bucket = bucketSql(vector, rows.scope);
    const isBounded = this.#rowsPerGroup !== null || this.#groups !== null;
    const sql = isBounded
      ? this.#bucketsByPerson(rows, keys, bucket)
      : this.#grouped(
          [...keys.values, ...keys.texts, bucket.sql, "count(*)"],
          rows.sql([...keys.conditions, ...presence(bucket)]),
          keys.values.length,
          keys.values.length + keys.texts.length + 1,
        );
    return { sql, vectors: [at], hasBucket: true };
  }

  #bucketsByPerson(rows: OpenRows, keys: Keys, bucket: Value): string {
    const names = keys.values.map((_, at) => `k${at}`);
    const items = [
      `${rows.person} AS person_`,
      ...keys.values.map((sql, at) => `${sql} AS k${at}`),
      `${bucket.sql} AS bucket_`,
      ...keys.texts.map((sql, at) => `${sql} AS x${at}`),
      "count(*) AS count_",
    ];
    const grouping = [1, ...names.map((_, at) => at + 2), names.length + 2].join(", ");
    const counted = `(SELECT ${items.join(", ")} ${rows.sql(keys.conditions)} GROUP BY ${grouping})`;
    // Rows without a bucket count among those of the person in the group.
    const window = `PARTITION BY ${["person_", ...names].join(", ")}`;
    const inner = `(SELECT *, CAST(sum(count_) OVER (${window}) AS bigint) AS rows_ FROM ${counted} AS counted)`;
    const number = `sum(${this.#scaled({ sql: "count_", type: "bigint" })})`;
    const texts = keys.texts.map((_, at) => `min(x${at})`);
    return this.#grouped(
      [...names, ...texts, "bucket_", number],
      this.#ofChosenGroups(inner, names, ["bucket_ IS NOT NULL"]),
      names.length,
      names.length + texts.length + 1,
    );
  }

  /** A person's total held to `rowsPerGroup` rows' worth, rounded toward zero. */
  #scaled(total: Pick<Value, "sql" | "type">): string {
    if (this.#rowsPerGroup === null) return total.sql;
    const share = `div(${inType(total, "numeric")} * ${this.#rowsPerGroup}, CAST(rows_ AS numeric))`;
    return `CASE WHEN rows_ > ${this.#rowsPerGroup} THEN ${share} ELSE ${inType(total, "numeric")} END`;
  }

  /** FROM the totals of persons in groups, those groups alone in which a person counts. */
  #ofChosenGroups(inner: string, names: readonly string[], conditions: readonly string[]): string {
    const where = (all: readonly string[]) => (all.length === 0 ? "" : ` WHERE ${all.join(" AND ")}`);
    if (this.#groups === null) return `FROM ${inner} AS totals${where(conditions)}`;
    const hash = `md5(${this.#options.secret()} || concat_ws('/', ${["person_", ...names].join(", ")}))`;
    // Rows of one group, where there are several, have one place.
    const place = `dense_rank() OVER (PARTITION BY person_ ORDER BY ${[hash, ...names].join(", ")})`;
    const chosen = `(SELECT *, ${place} AS place_ FROM ${inner} AS totals)`;
    return `FROM ${chosen} AS chosen${where([`place_ <= ${this.#groups}`, ...conditions])}`;
  }

  #grouped(items: readonly string[], from: string, keys: number, bucket: number | null = null): string {
    const by = [...Array.from({ length: keys }, (_, at) => at + 1), ...(bucket === null ? [] : [bucket])];
    const grouping = by.length === 0 ? "" : ` GROUP BY ${by.join(", ")}`;
    // One more than allowed, so that it is seen.
    const limit = this.#isSparse && bucket === null ? ` LIMIT ${openGroupsMax + 1}` : "";
    return `SELECT ${items.join(", ")} ${from}${grouping}${limit}`;
  }

  #keys(scope: Scope): Keys {
    const keys = this.#plan.keys.map((key) => ({ key, value: expressionSql(key.expression, scope) }));
    return {
      values: keys.map(({ value }) => value.sql),
      texts: keys.flatMap(({ key, value }) =>
        isTextKey(key) ? [labelSql(key.expression, value, scope)] : [],
      ),
      conditions: keys
        .flatMap(({ key, value }) =>
          key.kind === "declared" ? [membership(value, key.values.map(BigInt))] : presence(value),
        )
        .filter((condition) => condition !== "true"),
    };
  }
}

interface Keys {
  values: string[];
  /** Aggregates, one for each open text key. */
  texts: string[];
  conditions: string[];
}

export function isTextKey(key: GroupKey): boolean {
  return key.kind === "open" && key.type === "text";
}

/** The text behind the codes of a group: of whichever column of the expression has the code. */
function labelSql(expression: Expression, { sql }: Value, scope: Scope): string {
  if (expression.kind === "column") {
    const text = scope.get(expression.name)?.text ?? null;
    return text === null ? "CAST(NULL AS text)" : `min(${text})`;
  }
  const columns = columnsIn(expression).flatMap((name) => {
    const column = scope.get(name);
    return column?.text == null ? [] : [`WHEN ${column.sql} = ${sql} THEN ${column.text}`];
  });
  return columns.length === 0 ? "CAST(NULL AS text)" : `min(CASE ${columns.join(" ")} END)`;
}

/** Columns that an expression may take its value from as it is. */
function columnsIn(expression: Expression): string[] {
  if (expression.kind === "column") return [expression.name];
  if (expression.kind !== "case") return [];
  return [...expression.branches.map(({ value }) => value), expression.otherwise].flatMap(columnsIn);
}

/** An aggregate: what rows add to the one cell of a group, 0 where there are none or only nulls. */
function totalOf(vector: Exclude<Vector, { kind: "people" }>, scope: Scope): Pick<Value, "sql" | "type"> {
  if (vector.kind === "count") {
    const counted = vector.of === null ? null : expressionSql(vector.of, scope);
    return { sql: counted?.isNullable ? `count(${counted.sql})` : "count(*)", type: "bigint" };
  }
  assert(vector.kind !== "buckets", "buckets have a statement of their own");
  const inside = clamped(expressionSql(vector.of, scope), BigInt(vector.low), BigInt(vector.high));
  const value = shifted(inside, BigInt(vector.centre));
  // The sum of bigints is a numeric, and has no bound.
  return {
    sql: `coalesce(sum(${(vector.kind === "squares" ? squared(value) : value).sql}), 0)`,
    type: "numeric",
  };
}

function bucketSql({ of, low, step, buckets }: Buckets, scope: Scope): Value {
  const [first, width] = [BigInt(low), BigInt(step)];
  const last = first + width * BigInt(buckets) - 1n;
  const offset = shifted(clamped(expressionSql(of, scope), first, last), first);
  const bucket = width === 1n ? offset : quotient(offset, width);
  return { ...bucket, sql: inType(bucket, "bigint"), type: "bigint" };
}

function presence({ sql, isNullable }: Value): string[] {
  return isNullable ? [`${sql} IS NOT NULL`] : [];
}
