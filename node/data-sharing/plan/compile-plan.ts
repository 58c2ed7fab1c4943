/**
 * From an algorithm, values for its parameters and a dataset's manifest to the plan: which rows, what is counted and summed, over which
 * groups, and how much noise each number needs. No data is looked at.
 *
 * A SUM over no rows is 0, not null as in SQL. Aggregates clamp the whole expression to the interval that arithmetic over the clamped
 * columns gives; columns inside it are not clamped one by one.
 */
import { TrustedDataError } from "../../errors.ts";
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { rhoOf } from "../accounting/zcdp.ts";
import type { AlgorithmManifest } from "../manifests/algorithm-manifest.ts";
import { type DatasetManifest, domainSizeMax, identifierSchema } from "../manifests/dataset-manifest.ts";
import { rational } from "../mechanisms/rational.ts";
import { thresholdFor } from "../mechanisms/threshold.ts";
import { type AggregateOptions, aggregateOf, isAggregate, isPeopleCount } from "./aggregate.ts";
import { candidatesMax } from "./candidates.ts";
import { canonicalPredicate } from "./canonical-predicate.ts";
import type { CompileContext } from "./context.ts";
import { readingOf } from "./expressions.ts";
import { compileFrom } from "./from-clause.ts";
import { groupKeyOf } from "./group-key.ts";
import { resolveParameters } from "./parameters.ts";
import { parseSelect, type Select, type SelectTarget } from "./parse-sql.ts";
import {
  type Bounding,
  cellsMax,
  exactCellsMax,
  type GroupKey,
  groupCountOf,
  type Output,
  type Plan,
  type Rows,
  rowsPerPersonOf,
} from "./plan.ts";
import { hasRoom } from "./plan-schema.ts";
import { compilePost } from "./post.ts";
import type { Reading, Scalar } from "./reading.ts";
import { outputsOf, ReleaseList } from "./release-list.ts";
import { type Contribution, sensitivitySquaredOf } from "./sensitivity.ts";
import { type Place, refuse, type SqlNode } from "./sql-node.ts";

/** Rows of one person after joins: with more, noise would be all that an answer says. */
const rowsPerPersonMax = 1_000_000n;
/** Columns of one answer; a charge split further would buy noise only. */
const outputsMax = 256;

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
  const context: CompileContext = {
    algorithm,
    dataset,
    parameters: resolveParameters(algorithm, parameters),
  };
  const select = parseSelect(algorithm.sql);
  const { sources, publicJoins, scope, conditions } = compileFrom(select, context);
  const reading = readingOf(scope);
  const filter = canonicalPredicate(
    {
      kind: "and",
      operands: [...conditions, ...(select.where === null ? [] : [reading.predicate(select.where)])],
    },
    scope.factsOf,
  );
  const rows: Rows = { sources, publicJoins, filter };
  if (rowsPerPersonOf(rows) > rowsPerPersonMax)
    refuse(
      select.place,
      `a person could have ${rowsPerPersonOf(rows)} rows by these joins, more than ${rowsPerPersonMax}`,
    );
  const bounding = boundingOf(algorithm, rows);
  const named = namedTargets(select);
  const namedKeys = keysOf(select, named, reading);
  const keys = namedKeys.map(({ key }) => key);
  const contribution: Contribution = {
    rows: rowsPerPersonOf(rows),
    bounding,
    groups: groupCountOf({ keys }),
  };
  const releases = new ReleaseList();
  const floor = floorOf(select, keys, contribution, releases, dataset);
  const { outputs, post } = answerOf(select, named, namedKeys, reading, releases, context, contribution);
  const charged = releases.charged(algorithm.microRho, contribution);
  const plan: Plan = {
    version: "itd-plan/2",
    rows,
    bounding,
    keys,
    vectors: releases.vectors,
    ...charged,
    floor,
    threshold: thresholdOf(keys, floor.release, charged.releases, contribution, dataset),
    outputs,
    post,
  };
  if (!hasRoom(plan))
    refuse(
      select.place,
      `the answer would have more than ${cellsMax} numbers, or need more than ${exactCellsMax} to find them; ask for fewer groups, aggregates or candidates`,
    );
  return plan;
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

