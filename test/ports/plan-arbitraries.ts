/** Any plan over any rows of `joinedManifest`: joins, people, public tables, every expression, key and vector. For the suites of engines. */
import fc from "fast-check";
import { type DatasetTable, tablesOf } from "../../node/data-sharing/manifests/dataset-manifest.ts";
import { type Interval, planColumns } from "../../node/data-sharing/plan/columns.ts";
import type { PersonRow } from "../../node/data-sharing/plan/evaluate.ts";
import { intervalOf } from "../../node/data-sharing/plan/intervals.ts";
import {
  type Bounding,
  type Expression,
  type GroupKey,
  type PersonColumn,
  type Plan,
  type Predicate,
  type PublicJoin,
  type Rows,
  rowsPerPersonOf,
  type Source,
  type Vector,
} from "../../node/data-sharing/plan/plan.ts";
import { column, declared, joinedManifest, planOf, sumOf, type TableRows, texts } from "./data-files.ts";

const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { freq: 5, nil: null });
const tables = tablesOf(joinedManifest());
const town = orNull(fc.constantFrom(...texts.keys()));
const values: Record<string, Record<string, fc.Arbitrary<bigint | null>>> = {
  visits: {
    region: orNull(fc.bigInt({ min: 0n, max: 3n })),
    cost: orNull(fc.bigInt({ min: -10_000n, max: 100_000n })),
    age: fc.bigInt({ min: 0n, max: 120n }),
    day: orNull(fc.bigInt({ min: -3652n, max: 22_279n })),
    acute: orNull(fc.bigInt({ min: 0n, max: 1n })),
    large: fc.oneof(
      fc.bigInt({ min: -(2n ** 47n), max: 2n ** 47n }),
      fc.constantFrom(2n ** 47n, -(2n ** 47n)),
    ),
    town,
  },
  patients: {
    born: orNull(fc.bigInt({ min: -25_567n, max: 22_279n })),
    weight: fc.bigInt({ min: 0n, max: 3000n }),
    town,
  },
  drugs: {
    dose: orNull(fc.bigInt({ min: -1000n, max: 1000n })),
    generic: fc.bigInt({ min: 0n, max: 1n }),
  },
};

/** Rows for `people` people, in each table up to so many of one; not everybody is in every table. */
export function anyTables(
  people: number,
  rowsMax: Readonly<Record<string, number>>,
): fc.Arbitrary<TableRows> {
  const rowsOf = (table: string) =>
    fc
      .array(fc.array(fc.record(values[table]!), { maxLength: rowsMax[table]!, size: "max" }), {
        minLength: people,
        maxLength: people,
      })
      .map((all) =>
        all.flatMap((own, at): PersonRow[] =>
          own.map((columns) => ({ person: `p${at}`, columns: { ...columns, who: BigInt(at) } })),
        ),
      )
      // A file without rows is no table.
      .map((rows) => (rows.length > 0 ? rows : [emptyRow(table)]));
  return fc.record({ visits: rowsOf("visits"), patients: rowsOf("patients"), drugs: rowsOf("drugs") });
}

function emptyRow(table: string): PersonRow {
  const columns = Object.keys(tables.get(table)!.columns).map((name) => [name, 0n] as const);
  const none = Object.fromEntries(columns.map(([name]) => [name, name === "town" ? null : 0n]));
  return { person: "nobody else", columns: { ...none, who: 999n } };
}

interface Known {
  name: string;
  range: Interval;
  /** Kind of an open key of this column. */
  type: "number" | "date" | "text";
}

function columnsOfTable(table: DatasetTable): Known[] {
  return [...planColumns(table)].map(([name, { range, open, type }]) => ({
    name,
    range: range!,
    type: open ? "text" : type === "date" ? "date" : "number",
  }));
}

const constants = fc.bigInt({ min: -1000n, max: 1000n }).map(String);

interface Arbitraries {
  expression: fc.Arbitrary<Expression>;
  predicate: fc.Arbitrary<Predicate>;
}

