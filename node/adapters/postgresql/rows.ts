/**
 * The rows of a plan as SQL: tables with their columns converted and bounded per person, one row for each person, joins, filter. A column
 * enters a statement only if something names it.
 */
import type { Interval } from "../../data-sharing/plan/columns.ts";
import {
  type PersonColumn,
  type PublicJoin,
  type Rows,
  rowsPerPersonOf,
  type Source,
} from "../../data-sharing/plan/plan.ts";
import { assert } from "../../primitives/assert.ts";
import { conversionOf } from "./convert-columns.ts";
import { type DatasetSources, type DatasetTableSource, personSql, somebodySql } from "./dataset-tables.ts";
import {
  expressionSql,
  largest,
  least,
  magnitudeOf,
  predicateSql,
  type Scope,
  type ScopeColumn,
} from "./expressions.ts";
import { quoted, typed, typeFor } from "./sql-text.ts";

export interface RowsOptions {
  sources: DatasetSources;
  /** Tables of which each person has no more rows than plans take: no window is needed. */
  bounded: ReadonlySet<string>;
  /** What is read in place of a table: one of its partitions. */
  instead: ReadonlyMap<string, string>;
  /** A condition on the person of each row; null where everybody takes part. */
  takesPart: ((person: string) => string) | null;
  /** SQL of a secret text that is the same for every statement over the dataset. */
  secret: () => string;
}

/** Rows that are being named: what is asked of the scope will be in the statement. */
export interface OpenRows {
  scope: LazyScope;
  person: string;
  /** FROM ... WHERE ..., once all columns were named. */
  sql(conditions?: readonly string[]): string;
}

/** A scope in which columns come into being as they are asked for. */
export class LazyScope implements Scope {
  readonly #columns = new Map<string, ScopeColumn>();
  readonly #create: (name: string) => ScopeColumn | undefined;

  constructor(create: (name: string) => ScopeColumn | undefined) {
    this.#create = create;
  }

  get(name: string): ScopeColumn | undefined {
    const known = this.#columns.get(name);
    if (known !== undefined) return known;
    const column = this.#create(name);
    if (column !== undefined) this.#columns.set(name, column);
    return column;
  }
}

export function openRows(rows: Rows, options: RowsOptions): OpenRows {
  const isJoin = rows.sources.length > 1;
  const sources = rows.sources.map((source, at) => openSource(source, `s${at}`, options));
  const publics = rows.publicJoins.map((join, at) => new PublicRows(join, `p${at}`));
  const [first] = sources;
  assert(first !== undefined, "rows come from somewhere");
  const scope = new LazyScope((name) => {
    const [prefix, inner] = name.includes(".") ? name.split(".") : ["", name];
    if (prefix?.startsWith("p")) return publics[Number(prefix.slice(1))]?.column(inner!);
    if (isJoin !== name.includes(".")) return undefined;
    return sources[isJoin ? Number(prefix) : 0]?.column(inner!);
  });
  const filter = predicateSql(rows.filter, scope);
  const matches = rows.publicJoins.map((join, at) =>
    join.on.map((part, key) => `${expressionSql(part, scope).sql} = p${at}.k${key}`).join(" AND "),
  );
  return {
    scope,
    person: "s0.person_",
    sql: (conditions = []) => {
      const joined = sources.map((source, at) =>
        at === 0
          ? `${source.sql(isJoin)} AS s0`
          : ` JOIN ${source.sql(true)} AS s${at} ON s${at}.person_ = s0.person_`,
      );
      const public_ = publics.map((join, at) => ` JOIN ${join.sql()} ON ${matches[at]}`);
      const all = [...(filter === "true" ? [] : [filter]), ...conditions];
      return `FROM ${joined.join("")}${public_.join("")}${all.length === 0 ? "" : ` WHERE ${all.join(" AND ")}`}`;
    },
  };
}

interface OpenSource {
  column(name: string): ScopeColumn | undefined;
  /** A subquery in parentheses, with `person_` beside the columns. */
  sql(isJoined: boolean): string;
}

function openSource(source: Source, alias: string, options: RowsOptions): OpenSource {
  if (source.kind === "people") return openPeople(source, alias, options);
  const table = options.sources.tables.get(source.table);
  assert(table !== undefined, "a plan names tables of its dataset");
  // A person has no more rows than the manifest says, whatever a plan counts on.
  return openTable(table, Math.min(source.rowsPerPerson, table.rowsPerPerson), alias, options);
}

function openTable(
  table: DatasetTableSource,
  rowsPerPerson: number,
  alias: string,
  options: RowsOptions,
): OpenSource {
  assert(Number.isSafeInteger(rowsPerPerson) && rowsPerPerson > 0, "rows per person are a number");
  const selected: string[] = [];
  return {
    column: (name) => {
      const place = table.columns.findIndex(({ column }) => column.name === name);
      if (place < 0) return undefined;
      const { column, source } = table.columns[place]!;
      const { value, text } = conversionOf(column, source, `t.${quoted(source.name)}`);
      selected.push(`${value} AS c${place}`, ...(text === null ? [] : [`${text} AS t${place}`]));
      return {
        sql: `${alias}.c${place}`,
        text: text === null ? null : `${alias}.t${place}`,
        type: "bigint",
        range: column.range,
        isNullable: column.nullable,
      };
    },
    sql: () => {
      const rows = tableRows(table, selected, options);
      const isBounded =
        options.bounded.has(table.name) || (table.isUnique && !options.instead.has(table.name));
      if (isBounded) return `(${rows})`;
      const names = ["person_", ...selected.map((item) => item.slice(item.lastIndexOf(" ") + 1))];
      return `(SELECT ${names.join(", ")} FROM (${tableRows(table, [...selected, rankSql(table, options)], options)}) AS ranked WHERE rank_ <= ${rowsPerPerson})`;
    },
  };
}

