/**
 * Why an engine does not take a statement that the subset has: then there is no second reading of it. Whatever is not of these kinds is a
 * finding, so that a statement of which an engine takes a part for something else is looked at.
 */
type Kinds = readonly [string, RegExp][];

const duckDb: Kinds = [
  ["a name in ON that more than one table has", /^Binder Error: Ambiguous reference to column name/],
  ["HISTOGRAM, which is ours", /argument types 'histogram\(/],
  [
    "days of 64 bits after a date",
    /argument types '[-+]\((?:DATE, (?:BIGINT|HUGEINT)|(?:BIGINT|HUGEINT), DATE)\)'/,
  ],
  ["a key written in another way in SELECT", /must appear in the GROUP BY clause/],
  [
    "the person or a count of a subquery by a name that it does not have there",
    /does not have a column named/,
  ],
  ["a form that its grammar does not have", /^Parser Error: syntax error at or near/],
  ["a number beyond its types", /^(?:Out of Range|Conversion) Error/],
];

const postgreSql: Kinds = [
  ["a name in ON that more than one table has", /^column reference "\w+" is ambiguous$/],
  [
    "a person merged from more than two tables",
    /^common column name "\w+" appears more than once in left table$/,
  ],
  ["HISTOGRAM or MEDIAN, which it does not have", /^function (?:histogram|median)\(.*\) does not exist$/],
  ["PERCENTILE_CONT of dates", /^function percentile_cont\(numeric, date\) does not exist$/],
  ["days of 64 bits beside a date", /^operator does not exist: (?:date [-+] bigint|bigint \+ date)$/],
  [
    "a remainder of what date_part gives",
    /^operator does not exist: double precision % (?:integer|bigint|numeric)$/,
  ],
  ["a key written in another way in SELECT", /must appear in the GROUP BY clause/],
  ["the person of a subquery that does not show it", /^column .*person"? does not exist$/],
  ["a name in ON of a table that comes later", /^invalid reference to FROM-clause entry/],
  ["a number beyond its types", /out of range$/],
];

export function refusalKind(engine: "DuckDB" | "PostgreSQL", message: string): string | null {
  const kinds = engine === "DuckDB" ? duckDb : postgreSql;
  return kinds.find(([, pattern]) => pattern.test(message))?.[0] ?? null;
}