/** Over these columns; what could leave 62 bits, which a plan compiler refuses, is not among them. */
function expressionsOver(columns: readonly Known[]): Arbitraries {
  const ranges = new Map(columns.map(({ name, range }) => [name, range]));
  const fits = (part: Expression) => {
    try {
      intervalOf(part, (name) => ranges.get(name)!, { line: 1, column: 1 });
      return true;
    } catch {
      return false;
    }
  };
  const named = (some: readonly Known[]) =>
    fc.constantFrom(...(some.length > 0 ? some : columns)).map(({ name }) => column(name));
  const positive = columns.filter(({ range }) => range.low >= 0n);
  const days = columns.filter(({ range }) => range.low >= -100_000n && range.high <= 100_000n);
  const { expression, predicate } = fc.letrec<{ expression: Expression; predicate: Predicate }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 2, depthSize: "small" },
      { weight: 8, arbitrary: named(columns) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("constant" as const), value: constants }) },
      { weight: 1, arbitrary: fc.constant<Expression>({ kind: "null" }) },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constantFrom("add" as const, "multiply" as const),
          operands: fc.array(tie("expression"), { minLength: 2, maxLength: 3 }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant("subtract" as const),
          left: tie("expression"),
          right: tie("expression"),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant("divide" as const),
          left: named(positive),
          divisor: fc.integer({ min: 1, max: 50 }).map(String),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant("date-part" as const),
          part: fc.constantFrom("year", "quarter", "month", "day", "dow", "doy"),
          of: named(days),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant("case" as const),
          branches: fc.array(fc.record({ when: tie("predicate"), value: tie("expression") }), {
            minLength: 1,
            maxLength: 2,
          }),
          otherwise: tie("expression"),
        }),
      },
    ) as fc.Arbitrary<Expression>,
    predicate: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      fc.constantFrom<Predicate>({ kind: "always" }, { kind: "never" }),
      fc.record({
        kind: fc.constant("compare" as const),
        operator: fc.constantFrom("=" as const, "<" as const, "<=" as const),
        left: tie("expression").filter(fits),
        right: tie("expression").filter(fits),
      }),
      fc.record({
        kind: fc.constant("in" as const),
        expression: tie("expression").filter(fits),
        values: fc.array(fc.oneof(constants, fc.constant(`9${"0".repeat(50)}`)), { maxLength: 5 }),
      }),
      named(columns).map((part) => ({
        kind: "is-null" as const,
        column: (part as { name: string }).name,
      })),
      fc.record({
        kind: fc.constantFrom("and" as const, "or" as const),
        operands: fc.array(tie("predicate"), { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ kind: fc.constant("not" as const), operand: tie("predicate") }),
    ) as fc.Arbitrary<Predicate>,
  }));
  return { expression: expression.filter(fits), predicate };
}

interface KnownRows {
  rows: Rows;
  columns: Known[];
}

/** @param isWhole Whether each table gives all the rows that the manifest lets it keep. */
function anyRows(isWhole: boolean, depth: number): fc.Arbitrary<KnownRows> {
  const table = fc.constantFrom(...tables.keys()).chain((name) => {
    const most = tables.get(name)!.rowsPerPerson;
    const source = (rowsPerPerson: number): KnownSource => ({
      source: { kind: "table", table: name, rowsPerPerson },
      columns: columnsOfTable(tables.get(name)!),
    });
    return (isWhole ? fc.constant(most) : fc.integer({ min: 1, max: most })).map(source);
  });
  const one =
    depth === 0
      ? table
      : fc.oneof({ weight: 3, arbitrary: table }, { weight: 1, arbitrary: anyPeople(isWhole) });
  return fc.array(one, { minLength: 1, maxLength: depth === 0 ? 2 : 3, size: "small" }).chain((sources) => {
    const own = sources.flatMap(({ columns }, at) =>
      columns.map((known) => ({ ...known, name: sources.length > 1 ? `${at}.${known.name}` : known.name })),
    );
    return anyPublicJoins(own).chain(({ joins, columns }) =>
      fc
        .oneof(
          { weight: 6, arbitrary: fc.constant<Predicate>({ kind: "always" }) },
          { weight: 3, arbitrary: anyBound(columns) },
          { weight: 2, arbitrary: expressionsOver(columns).predicate },
        )
        .map((filter) => ({
          rows: { sources: sources.map(({ source }) => source), publicJoins: joins, filter },
          columns,
        })),
    );
  });
}

/** That a column is at most, or at least, a number that it can be. */
function anyBound(columns: readonly Known[]): fc.Arbitrary<Predicate> {
  return fc.constantFrom(...columns).chain(({ name, range }) =>
    fc
      .tuple(fc.bigInt({ min: range.low, max: range.high }), fc.boolean())
      .map(([value, isUpper]): Predicate => {
        const [of, bound]: Expression[] = [column(name), { kind: "constant", value: String(value) }];
        return {
          kind: "compare",
          operator: "<=",
          left: isUpper ? of! : bound!,
          right: isUpper ? bound! : of!,
        };
      }),
  );
}

interface KnownSource {
  source: Source;
  columns: Known[];
}