/** Where the sources let no more through than the algorithm wants, nothing is left to bound. */
function boundingOf({ bounding }: AlgorithmManifest, rows: Rows): Bounding {
  if (bounding === undefined || rowsPerPersonOf(rows) === 1n) return { kind: "stored" };
  return { kind: "query", ...bounding };
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
function keysOf(select: Select, named: NamedTarget[], reading: Reading): NamedKey[] {
  const keys = new Map<string, GroupKey>();
  for (const group of select.groups) {
    const node = groupedNode(group, named, reading);
    if (isAggregate(node)) refuse(group.place, "an aggregate is no grouping key");
    const scalar = reading.scalar(node);
    keys.set(keyName(scalar), groupKeyOf(scalar, reading, group.place));
    if ((groupCountOf({ keys: [...keys.values()] }) ?? 0) > domainSizeMax)
      refuse(group.place, `the keys span more than ${domainSizeMax} groups`);
  }
  const order = new Map<string, number>();
  for (const [index, { target }] of named.entries()) {
    if (isAggregate(target.node)) continue;
    const text = keyName(keyScalar(target.node, reading));
    if (!keys.has(text)) refuse(target.place, "a column of SELECT is an aggregate or stands in GROUP BY");
    if (!order.has(text)) order.set(text, index);
  }
  return [...keys]
    .sort(([a], [b]) => (order.get(a) ?? Infinity) - (order.get(b) ?? Infinity) || (a < b ? -1 : 1))
    .map(([name, key]) => ({ name, key }));
}

/** A key with what tells it from the others. */
interface NamedKey {
  name: string;
  key: GroupKey;
}

/** Its expression and how its values are called: a boolean and its integer are two keys, and so are two texts by one condition. */
function keyName(scalar: Scalar): string {
  if (scalar.type === "literal" || scalar.type === "null") return "";
  const { type, expression } = scalar;
  const scale = scalar.type === "number" ? scalar.scale : 0;
  // A column has one domain.
  const domain = scalar.type === "text" && expression.kind !== "column" ? scalar.domain : [];
  return canonicalJson([expression, type, scale, domain]);
}

/** What an item of GROUP BY stands for: a place in SELECT, a name from it that is no column, or itself. */
function groupedNode(group: SqlNode, named: NamedTarget[], reading: Reading): SqlNode {
  if (group.kind === "A_Const") {
    const inner = group.fields.get("ival");
    const place =
      typeof inner === "object" && !Array.isArray(inner) ? Number(inner.fields.get("ival") ?? 0) : 0;
    return (
      named[place - 1]?.target.node ?? refuse(group.place, "GROUP BY names a place that SELECT does not have")
    );
  }
  if (group.kind !== "ColumnRef" || reading.scope.nameOf(group) !== null) return group;
  const parts = group.fields.get("fields");
  const name = Array.isArray(parts) && parts.length === 1 ? defaultName(group) : null;
  return named.find((item) => item.name === name)?.target.node ?? group;
}

function keyScalar(node: SqlNode, reading: Reading): Exclude<Scalar, { type: "literal" | "null" }> {
  const scalar = reading.scalar(node);
  if (scalar.type === "literal" || scalar.type === "null")
    refuse(node.place, "a column of SELECT is an aggregate or stands in GROUP BY");
  return scalar;
}

/**
 * By what a group counts as too small: its people where the answer counts them or its key is open, else its rows, of which there have to be
 * so many that `minimumPeople` took part for sure. Comes first among the releases.
 */
function floorOf(
  select: Select,
  keys: GroupKey[],
  { rows, bounding }: Contribution,
  releases: ReleaseList,
  { minimumPeople }: DatasetManifest,
): Plan["floor"] {
  const isOpen = keys.some((key) => key.kind === "open");
  const countsPeople = rows > 1n && (isOpen || select.targets.some(({ node }) => isPeopleCount(node)));
  if (countsPeople) return { release: releases.noisy({ kind: "people" }), minimum: minimumPeople };
  const perPerson = bounding.kind === "query" ? Math.min(bounding.rowsPerGroup, Number(rows)) : Number(rows);
  const minimum = minimumPeople === 0 ? 0 : (minimumPeople - 1) * perPerson + 1;
  return { release: releases.noisy({ kind: "count", of: null }), minimum };
}

/** Above it a group of one person is shown with the chance only that the charge allows. */
function thresholdOf(
  keys: GroupKey[],
  release: number,
  releases: Plan["releases"],
  contribution: Contribution,
  { minimumPeople }: DatasetManifest,
): Plan["threshold"] {
  if (keys.every((key) => key.kind === "declared")) return null;
  const { microRho } = releases[release]!;
  const people = sensitivitySquaredOf({ kind: "people" }, contribution);
  const rho = rhoOf(BigInt(microRho));
  const tau = thresholdFor({
    variance: rational(people * rho.denominator, 2n * rho.numerator),
    groupsPerPerson: people,
    microRho: BigInt(microRho),
  });
  return { release, minimum: String(tau > BigInt(minimumPeople) ? tau : BigInt(minimumPeople)) };
}

/** The columns of the answer and what is done with its rows. */
function answerOf(
  select: Select,
  named: NamedTarget[],
  keys: NamedKey[],
  reading: Reading,
  releases: ReleaseList,
  { algorithm }: CompileContext,
  contribution: Contribution,
): Pick<Plan, "outputs" | "post"> {
  const optionsOf = (name: string): AggregateOptions => ({
    clamps: algorithm.clamp,
    step: algorithm.candidates[name] ?? null,
    candidatesMax: candidatesFor(keys.map(({ key }) => key)),
    isRowPerPerson: contribution.rows === 1n,
  });
  const outputs: Output[] = [];
  const aggregates = new Map<string, number>();
  const add = (name: string, shown: boolean, node: SqlNode): number => {
    const aggregate = aggregateOf(node, reading, optionsOf(name));
    if (aggregate === null) {
      const key = keyPlace(keyScalar(node, reading), keys);
      if (key < 0) refuse(node.place, "this is no aggregate and stands not in GROUP BY");
      return outputs.push({ kind: "key", name, shown, key }) - 1;
    }
    const text = canonicalJson(outputsOf("", true, aggregate, releases));
    if (!aggregates.has(text)) aggregates.set(text, outputs.length);
    return outputs.push(...outputsOf(name, shown, aggregate, releases)) - 1;
  };
  for (const { name, target } of named) add(name, true, target.node);
  checkNames(outputs, select.place);
  const places = outputs.length;
  /** The same aggregate or key if SELECT has it, else one more that is not shown. */
  const outputOf = (node: SqlNode) => {
    const aggregate = aggregateOf(node, reading, optionsOf(""));
    if (aggregate !== null && aggregate.kind === "histogram")
      refuse(node.place, "a histogram is not compared");
    const same =
      aggregate === null
        ? outputs.findIndex(
            (one) => one.kind === "key" && one.key === keyPlace(keyScalar(node, reading), keys),
          )
        : (aggregates.get(canonicalJson(outputsOf("", true, aggregate, releases))) ?? -1);
    const place = same >= 0 ? same : add(`hidden_${outputs.length + 1}`, false, node);
    return { place, isKey: aggregate === null };
  };
  const names = outputs.slice(0, places).map(({ name }) => name);
  return { outputs, post: compilePost(select, reading, outputOf, names) };
}

function keyPlace(scalar: Scalar, keys: NamedKey[]): number {
  const wanted = keyName(scalar);
  return keys.findIndex(({ name }) => name === wanted);
}

/** A histogram's columns may meet others. */
function checkNames(outputs: Output[], place: Place): void {
  const seen = new Set<string>();
  for (const { name } of outputs) {
    if (seen.has(name)) refuse(place, `two columns are called ${name}: write AS name`);
    seen.add(name);
  }
  if (outputs.length > outputsMax) refuse(place, `the answer has more than ${outputsMax} columns`);
}

/** So many that all groups together stay within what an engine may be asked to find. */
function candidatesFor(keys: GroupKey[]): number {
  const groups = groupCountOf({ keys });
  if (groups === null) return 100;
  return Math.max(20, Math.min(candidatesMax, Math.floor(exactCellsMax / 2 / groups)));
}
