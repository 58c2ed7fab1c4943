/**
 * From an algorithm, values for its parameters and a dataset's manifest to the plan: which rows, what is counted and summed, over which
 * groups, and how much noise each number needs. No data is looked at.
 *
 * A SUM over no rows is 0, not null as in SQL. Aggregates clamp the whole expression to the interval that arithmetic over the clamped
 * columns gives; columns inside it are not clamped one by one.
 */
import { TrustedDataError } from "../../errors.ts";
import type { AlgorithmManifest } from "../manifests/algorithm-manifest.ts";
import type { DatasetManifest } from "../manifests/dataset-manifest.ts";
import { rational } from "../mechanisms/rational.ts";
import { peopleRhoOf, thresholdFor } from "../mechanisms/threshold.ts";
import { openGroupsLimit } from "../release/open-groups.ts";
import { isPeopleCount } from "./aggregate.ts";
import { answerOf } from "./answer-columns.ts";
import { leastOf } from "./arrangements.ts";
import { canonicalPredicate } from "./canonical-predicate.ts";
import type { CompileContext } from "./context.ts";
import { readingOf } from "./expressions.ts";
import { compileFrom } from "./from-clause.ts";
import { keysOf } from "./grouping.ts";
import { namedTargets } from "./named-targets.ts";
import { resolveParameters } from "./parameters.ts";
import { parseSelect, type Select } from "./parse-sql.ts";
import { requireFewRows } from "./people-source.ts";
import {
  type Bounding,
  cellsMax,
  exactCellsMax,
  type GroupKey,
  groupCountOf,
  type Plan,
  type Rows,
  rowsPerPersonOf,
} from "./plan.ts";
import { hasRoom, isModest } from "./plan-schema.ts";
import { ReleaseList } from "./release-list.ts";
import { type Contribution, sensitivitySquaredOf } from "./sensitivity.ts";
import { refuse } from "./sql-node.ts";

/** Numbers that one group of an answer is made of. */
const releasesMax = 256;

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
  const { plan } = leastOf(
    (arrangement) => arrangedPlan(select, context, arrangement),
    (compiled) => compiled.plan,
  );
  return plan;
}

function arrangedPlan(
  select: Select,
  context: CompileContext,
  arrangement: number,
): { plan: Plan; arrangements: number } {
  const { algorithm, dataset } = context;
  const { arrangements, sources, publicJoins, scope, conditions } = compileFrom(select, context, arrangement);
  const reading = readingOf(scope);
  const filter = canonicalPredicate(
    {
      kind: "and",
      operands: [...conditions, ...(select.where === null ? [] : [reading.predicate(select.where)])],
    },
    scope.factsOf,
  );
  const rows: Rows = { sources, publicJoins, filter };
  requireFewRows(rows, select);
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
  const { outputs, post } = answerOf(
    select,
    named,
    namedKeys,
    reading,
    releases,
    context,
    contribution.rows === 1n,
  );
  if (releases.count > releasesMax)
    refuse(select.place, `the answer would release more than ${releasesMax} numbers for each group`);
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
  if (plan.threshold !== null && openGroupsLimit(plan) < 1n)
    refuse(
      select.place,
      "a person may be in so many groups of an open key that none could be named: bound the groups of a person, or charge more",
    );
  if (!isModest(plan))
    refuse(select.place, "the plan is too large: join smaller public tables, or ask less at once");
  return { plan, arrangements };
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
  const rho = peopleRhoOf(BigInt(microRho));
  const tau = thresholdFor({
    variance: rational(people * rho.denominator, 2n * rho.numerator),
    // The other half of delta is for the number of groups.
    groupsPerPerson: 2n * people,
    microRho: BigInt(microRho),
  });
  return { release, minimum: String(tau > BigInt(minimumPeople) ? tau : BigInt(minimumPeople)) };
}
