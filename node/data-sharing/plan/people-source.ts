/** SELECT ... GROUP BY person, in FROM: one row for each person, made of bounded aggregates. */
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { personWord } from "../manifests/dataset-manifest.ts";
import { leastOf } from "./arrangements.ts";
import { presenceOf } from "./canonical-case.ts";
import { canonicalPredicate } from "./canonical-predicate.ts";
import type { Interval, PlanColumn, PlanColumns } from "./columns.ts";
import type { CompileContext, From } from "./context.ts";
import { readingOf } from "./expressions.ts";
import { requirePlainName } from "./from-items.ts";
import { intervalOf, magnitudeLimit, magnitudeOf } from "./intervals.ts";
import { readSelect, type Select, type SelectTarget } from "./parse-sql.ts";
import { type PersonColumn, type Rows, rowsPerPersonOf, type Source } from "./plan.ts";
import { instantReason, type Reading } from "./reading.ts";
import { childrenOf, namesOf, onlyFields, refuse, type SqlNode } from "./sql-node.ts";

const aggregates: ReadonlyMap<string, PersonColumn["aggregate"]> = new Map([
  ["count", "count"],
  ["sum", "sum"],
  ["min", "minimum"],
  ["max", "maximum"],
]);

/** Columns of one subquery that are read. */
const personColumnsMax = 64;

/**
 * Rows of one person after joins: with more, noise would be all that an answer says. Also where they become one row: the time that one person's
 * rows take must not decide whether there is an answer.
 */
const rowsPerPersonMax = 10_000n;

interface NamedColumn {
  alias: string;
  column: Omit<PersonColumn, "name">;
  facts: PlanColumn;
}

interface PeopleSource {
  source: Source;
  columns: PlanColumns;
  planNames: ReadonlyMap<string, string>;
}

/** `wanted` are the names that the outer SELECT reads; `compileFrom` comes from outside as FROM may hold subqueries again. */
export function peopleSource(
  node: SqlNode,
  wanted: ReadonlySet<string>,
  context: CompileContext,
  compileFrom: (select: Select, context: CompileContext, arrangement: number) => From,
): PeopleSource {
  const select = readSelect(node);
  const clause = select.having ?? select.order[0] ?? select.limit;
  if (clause !== null)
    refuse(clause.place, "HAVING, ORDER BY and LIMIT inside of a subquery are not part of the subset");
  return leastOf(
    (arrangement) => arrangedSource(select, wanted, compileFrom(select, context, arrangement)),
    ({ source }) => source,
  );
}

function arrangedSource(
  select: Select,
  wanted: ReadonlySet<string>,
  { arrangements, sources, publicJoins, scope, conditions }: From,
): PeopleSource & { arrangements: number } {
  const reading = readingOf(scope);
  const [group, another] = select.groups;
  if (group === undefined || another !== undefined || !scope.isPerson(group))
    refuse(
      (another ?? group)?.place ?? select.place,
      "a subquery in FROM has one row for each person: GROUP BY person and nothing else",
    );
  const filter = canonicalPredicate(
    {
      kind: "and",
      operands: [...conditions, ...(select.where === null ? [] : [reading.predicate(select.where)])],
    },
    scope.factsOf,
  );
  const rows: Rows = { sources, publicJoins, filter };
  requireFewRows(rows, select);
  const named = select.targets
    .flatMap((target) => namedColumn(target, reading, rowsPerPersonOf(rows)) ?? [])
    .filter(({ alias }) => wanted.has(alias));
  if (named.length > personColumnsMax)
    refuse(select.place, `a subquery has more than ${personColumnsMax} columns`);
  const twice = named.find(({ alias }, at) => named.findIndex((other) => other.alias === alias) !== at);
  if (twice !== undefined) refuse(select.place, `two columns of the subquery are called ${twice.alias}`);
  const distinct = new Map(named.map(({ column }) => [canonicalJson(column), column]));
  const order = [...distinct.keys()].sort();
  const nameOf = (column: NamedColumn["column"]) => `c${order.indexOf(canonicalJson(column))}`;
  return {
    arrangements,
    source: {
      kind: "people",
      rows,
      columns: order.map((text) => ({ name: nameOf(distinct.get(text)!), ...distinct.get(text)! })),
    },
    columns: new Map(named.map(({ alias, facts }) => [alias, facts])),
    planNames: new Map(named.map(({ alias, column }) => [alias, nameOf(column)])),
  };
}

