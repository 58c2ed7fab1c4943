/** Where a plan's rows come from, as FROM and WHERE: tables, joins on the person, one row per person, public tables written out. */
import {
  type PersonColumn,
  type PublicJoin,
  type Rows,
  rowsPerPersonOf,
  type Source,
} from "../../data-sharing/plan/plan.ts";
import { assert } from "../../primitives/assert.ts";
import { ExpressionCompiler, type Scope } from "./compile-expressions.ts";
import type { PersonRange } from "./compiled-plan.ts";
import {
  cast,
  hugeBits,
  largest,
  literal,
  magnitude,
  saturated,
  smallest,
  typeFor,
  type Value,
} from "./sql-values.ts";
import { type StoredTables, sqlName, tableName } from "./stored-columns.ts";

export interface CompiledRows {
  /** What follows FROM and WHERE; `withPeople` says of which people. */
  from: string;
  where: string;
  /** The number of the row's person. */
  person: string;
  columns: Scope;
  /** Whether the rows come in the order in which they are stored: by person. */
  inOrder: boolean;
}

/** Stand for a range's numbers until it is known. Nothing else in a statement has a colon. */
const [firstMark, lastMark] = [":first", ":last"];

/** The statement with the numbers of its people. */
export function withPeople(sql: string, { first, last }: PersonRange): string {
  assert(Number.isSafeInteger(first) && Number.isSafeInteger(last), "people have whole numbers");
  return sql.replaceAll(firstMark, String(first)).replaceAll(lastMark, String(last));
}

export class RowsCompiler {
  readonly #tables: StoredTables;
  readonly #inPieces: boolean;

  /** @param inPieces Whether the statement is for a range of people, which `withPeople` puts in. */
  constructor(tables: StoredTables, inPieces: boolean) {
    this.#tables = tables;
    this.#inPieces = inPieces;
  }

  rows(rows: Rows): CompiledRows {
    const { sources, publicJoins, filter } = rows;
    assert(sources.length > 0, "rows come from somewhere");
    const compiled = sources.map((source, at) => this.#source(source, `s${at}`));
    const columns = new Map<string, Value>();
    compiled.forEach((source, at) => {
      for (const [name, value] of source.columns)
        columns.set(sources.length > 1 ? `${at}.${name}` : name, value);
    });
    let from = compiled
      .map(({ item }, at) => (at === 0 ? item : `JOIN ${item} ON s${at}.person_ = s0.person_`))
      .join(" ");
    publicJoins.forEach((join, at) => {
      const compiler = new ExpressionCompiler(columns);
      const on = join.on.map(
        (expression, place) => `p${at}.c${place} = ${compiler.expression(expression).sql}`,
      );
      const { item, values } = publicTable(join, `p${at}`);
      from += ` JOIN ${item} ON ${on.join(" AND ")}`;
      for (const [name, value] of values) columns.set(`p${at}.${name}`, value);
    });
    const conditions = [
      ...compiled.flatMap((source) => source.conditions),
      new ExpressionCompiler(columns).predicate(filter),
    ];
    return {
      from,
      where: conditions.join(" AND "),
      person: "s0.person_",
      columns,
      inOrder: sources.length === 1 && sources[0]!.kind === "table" && publicJoins.length === 0,
    };
  }

  #source(source: Source, alias: string): { item: string; conditions: string[]; columns: Scope } {
    if (source.kind === "people") return { ...this.#people(source, alias), conditions: [] };
    const table = this.#tables.get(source.table);
    assert(table !== undefined, "a plan names tables of its dataset");
    const { rowsPerPerson } = source;
    assert(Number.isSafeInteger(rowsPerPerson) && rowsPerPerson > 0, "rows per person are a number");
    return {
      item: `${tableName(source.table)} AS ${alias}`,
      conditions: [
        // Also where the import kept no more: what the noise is measured by does not rest on another program's work.
        `${alias}.rank_ <= ${literal(BigInt(rowsPerPerson))}`,
        ...(this.#inPieces ? [`${alias}.person_ BETWEEN ${firstMark} AND ${lastMark}`] : []),
      ],
      columns: new Map(
        table.map(({ name, low, high }) => [
          name,
          { sql: `${alias}.${sqlName(name)}`, range: { low, high } },
        ]),
      ),
    };
  }

  #people(
    { rows, columns }: Extract<Source, { kind: "people" }>,
    alias: string,
  ): { item: string; columns: Scope } {
    const { from, where, person, columns: scope } = this.rows(rows);
    const most = rowsPerPersonOf(rows);
    const values = columns.map((column) => personValue(column, new ExpressionCompiler(scope), most));
    const named = values.map(({ sql }, at) => `, ${sql} AS ${sqlName(columns[at]!.name)}`).join("");
    return {
      item: `(SELECT ${person} AS person_${named} FROM ${from} WHERE ${where} GROUP BY ${person}) AS ${alias}`,
      columns: new Map(
        columns.map(({ name }, at) => [name, { sql: `${alias}.${sqlName(name)}`, range: values[at]!.range }]),
      ),
    };
  }
}

function personValue({ aggregate, of }: PersonColumn, compiler: ExpressionCompiler, most: bigint): Value {
  const value = of === null ? null : compiler.expression(of);
  if (aggregate === "count")
    return { sql: value === null ? "count(*)" : `count(${value.sql})`, range: { low: 0n, high: most } };
  assert(value !== null, "only a count is of nothing");
  if (aggregate === "minimum") return { sql: `min(${value.sql})`, range: value.range };
  if (aggregate === "maximum") return { sql: `max(${value.sql})`, range: value.range };
  const range = {
    low: smallest([0n, value.range.low * most]),
    high: largest([0n, value.range.high * most]),
  };
  const type = typeFor(magnitude(range));
  return { sql: `CAST(coalesce(sum(${cast(value, type)}), 0) AS ${type})`, range };
}

/** @returns A FROM item whose columns are `c0`, `c1`, ..., and those after the key by what plans call them. */
function publicTable(
  { on, columns, rows }: PublicJoin,
  alias: string,
): { item: string; values: Map<string, Value> } {
  // A key beyond every column's values meets nothing.
  const met = rows
    .map((row) => row.map(BigInt))
    .filter((row) => row.slice(0, on.length).every((value) => saturated(value) === value));
  const ranges = [...on, ...columns].map((_, at) => {
    const values = met.map((row) => row[at]!);
    return { low: smallest([0n, ...values]), high: largest([0n, ...values]) };
  });
  const casts = ranges.map((range, at) => `CAST(c${at} AS ${typeOf(range)}) AS c${at}`).join(", ");
  const listed = met.length === 0 ? [ranges.map(() => 0n)] : met;
  const values = listed.map((row) => `(${row.map(literal).join(", ")})`).join(", ");
  const names = ranges.map((_, at) => `c${at}`).join(", ");
  const none = met.length === 0 ? " WHERE false" : "";
  return {
    item: `(SELECT ${casts} FROM (VALUES ${values}) AS listed(${names})${none}) AS ${alias}`,
    values: new Map(
      columns.map((name, at) => [
        name,
        { sql: `${alias}.c${on.length + at}`, range: ranges[on.length + at]! },
      ]),
    ),
  };
}

function typeOf(range: Value["range"]): string {
  const reach = magnitude(range);
  // A key at the very end of what is compared.
  return reach === 1n << hugeBits ? "HUGEINT" : typeFor(reach);
}
