/**
 * From an algorithm, values for its parameters and a dataset's manifest to the plan: what is counted and summed, over which declared
 * groups, and how much noise each number needs. No data is looked at.
 *
 * A SUM over no rows is 0, not null as in SQL. SUM and AVG clamp the whole expression to the interval that arithmetic over the clamped
 * columns gives; columns inside it are not clamped one by one.
 */
import { TrustedDataError } from "../../errors.ts";
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { shareOfCharge } from "../accounting/zcdp.ts";
import type { AlgorithmManifest } from "../manifests/algorithm-manifest.ts";
import { type DatasetManifest, domainSizeMax, identifierSchema } from "../manifests/dataset-manifest.ts";
import { type Aggregate, aggregateOf, isAggregate } from "./aggregate.ts";
import { canonicalPredicate } from "./canonical-predicate.ts";
import { planColumns } from "./columns.ts";
import { groupKeyOf } from "./group-key.ts";
import { resolveParameters } from "./parameters.ts";
import { parseSelect, type Select, type SelectTarget } from "./parse-sql.ts";
import {
  cellsMax,
  type GroupKey,
  groupCountOf,
  type Output,
  type Plan,
  type Predicate,
  type Vector,
} from "./plan.ts";
import { compilePredicate } from "./predicate.ts";
import { columnNameOf, compileScalar, type Scalar, type Scope } from "./scalar.ts";
import { sensitivityOf } from "./sensitivity.ts";
import { refuse, type SqlNode } from "./sql-node.ts";

/** Columns of one answer; a charge split further would buy noise only. */
const outputsMax = 64;

/**
 * `loadSqlParser` must have been awaited.
 * @throws TrustedDataError `parameter_invalid`, `sql_refused` (with `line`, `column`, `reason`), `bounds_missing` (with `column`),
 * `data_class_mismatch` where the algorithm is not meant for the dataset, `charge_too_small`.
 */
export function compilePlan(
  algorithm: AlgorithmManifest,
  parameters: Readonly<Record<string, string | number>>,
  dataset: DatasetManifest,
): Plan {
  checkApplies(algorithm, dataset);
  const columns = planColumns(dataset);
  const select = parseSelect(algorithm.sql);
  const scope: Scope = {
    table: algorithm.table,
    alias: select.alias,
    columns,
    parameters: resolveParameters(algorithm, parameters),
    rangeOf: (name) => columns.get(name)?.range ?? null,
  };
  if (select.table !== algorithm.table)
    refuse(
      select.tablePlace,
      `there is no table ${select.table}; the algorithm's table is ${algorithm.table}`,
    );
  const filter: Predicate =
    select.where === null
      ? { kind: "always" }
      : canonicalPredicate(compilePredicate(select.where, scope), (name) => columns.get(name));
  const named = namedTargets(select);
  const keys = keysOf(select, named, scope);
  const vectors = new VectorList();
  const outputs = named.map(({ name, target }): Output => {
    const aggregate = aggregateOf(target.node, scope, algorithm.clamp);
    if (aggregate !== null) return outputOf(name, aggregate, vectors);
    const text = canonicalJson(keyScalar(target, scope).expression);
    return { kind: "key", name, key: keys.findIndex((key) => canonicalJson(key.expression) === text) };
  });
  const cells = groupCountOf({ keys }) * vectors.all.length;
  if (cells > cellsMax) {
    refuse(
      select.tablePlace,
      `the answer would have ${cells} numbers, more than ${cellsMax}; ask for fewer groups or aggregates`,
    );
  }
  return {
    version: "itd-plan/1",
    table: algorithm.table,
    rowsPerPerson: dataset.rowsPerPerson,
    filter,
    keys,
    vectors: vectors.all,
    floor: { vector: 0, minimumPeople: dataset.minimumPeople },
    ...charged(vectors.all, dataset.rowsPerPerson, algorithm),
    outputs,
  };
}

function checkApplies(algorithm: AlgorithmManifest, dataset: DatasetManifest): void {
  for (const field of ["dataClass", "table"] as const) {
    if (algorithm[field] !== dataset[field])
      throw new TrustedDataError(
        "data_class_mismatch",
        `The algorithm ${algorithm.name} is meant for data whose ${field} is ${algorithm[field]}, and that of ${dataset.name} is ${dataset[field]}.`,
        { [field]: dataset[field] },
      );
  }
}

interface NamedTarget {
  name: string;
  target: SelectTarget;
}

function namedTargets(select: Select): NamedTarget[] {
  const seen = new Set<string>();
  return select.targets.map((target, index) => {
    if (index >= outputsMax) refuse(target.place, `SELECT names more than ${outputsMax} columns`);
    const name = target.name ?? defaultName(target.node);
    if (name === null && target.node.kind === "ColumnRef") refuse(target.place, "* stands in COUNT(*) only");
    if (name === null) refuse(target.place, "this column needs a name: write AS name");
    if (!identifierSchema.safeParse(name).success)
      refuse(target.place, "the name of a column is made of lower-case letters, digits and underscores");
    if (seen.has(name)) refuse(target.place, `two columns are called ${name}: write AS name`);
    seen.add(name);
    return { name, target };
  });
}

