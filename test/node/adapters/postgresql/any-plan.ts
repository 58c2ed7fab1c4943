/** Random plans of every kind over two tables about the same people, with the rows of both. */
import fc from "fast-check";
import {
  type DatasetManifest,
  datasetManifestSchema,
} from "../../../../node/data-sharing/manifests/dataset-manifest.ts";
import { textCode } from "../../../../node/data-sharing/manifests/text-code.ts";
import type { PersonRow } from "../../../../node/data-sharing/plan/evaluate.ts";
import type {
  Bounding,
  Expression,
  GroupKey,
  PersonColumn,
  Plan,
  Predicate,
  PublicJoin,
  Rows,
  Source,
  Vector,
} from "../../../../node/data-sharing/plan/plan.ts";
import { manifestOf, planOf } from "../../../ports/data-files.ts";

export const sexes = ["female", "male", "other"];
export const words = ["alpha", "beta", "gamma", "délta", "ε"];
export const textsByCode = new Map(words.map((word) => [textCode(word), word]));

/** `visits` of the port suites, and `patients`, with an open text. */
export function twoTables(changes: Partial<DatasetManifest> = {}): DatasetManifest {
  return datasetManifestSchema.parse({
    ...manifestOf(),
    furtherTables: {
      patients: {
        rowsPerPerson: 2,
        columns: {
          sex: { type: "text", domain: sexes, nullable: true },
          born: { type: "date", bounds: ["1900-01-01", "2026-12-31"] },
          word: { type: "text", domain: "open", nullable: true },
        },
      },
    },
    ...changes,
  });
}

const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { freq: 5, nil: null });
const visit: fc.Arbitrary<Record<string, bigint | null>> = fc.record({
  region: orNull(fc.bigInt({ min: 0n, max: 3n })),
  cost: orNull(fc.bigInt({ min: -10_000n, max: 100_000n })),
  age: fc.bigInt({ min: 0n, max: 120n }),
  day: orNull(fc.bigInt({ min: -3652n, max: 22_279n })),
  acute: orNull(fc.bigInt({ min: 0n, max: 1n })),
  large: fc.bigInt({ min: -(2n ** 47n), max: 2n ** 47n }),
});
const patient: fc.Arbitrary<Record<string, bigint | null>> = fc.record({
  sex: orNull(fc.bigInt({ min: 0n, max: 2n })),
  born: fc.bigInt({ min: -25_000n, max: 20_000n }),
  word: orNull(fc.constantFrom(...textsByCode.keys())),
});

export interface TwoTables {
  visits: PersonRow[];
  patients: PersonRow[];
}

/** @param most Rows of a person in `visits` and in `patients`. */
export function anyTables(most: [number, number] = [5, 2], people = 50): fc.Arbitrary<TwoTables> {
  const rowsOf = (columns: typeof visit, rowsMax: number) =>
    fc
      .array(fc.array(columns, { maxLength: rowsMax }), { minLength: people, maxLength: people })
      .map((byPerson) =>
        byPerson.flatMap((rows, at) => rows.map((row): PersonRow => ({ person: `p${at}`, columns: row }))),
      );
  return fc.record({ visits: rowsOf(visit, most[0]), patients: rowsOf(patient, most[1]) });
}

interface Known {
  name: string;
  /** What it is held below in magnitude. */
  bits: number;
  isDate?: boolean;
  isNatural?: boolean;
}

const ownColumns: Record<string, Known[]> = {
  visits: [
    { name: "region", bits: 2, isNatural: true },
    { name: "cost", bits: 17 },
    { name: "age", bits: 7, isNatural: true },
    { name: "day", bits: 15, isDate: true },
    { name: "acute", bits: 1, isNatural: true },
    { name: "large", bits: 48 },
  ],
  patients: [
    { name: "sex", bits: 2, isNatural: true },
    { name: "born", bits: 15, isDate: true },
  ],
};

const constant = fc.bigInt({ min: -1000n, max: 1000n }).map(String);