function anyPeople(isWhole: boolean): fc.Arbitrary<KnownSource> {
  return anyRows(isWhole, 0).chain(({ rows, columns }) => {
    const most = rowsPerPersonOf(rows);
    const { expression } = expressionsOver(columns);
    const value = fc.record({
      aggregate: fc.constantFrom("count" as const, "sum" as const, "minimum" as const, "maximum" as const),
      of: expression,
    });
    return fc.array(value, { minLength: 1, maxLength: 3 }).map((own) => {
      const ranges = new Map(columns.map(({ name, range }) => [name, range]));
      const personColumns: PersonColumn[] = [{ name: "n", aggregate: "count", of: null }];
      const known: Known[] = [{ name: "n", range: { low: 0n, high: most }, type: "number" }];
      own.forEach(({ aggregate, of }, at) => {
        const { low, high } = intervalOf(of, (name) => ranges.get(name)!, { line: 1, column: 1 });
        const range = {
          count: { low: 0n, high: most },
          sum: { low: low < 0n ? low * most : 0n, high: high > 0n ? high * most : 0n },
          minimum: { low, high },
          maximum: { low, high },
        }[aggregate];
        if (-range.low >= 1n << 62n || range.high >= 1n << 62n) return;
        personColumns.push({ name: `v${at}`, aggregate, of });
        known.push({ name: `v${at}`, range, type: "number" });
      });
      return { source: { kind: "people", rows, columns: personColumns }, columns: known };
    });
  });
}

/** Of the columns with small numbers, brought down to about 0 to 8; null where there are none. */
function smallExpressions(columns: readonly Known[]): fc.Arbitrary<Expression> | null {
  const small = columns.flatMap(({ name, range: { low, high } }): Expression[] => {
    if (low < -30_000n || high > 30_000n) return [];
    if (low < 0n) return [{ kind: "date-part", part: "month", of: column(name) }];
    const divisor = high / 8n + 1n;
    return [divisor === 1n ? column(name) : { kind: "divide", left: column(name), divisor: String(divisor) }];
  });
  return small.length === 0 ? null : fc.constantFrom(...small);
}

/** Keys are looked up by small values, so that some are met, some twice, some never. */
function anyPublicJoins(own: Known[]): fc.Arbitrary<{ joins: PublicJoin[]; columns: Known[] }> {
  const none = fc.constant({ joins: [] as PublicJoin[], columns: own });
  const on = smallExpressions(own);
  if (on === null) return none;
  const cell = fc.bigInt({ min: -1n, max: 7n }).map(String);
  const join = fc.array(on, { minLength: 1, maxLength: 2, size: "small" }).chain((keys) =>
    fc.record({
      on: fc.constant(keys),
      columns: fc.constant<string[]>(["rate", "limit"]),
      rows: fc.array(
        fc
          .tuple(fc.tuple(...keys.map(() => cell)), cell, fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }))
          .map(([key, rate, limit]) => [...key, rate, String(limit)]),
        { minLength: 12, maxLength: 40 },
      ),
    }),
  );
  const joined = fc
    .array(join, { minLength: 1, maxLength: 2, size: "xsmall" })
    .map((joins: PublicJoin[]) => ({
      joins,
      columns: [
        ...own,
        ...joins.flatMap((_, at): Known[] => [
          { name: `p${at}.rate`, range: { low: -1n, high: 7n }, type: "number" },
          { name: `p${at}.limit`, range: { low: -(2n ** 40n), high: 2n ** 40n }, type: "number" },
        ]),
      ],
    }));
  return fc.oneof({ weight: 3, arbitrary: none }, { weight: 1, arbitrary: joined });
}

const bound = fc.oneof(
  fc.bigInt({ min: -200n, max: 200n }),
  fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
  fc.bigInt({ min: -(2n ** 47n), max: 2n ** 47n }),
);

function anyVector(columns: readonly Known[]): fc.Arbitrary<Vector> {
  const { expression } = expressionsOver(columns);
  return fc.oneof(
    fc.record({ kind: fc.constant("count" as const), of: orNull(expression) }),
    fc.constant<Vector>({ kind: "people" }),
    fc
      .tuple(expression, bound, bound, bound)
      .map(([of, a, b, centre]) => sumOf(of, a < b ? a : b, a < b ? b : a, centre)),
    fc
      .tuple(expression, bound, bound, bound)
      .map(
        ([of, a, b, centre]): Vector =>
          ({ ...sumOf(of, a < b ? a : b, a < b ? b : a, centre), kind: "squares" }) as Vector,
      ),
    fc.record({
      kind: fc.constant("buckets" as const),
      of: expression,
      low: bound.map(String),
      step: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 2 ** 40 })).map(String),
      buckets: fc.integer({ min: 2, max: 40 }),
    }),
  );
}