export function requireFewRows(rows: Rows, { place }: Select): void {
  const most = rowsPerPersonOf(rows);
  if (most > rowsPerPersonMax)
    refuse(place, `a person could have ${most} rows by these joins, more than ${rowsPerPersonMax}`);
}

/** Undefined for the person itself, which needs no column. */
function namedColumn(target: SelectTarget, reading: Reading, rows: bigint): NamedColumn | undefined {
  const { node, place } = target;
  if (reading.scope.isPerson(node)) {
    if (target.name !== null && target.name !== personWord)
      refuse(place, "the person keeps its name in a subquery: write person");
    return undefined;
  }
  const names = node.kind === "FuncCall" ? (namesOf(node, "funcname") ?? []) : [];
  const aggregate = names.length === 1 ? aggregates.get(names[0]!) : undefined;
  if (aggregate === undefined)
    refuse(place, "of a person there are COUNT, SUM, MIN and MAX, and person itself");
  const alias = target.name ?? names[0]!;
  requirePlainName(alias, place);
  if (alias === personWord) refuse(place, `${personWord} is the person: give the column another name`);
  onlyFields(node, ["funcname", "args", "agg_star", "funcformat"], {
    agg_distinct: "DISTINCT inside of a subquery is not part of the subset",
    agg_filter: "FILTER is not part of the subset; write CASE",
    agg_order: "ORDER BY in an aggregate is not part of the subset",
    over: "window functions are not part of the subset",
  });
  if (node.fields.get("agg_star") === true) {
    if (aggregate !== "count") refuse(place, "* stands in COUNT(*) only");
    return countColumn(alias, null, rows);
  }
  const [argument, second] = childrenOf(node, "args");
  if (argument === undefined || second !== undefined) refuse(place, "an aggregate takes one argument");
  const scalar = reading.scalar(argument);
  if (scalar.type === "literal" || scalar.type === "null")
    refuse(argument.place, "an aggregate of a constant says nothing");
  const { expression } = scalar;
  const presence = presenceOf(expression, reading.scope.factsOf);
  if (aggregate === "count") return countColumn(alias, presence, rows);
  const isDate = scalar.type === "date";
  if (scalar.type === "date" && scalar.instant) refuse(argument.place, instantReason);
  if (scalar.type !== "number" && !(isDate && aggregate !== "sum"))
    refuse(argument.place, "SUM takes numbers, MIN and MAX take numbers and dates");
  // 0 in a plan, null in SQL.
  if (aggregate === "sum" && presence !== null)
    refuse(argument.place, "of a person with nulls alone there is no SUM: write SUM(COALESCE(x, 0))");
  const range = intervalOf(expression, reading.scope.rangeOf, argument.place);
  const sum = multiplied(range, rows);
  if (aggregate === "sum" && magnitudeOf(sum) >= magnitudeLimit)
    refuse(argument.place, "a person's sum could grow beyond 2^62");
  const facts: PlanColumn = {
    // PostgreSQL's SUM of its larger integers is none of its integer types: its quotients are not rounded.
    type: isDate
      ? "date"
      : scalar.type === "number" && scalar.whole && aggregate !== "sum"
        ? "integer"
        : "decimal",
    nullable: aggregate !== "sum" && presence !== null,
    scale: scalar.type === "number" ? scalar.scale : 0,
    range: aggregate === "sum" ? sum : range,
    domain: [],
    open: false,
  };
  return { alias, column: { aggregate, of: expression }, facts };
}

function countColumn(alias: string, of: PersonColumn["of"], rows: bigint): NamedColumn {
  const facts: PlanColumn = {
    type: "integer",
    nullable: false,
    scale: 0,
    range: { low: of === null ? 1n : 0n, high: rows },
    domain: [],
    open: false,
  };
  return { alias, column: { aggregate: "count", of }, facts };
}

/** Of none to `rows` values in the range. */
function multiplied({ low, high }: Interval, rows: bigint): Interval {
  return { low: low < 0n ? low * rows : 0n, high: high > 0n ? high * rows : 0n };
}