function expressionOver(columns: readonly Known[], depth: number): fc.Arbitrary<Expression> {
  const leaf = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.constantFrom(...columns).map(({ name }): Expression => ({ kind: "column", name })),
    },
    { weight: 2, arbitrary: constant.map((value): Expression => ({ kind: "constant", value })) },
    { weight: 1, arbitrary: fc.constant<Expression>({ kind: "null" }) },
  );
  const dates = columns.filter(({ isDate }) => isDate);
  const naturals = columns.filter(({ isNatural }) => isNatural);
  if (depth === 0) return leaf;
  const inner = expressionOver(columns, depth - 1);
  const choices: fc.Arbitrary<Expression>[] = [
    leaf,
    fc.record({
      kind: fc.constantFrom("add" as const, "multiply" as const),
      operands: fc.array(inner, { minLength: 2, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant("subtract" as const), left: inner, right: inner }),
    fc.record({
      kind: fc.constant("case" as const),
      branches: fc.array(fc.record({ when: predicateOver(columns, depth - 1), value: inner }), {
        minLength: 1,
        maxLength: 2,
      }),
      otherwise: inner,
    }),
  ];
  if (dates.length > 0)
    choices.push(
      fc.record({
        kind: fc.constant("date-part" as const),
        part: fc.constantFrom("year" as const, "quarter", "month", "day", "dow", "doy"),
        of: fc.constantFrom(...dates).map(({ name }): Expression => ({ kind: "column", name })),
      }),
    );
  if (naturals.length > 0)
    choices.push(
      fc.record({
        kind: fc.constant("divide" as const),
        left: fc.constantFrom(...naturals).map(({ name }): Expression => ({ kind: "column", name })),
        divisor: fc.integer({ min: 1, max: 50 }).map(String),
      }),
    );
  return fc.oneof(...choices);
}

function predicateOver(columns: readonly Known[], depth: number): fc.Arbitrary<Predicate> {
  const of = expressionOver(columns, Math.max(0, depth - 1));
  const leaf: fc.Arbitrary<Predicate> = fc.oneof(
    fc.constantFrom<Predicate>({ kind: "always" }, { kind: "never" }),
    fc.record({
      kind: fc.constant("compare" as const),
      operator: fc.constantFrom("=" as const, "<" as const, "<=" as const),
      left: of,
      right: of,
    }),
    fc.record({
      kind: fc.constant("in" as const),
      expression: of,
      values: fc.array(constant, { maxLength: 5 }),
    }),
    fc.record({
      kind: fc.constant("is-null" as const),
      column: fc.constantFrom(...columns.map(({ name }) => name)),
    }),
  );
  if (depth === 0) return leaf;
  const inner = predicateOver(columns, depth - 1);
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom("and" as const, "or" as const),
        operands: fc.array(inner, { minLength: 2, maxLength: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("not" as const), operand: inner }) },
  );
}

interface SourceOver {
  source: Source;
  columns: Known[];
  texts: string[];
}

const tableSource: fc.Arbitrary<SourceOver> = fc.constantFrom("visits", "patients").map((table) => ({
  source: { kind: "table", table, rowsPerPerson: table === "visits" ? 5 : 2 },
  columns: ownColumns[table]!,
  texts: table === "visits" ? [] : ["word"],
}));

function sourceOver(depth: number): fc.Arbitrary<SourceOver> {
  if (depth === 0) return tableSource;
  const people = rowsOver(depth - 1).chain(({ rows, columns }) =>
    fc
      .array(
        fc.oneof(
          fc.constant<Omit<PersonColumn, "name">>({ aggregate: "count", of: null }),
          fc.record({
            aggregate: fc.constantFrom("count" as const, "sum", "minimum", "maximum"),
            of: expressionOver(columns, 1),
          }),
        ),
        { minLength: 1, maxLength: 3 },
      )
      .map(
        (list): SourceOver => ({
          source: {
            kind: "people",
            rows,
            columns: list.map((column, at) => ({ ...column, name: `of_${at}` })),
          },
          columns: list.map((_, at) => ({ name: `of_${at}`, bits: 60 })),
          texts: [],
        }),
      ),
  );
  return fc.oneof({ weight: 3, arbitrary: tableSource }, { weight: 2, arbitrary: people });
}

function publicJoinOver(columns: readonly Known[]): fc.Arbitrary<PublicJoin> {
  return fc
    .tuple(
      fc.constantFrom(...columns).map(({ name }): Expression => ({ kind: "column", name })),
      fc.uniqueArray(fc.tuple(fc.bigInt({ min: 0n, max: 5n }), fc.bigInt({ min: -20n, max: 20n })), {
        maxLength: 9,
        selector: ([a, b]) => `${a} ${b}`,
      }),
    )
    .map(([on, rows]) => ({
      on: [on],
      columns: ["income"],
      rows: rows.map(([a, b]) => [String(a), String(b)]),
    }));
}