/** The table's whole rows, those of people; `selected` beside the person. */
export function tableRows(
  table: DatasetTableSource,
  selected: readonly string[],
  options: RowsOptions,
): string {
  const person = personSql(table, options.sources.personType, "t");
  const conditions = [
    ...somebodySql(table, "t"),
    ...table.columns.flatMap(({ column, source }) => {
      if (column.nullable) return [];
      const sql = `t.${quoted(source.name)}`;
      const { valid } = conversionOf(column, source, sql);
      return valid ?? (source.isNotNull ? [] : `${sql} IS NOT NULL`);
    }),
    ...(options.takesPart === null ? [] : [options.takesPart(person)]),
  ];
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  const from = options.instead.get(table.name) ?? table.from;
  return `SELECT ${[`${person} AS person_`, ...selected].join(", ")} FROM ${from} AS t${where}`;
}

/**
 * The place of a row among its person's: by a keyed hash of what the row holds, so that it depends on nobody else and on no order in which
 * rows were written, and stays for every question. Rows with one hash are equal to every plan.
 */
function rankSql(table: DatasetTableSource, options: RowsOptions): string {
  const person = personSql(table, options.sources.personType, "t");
  const values = table.columns.map(({ source }) => `t.${quoted(source.name)}`);
  const hash = `md5(${options.secret()} || CAST(ROW(${values.join(", ")}) AS text))`;
  return `row_number() OVER (PARTITION BY ${person} ORDER BY ${hash}) AS rank_`;
}

function openPeople(
  { rows, columns }: Extract<Source, { kind: "people" }>,
  alias: string,
  options: RowsOptions,
): OpenSource {
  const inner = openRows(rows, options);
  const rowsMax = rowsPerPersonOf(rows);
  const selected: string[] = [];
  return {
    column: (name) => {
      const place = columns.findIndex((column) => column.name === name);
      if (place < 0) return undefined;
      const { sql, range, isNullable } = personColumn(columns[place]!, inner.scope, rowsMax);
      const type = typeFor(magnitudeOf(range));
      selected.push(`CAST(${sql} AS ${type}) AS c${place}`);
      return { sql: `${alias}.c${place}`, text: null, type, range, isNullable };
    },
    sql: () => {
      const items = [`${inner.person} AS person_`, ...selected];
      return `(SELECT ${items.join(", ")} ${inner.sql()} GROUP BY 1)`;
    },
  };
}

function personColumn(
  { aggregate, of }: PersonColumn,
  scope: LazyScope,
  rowsMax: bigint,
): { sql: string; range: Interval; isNullable: boolean } {
  if (of === null) {
    assert(aggregate === "count", "only COUNT takes all rows");
    return { sql: "count(*)", range: { low: 0n, high: rowsMax }, isNullable: false };
  }
  const { sql, range, isNullable } = expressionSql(of, scope);
  switch (aggregate) {
    case "count":
      return { sql: `count(${sql})`, range: { low: 0n, high: rowsMax }, isNullable: false };
    case "sum":
      return {
        sql: `coalesce(sum(${sql}), 0)`,
        range: { low: least([0n, rowsMax * range.low]), high: largest([0n, rowsMax * range.high]) },
        isNullable: false,
      };
    case "minimum":
    case "maximum":
      return { sql: `${aggregate === "minimum" ? "min" : "max"}(${sql})`, range, isNullable };
  }
}

/** A public table as constant rows: `k0`, `k1`, ... are its key, `c0`, ... its columns. */
class PublicRows {
  readonly #join: PublicJoin;
  readonly #alias: string;

  constructor(join: PublicJoin, alias: string) {
    this.#join = join;
    this.#alias = alias;
  }

  column(name: string): ScopeColumn | undefined {
    const place = this.#join.columns.indexOf(name);
    if (place < 0) return undefined;
    const range = this.#rangeOf(this.#join.on.length + place);
    return {
      sql: `${this.#alias}.c${place}`,
      text: null,
      type: typeFor(magnitudeOf(range)),
      range,
      isNullable: false,
    };
  }

  sql(): string {
    const { on, columns, rows } = this.#join;
    const names = [...on.map((_, at) => `k${at}`), ...columns.map((_, at) => `c${at}`)];
    const types = names.map((_, at) => typeFor(magnitudeOf(this.#rangeOf(at))));
    if (rows.length === 0) {
      const nothing = names.map((name, at) => `CAST(NULL AS ${types[at]}) AS ${name}`);
      return `(SELECT ${nothing.join(", ")} WHERE false) AS ${this.#alias}`;
    }
    const lines = rows.map(
      (row) => `(${row.map((value, at) => typed(BigInt(value), types[at]!)).join(", ")})`,
    );
    return `(VALUES ${lines.join(", ")}) AS ${this.#alias}(${names.join(", ")})`;
  }

  #rangeOf(at: number): Interval {
    const values = this.#join.rows.map((row) => BigInt(row[at]!));
    return values.length === 0 ? { low: 0n, high: 0n } : { low: least(values), high: largest(values) };
  }
}