function anyKeys(columns: readonly Known[]): fc.Arbitrary<GroupKey[]> {
  const { expression } = expressionsOver(columns);
  const few = fc
    .uniqueArray(fc.bigInt({ min: -3n, max: 130n }), { minLength: 1, maxLength: 12 })
    .map((some) => some.sort((a, b) => (a < b ? -1 : 1)).map(String));
  const run = fc
    .tuple(fc.bigInt({ min: -2n, max: 2n }), fc.integer({ min: 1, max: 20 }))
    .map(([first, count]) => Array.from({ length: count }, (_, at) => String(first + BigInt(at))));
  const many = fc.constant(Array.from({ length: 80 }, (_, at) => String(at * 3)));
  const some = fc.oneof(
    { weight: 2, arbitrary: few },
    { weight: 4, arbitrary: run },
    { weight: 1, arbitrary: many },
  );
  const coarse = smallExpressions(columns);
  const of =
    coarse === null
      ? expression
      : fc.oneof({ weight: 4, arbitrary: coarse }, { weight: 1, arbitrary: expression });
  const closed = fc.tuple(of, some).map(([part, own]) => declared(part, own));
  const open = fc.oneof(
    fc
      .tuple(expression, fc.integer({ min: 0, max: 3 }))
      .map(([of, scale]): GroupKey => ({ kind: "open", expression: of, type: "number", scale })),
    fc
      .constantFrom(...columns)
      .map(({ name, type }): GroupKey => ({ kind: "open", expression: column(name), type, scale: 0 })),
  );
  const key = fc.oneof({ weight: 3, arbitrary: closed }, { weight: 1, arbitrary: open });
  return fc.array(key, { maxLength: 2 });
}

/** @param isExact Whether nobody has more rows or groups than count, so that every engine gives the same integers. */
export function anyPlan(isExact: boolean): fc.Arbitrary<Plan> {
  return anyRows(isExact, 1).chain(({ rows, columns }) => {
    const most = Number(rowsPerPersonOf(rows));
    const bounding = fc.oneof(
      fc.constant<Bounding>({ kind: "stored" }),
      fc.record({
        kind: fc.constant("query" as const),
        rowsPerGroup: fc.integer({ min: 1, max: 5 }),
        groups: isExact ? fc.constant(most) : fc.integer({ min: 1, max: 4 }),
      }),
    );
    return fc
      .record({
        bounding,
        keys: anyKeys(columns),
        vectors: fc.array(anyVector(columns), { minLength: 1, maxLength: 4 }),
      })
      .map(({ bounding, keys, vectors }) => planOf(vectors, { rows, bounding, keys }));
  });
}

/** Plans in which people have about as many rows and groups as count, so that each bound is met from both sides. */
export function anyTightPlan(): fc.Arbitrary<Plan> {
  const table = (name: string, rowsPerPerson: number): Source => ({
    kind: "table",
    table: name,
    rowsPerPerson,
  });
  const always: Predicate = { kind: "always" };
  const sources = fc.constantFrom<Source[]>(
    [table("visits", 5)],
    [table("visits", 4)],
    [table("visits", 3), table("drugs", 2)],
    [table("visits", 5), table("patients", 1)],
  );
  return sources.chain((sources) => {
    const rows: Rows = { sources, publicJoins: [], filter: always };
    const named = (name: string) => column(sources.length > 1 ? `0.${name}` : name);
    const tens: Expression = { kind: "divide", left: named("age"), divisor: "10" };
    const age: GroupKey = { kind: "open", expression: tens, type: "number", scale: 0 };
    const region = declared(named("region"), ["0", "1", "2", "3"]);
    const vector = fc.constantFrom<Vector>(
      { kind: "count", of: named("cost") },
      sumOf(named("age"), 0n, 60n, 30n),
      sumOf(named("cost"), 0n, 7n),
      { kind: "squares", of: named("age"), low: "0", high: "60", centre: "60" },
      { kind: "buckets", of: named("age"), low: "0", step: "40", buckets: 3 },
    );
    return fc
      .record({
        bounding: fc.oneof(
          { weight: 1, arbitrary: fc.constant<Bounding>({ kind: "stored" }) },
          {
            weight: 4,
            arbitrary: fc.record({
              kind: fc.constant("query" as const),
              rowsPerGroup: fc.integer({ min: 1, max: 2 }),
              groups: fc.integer({ min: 1, max: 3 }),
            }),
          },
        ),
        keys: fc.constantFrom<GroupKey[]>(
          [],
          [region],
          [age],
          [region, age],
          [
            declared(
              tens,
              Array.from({ length: 13 }, (_, at) => String(at)),
            ),
          ],
        ),
        vectors: fc.array(vector, { minLength: 1, maxLength: 3 }),
      })
      .map(({ bounding, keys, vectors }) => planOf(vectors, { rows, bounding, keys }));
  });
}
