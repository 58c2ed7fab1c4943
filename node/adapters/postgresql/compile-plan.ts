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
  predicateSql,
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
    const named = [...keys.values, ...keys.texts];
    return this.#grouped([...named, ...numbers], rows.sql(keys.conditions), named.length);
  }

  #scalarsByPerson(vectors: readonly Vector[]): string {
    const rows = openRows(this.#plan.rows, this.#options);
    const keys = this.#keys(rows.scope);
    const totals = vectors.map((vector) => (vector.kind === "people" ? null : totalOf(vector, rows.scope)));
    const names = namesOf(keys);
    const items = [
      `${rows.person} AS person_`,
      ...namedItems(keys),
      "count(*) AS rows_",
      ...totals.map((total, at) => `${total === null ? "1" : total.sql} AS v${at}`),
    ];
    const grouping = [1, ...names.map((_, at) => at + 2)].join(", ");
    const inner = `(SELECT ${items.join(", ")} ${rows.sql(keys.conditions)} GROUP BY ${grouping})`;
    const numbers = totals.map((total, at) =>
      total === null ? "count(*)" : `sum(${this.#scaled({ sql: `v${at}`, type: total.type })})`,
    );
    return this.#grouped([...names, ...numbers], this.#ofChosenGroups(inner, keys, []), names.length);
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
          keys.values.length + keys.texts.length,
          true,
        );
    return { sql, vectors: [at], hasBucket: true };
  }

  #bucketsByPerson(rows: OpenRows, keys: Keys, bucket: Value): string {
    const names = namesOf(keys);
    const items = [
      `${rows.person} AS person_`,
      ...namedItems(keys),
      `${bucket.sql} AS bucket_`,
      "count(*) AS count_",
    ];
    const grouping = [1, ...names.map((_, at) => at + 2), names.length + 2].join(", ");
    const counted = `(SELECT ${items.join(", ")} ${rows.sql(keys.conditions)} GROUP BY ${grouping})`;
    // Rows without a bucket count among those of the person in the group.
    const window = `PARTITION BY ${["person_", ...names].join(", ")}`;
    const inner = `(SELECT *, CAST(sum(count_) OVER (${window}) AS bigint) AS rows_ FROM ${counted} AS counted)`;
    const number = `sum(${this.#scaled({ sql: "count_", type: "bigint" })})`;
    return this.#grouped(
      [...names, "bucket_", number],
      this.#ofChosenGroups(inner, keys, ["bucket_ IS NOT NULL"]),
      names.length,
      true,
    );
  }

  /** A person's total held to `rowsPerGroup` rows' worth, rounded toward zero. */
  #scaled(total: Pick<Value, "sql" | "type">): string {
    if (this.#rowsPerGroup === null) return total.sql;
    const share = `div(${inType(total, "numeric")} * ${this.#rowsPerGroup}, CAST(rows_ AS numeric))`;
    return `CASE WHEN rows_ > ${this.#rowsPerGroup} THEN ${share} ELSE ${inType(total, "numeric")} END`;
  }

  /** FROM the totals of persons in groups, those groups alone in which a person counts. */
  #ofChosenGroups(inner: string, keys: Keys, conditions: readonly string[]): string {
    const where = (all: readonly string[]) => (all.length === 0 ? "" : ` WHERE ${all.join(" AND ")}`);
    if (this.#groups === null) return `FROM ${inner} AS totals${where(conditions)}`;
    const names = namesOf(keys);
    const codes = names.slice(0, keys.values.length);
    const hash = `md5(${this.#options.secret()} || concat_ws('/', ${["person_", ...codes].join(", ")}))`;
    // Rows of one group, where there are several, have one place.
    const place = `dense_rank() OVER (PARTITION BY person_ ORDER BY ${[hash, ...names].join(", ")})`;
    const chosen = `(SELECT *, ${place} AS place_ FROM ${inner} AS totals)`;
    return `FROM ${chosen} AS chosen${where([`place_ <= ${this.#groups}`, ...conditions])}`;
  }

  /** @param keys Of the items, the first ones; a bucket is the next one. */
  #grouped(items: readonly string[], from: string, keys: number, hasBucket = false): string {
    const by = Array.from({ length: hasBucket ? keys + 1 : keys }, (_, at) => at + 1);
    const grouping = by.length === 0 ? "" : ` GROUP BY ${by.join(", ")}`;
    // One more than allowed, so that it is seen.
    const limit = this.#isSparse && !hasBucket ? ` LIMIT ${openGroupsMax + 1}` : "";
    return `SELECT ${items.join(", ")} ${from}${grouping}${limit}`;
  }

  #keys(scope: Scope): Keys {
    const keys = this.#plan.keys.map((key) => ({ key, value: expressionSql(key.expression, scope) }));
    return {
      values: keys.map(({ value }) => value.sql),
      texts: keys.flatMap(({ key }) => (isTextKey(key) ? [labelSql(key.expression, scope)] : [])),
      conditions: keys
        .flatMap(({ key, value }) =>
          key.kind === "declared" ? [membership(value, key.values.map(BigInt))] : presence(value),
        )
        .filter((condition) => condition !== "true"),
    };
  }
}

/** Texts whose codes collide are two groups: nobody's rows come to stand under another's text, and each is one of a person's groups. */
interface Keys {
  values: string[];
  /** One for each open text key. */
  texts: string[];
  conditions: string[];
}

function namesOf({ values, texts }: Keys): string[] {
  return [...values.map((_, at) => `k${at}`), ...texts.map((_, at) => `x${at}`)];
}

function namedItems(keys: Keys): string[] {
  const names = namesOf(keys);
  return [...keys.values, ...keys.texts].map((sql, at) => `${sql} AS ${names[at]}`);
}

export function isTextKey(key: GroupKey): boolean {
  return key.kind === "open" && key.type === "text";
}

/** The text of the column from which a row has its code. No text of the SQL can stand beside those of an open domain. */
function labelSql(expression: Expression, scope: Scope): string {
  const none = "CAST(NULL AS text)";
  if (expression.kind === "column") return scope.get(expression.name)?.text ?? none;
  if (expression.kind !== "case") return none;
  const cases = expression.branches.map(
    ({ when, value }) => `WHEN ${predicateSql(when, scope)} THEN ${labelSql(value, scope)}`,
  );
  // Columns of two collations have none in common by which to group.
  return `CASE ${cases.join(" ")} ELSE ${labelSql(expression.otherwise, scope)} END COLLATE "C"`;
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