/** As PostgreSQL calls a column without AS. */
function defaultName(node: SqlNode): string | null {
  const parts = node.fields.get(node.kind === "FuncCall" ? "funcname" : "fields");
  const last = Array.isArray(parts) ? parts.at(-1) : undefined;
  if (typeof last !== "object" || Array.isArray(last)) return null;
  const text = last.fields.get("sval");
  return typeof text === "string" ? text : null;
}

/** GROUP BY's keys, those of SELECT first and in its order, so that the order in GROUP BY does not matter. */
function keysOf(select: Select, named: NamedTarget[], scope: Scope): GroupKey[] {
  const keys = new Map<string, GroupKey>();
  for (const group of select.groups) {
    const node = groupedNode(group, named, scope);
    if (isAggregate(node)) refuse(group.place, "an aggregate is no grouping key");
    const key = groupKeyOf(compileScalar(node, scope), scope, group.place);
    keys.set(canonicalJson(key.expression), key);
    if (groupCountOf({ keys: [...keys.values()] }) > domainSizeMax)
      refuse(group.place, `the keys span more than ${domainSizeMax} groups`);
  }
  const order = new Map<string, number>();
  for (const [index, { target }] of named.entries()) {
    if (isAggregate(target.node)) continue;
    const text = canonicalJson(keyScalar(target, scope).expression);
    if (!keys.has(text)) refuse(target.place, "a column of SELECT is an aggregate or stands in GROUP BY");
    if (!order.has(text)) order.set(text, index);
  }
  return [...keys]
    .sort(([a], [b]) => (order.get(a) ?? Infinity) - (order.get(b) ?? Infinity) || (a < b ? -1 : 1))
    .map(([, key]) => key);
}

/** What an item of GROUP BY stands for: a place in SELECT, a name from it that is no column, or itself. */
function groupedNode(group: SqlNode, named: NamedTarget[], scope: Scope): SqlNode {
  if (group.kind === "A_Const") {
    const inner = group.fields.get("ival");
    const place =
      typeof inner === "object" && !Array.isArray(inner) ? Number(inner.fields.get("ival") ?? 0) : 0;
    return (
      named[place - 1]?.target.node ?? refuse(group.place, "GROUP BY names a place that SELECT does not have")
    );
  }
  const name = columnNameOf(group, scope);
  if (name === null || scope.columns.has(name)) return group;
  return named.find((item) => item.name === name)?.target.node ?? group;
}

function keyScalar(target: SelectTarget, scope: Scope): Exclude<Scalar, { type: "literal" }> {
  const scalar = compileScalar(target.node, scope);
  if (scalar.type === "literal")
    refuse(target.place, "a column of SELECT is an aggregate or stands in GROUP BY");
  return scalar;
}

class VectorList {
  /** The count of all rows comes first: the floor needs it in any case. */
  readonly all: Vector[] = [{ kind: "count", of: null }];
  readonly #places = new Map<string, number>([[canonicalJson(this.all[0]), 0]]);

  placeOf(vector: Vector): number {
    const text = canonicalJson(vector);
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    this.#places.set(text, this.all.length);
    return this.all.push(vector) - 1;
  }
}

function outputOf(name: string, aggregate: Aggregate, vectors: VectorList): Output {
  switch (aggregate.kind) {
    case "count":
      return { kind: "count", name, vector: vectors.placeOf(aggregate.count) };
    case "sum":
      return { kind: "sum", name, vector: vectors.placeOf(aggregate.sum), scale: aggregate.scale };
    case "average": {
      const sum = vectors.placeOf(aggregate.sum);
      return { kind: "average", name, sum, count: vectors.placeOf(aggregate.count), scale: aggregate.scale };
    }
  }
}

/** Equal shares of the charge for every vector; what does not divide stays unused. */
function charged(
  vectors: Vector[],
  rowsPerPerson: number,
  algorithm: AlgorithmManifest,
): Pick<Plan, "releases" | "microRho"> {
  const charge = BigInt(algorithm.microRho);
  if (charge < BigInt(vectors.length))
    throw new TrustedDataError(
      "charge_too_small",
      `The answer releases ${vectors.length} numbers per group, and a charge of ${charge} micro-rho does not go round: raise microRho.`,
      { microRho: algorithm.microRho },
    );
  const share = shareOfCharge(charge, vectors.length);
  return {
    releases: vectors.map((vector) => ({
      sensitivity: sensitivityOf(vector, rowsPerPerson).toString(),
      microRho: share.toString(),
    })),
    microRho: (share * BigInt(vectors.length)).toString(),
  };
}