function rowsOver(depth: number): fc.Arbitrary<{ rows: Rows; columns: Known[]; texts: string[] }> {
  return fc.array(sourceOver(depth), { minLength: 1, maxLength: 2 }).chain((sources) => {
    const isJoin = sources.length > 1;
    const name = (at: number, inner: string) => (isJoin ? `${at}.${inner}` : inner);
    const own = sources.flatMap(({ columns }, at) =>
      columns.map((column) => ({ ...column, name: name(at, column.name) })),
    );
    const texts = sources.flatMap((source, at) => source.texts.map((text) => name(at, text)));
    return fc.option(publicJoinOver(own), { freq: 3, nil: null }).chain((join) => {
      const columns = join === null ? own : [...own, { name: "p0.income", bits: 5 }];
      return fc
        .oneof(fc.constant<Predicate>({ kind: "always" }), predicateOver(columns, 2))
        .map((filter) => ({
          rows: {
            sources: sources.map(({ source }) => source),
            publicJoins: join === null ? [] : [join],
            filter,
          },
          columns,
          texts,
        }));
    });
  });
}

function keyOver(
  columns: readonly Known[],
  texts: readonly string[],
  isOpen: boolean,
): fc.Arbitrary<GroupKey> {
  const of = expressionOver(columns, 1);
  const declared = fc
    .tuple(of, fc.uniqueArray(fc.bigInt({ min: -3n, max: 30n }), { minLength: 1, maxLength: 12 }))
    .map(([expression, values]): GroupKey => {
      const sorted = values.toSorted((a, b) => (a < b ? -1 : 1)).map(String);
      return { kind: "declared", expression, values: sorted, labels: sorted.map((value) => `is ${value}`) };
    });
  if (!isOpen) return declared;
  const number = of.map((expression): GroupKey => ({ kind: "open", expression, type: "number", scale: 2 }));
  const dates = columns.filter(({ isDate }) => isDate).map(({ name }) => name);
  const plain = [
    ...texts.map(
      (name): GroupKey => ({ kind: "open", expression: { kind: "column", name }, type: "text", scale: 0 }),
    ),
    ...dates.map(
      (name): GroupKey => ({ kind: "open", expression: { kind: "column", name }, type: "date", scale: 0 }),
    ),
  ];
  return plain.length === 0
    ? fc.oneof(declared, number)
    : fc.oneof(declared, number, fc.constantFrom(...plain));
}

function vectorOver(columns: readonly Known[]): fc.Arbitrary<Vector> {
  const of = expressionOver(columns, 2);
  const bound = fc.oneof(
    fc.bigInt({ min: -1000n, max: 1000n }),
    fc.bigInt({ min: -(2n ** 47n), max: 2n ** 47n }),
  );
  return fc.oneof(
    fc.record({ kind: fc.constant("count" as const), of: fc.option(of, { nil: null }) }),
    fc.constant<Vector>({ kind: "people" }),
    fc.tuple(fc.constantFrom("sum" as const, "squares" as const), of, bound, bound, bound).map(
      ([kind, expression, a, b, centre]): Vector => ({
        kind,
        of: expression,
        low: String(a < b ? a : b),
        high: String(a < b ? b : a),
        centre: String(centre),
      }),
    ),
    fc.record({
      kind: fc.constant("buckets" as const),
      of,
      low: fc.bigInt({ min: -100n, max: 100n }).map(String),
      step: fc.bigInt({ min: 1n, max: 40n }).map(String),
      buckets: fc.integer({ min: 2, max: 9 }),
    }),
  );
}

/** @param bounding By default what the sources let through, or bounds that nobody reaches but by rows in a group. */
export function anyPlan(bounding: fc.Arbitrary<Bounding> = looseBounding): fc.Arbitrary<Plan> {
  return rowsOver(2).chain(({ rows, columns, texts }) =>
    fc
      .record({
        keys: fc.boolean().chain((isOpen) => fc.array(keyOver(columns, texts, isOpen), { maxLength: 2 })),
        vectors: fc.array(vectorOver(columns), { minLength: 1, maxLength: 4 }),
        bounding,
      })
      .map(({ keys, vectors, bounding: bounds }) => planOf(vectors, { rows, keys, bounding: bounds })),
  );
}

const looseBounding: fc.Arbitrary<Bounding> = fc.oneof(
  fc.constant<Bounding>({ kind: "stored" }),
  fc
    .integer({ min: 1, max: 6 })
    .map((rowsPerGroup): Bounding => ({ kind: "query", rowsPerGroup, groups: 10_000 })),
);
