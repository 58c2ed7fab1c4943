/** The plan means what its SQL says: random questions as DuckDB answers their text, against the plan without noise. */
import { expect } from "chai";
import { daysToDate, formatDecimal } from "../../../../node/data-sharing/manifests/grid.ts";
import { textCode } from "../../../../node/data-sharing/manifests/text-code.ts";
import { executePlan } from "../../../../node/data-sharing/plan/evaluate.ts";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import {
  cellsOf,
  groupCountOf,
  type Output,
  type Plan,
  type Vector,
} from "../../../../node/data-sharing/plan/plan.ts";
import { planSchema } from "../../../../node/data-sharing/plan/plan-schema.ts";
import { TrustedDataError } from "../../../../node/errors.ts";
import { type ClinicTables, diagnoses, randomTables } from "./random/clinic.ts";
import { clinicPlan } from "./random/clinic-plan.ts";
import { Draw } from "./random/draw.ts";
import { duckClinic, type QuestionRow } from "./random/duck-clinic.ts";
import { type Question, Questions } from "./random/questions.ts";
import type { Term } from "./random/terms.ts";

const [datasets, questionsOfEach] = [8, 50];
const texts = new Map([...diagnoses, "other"].map((text) => [textCode(text), text]));

function labelOf(value: bigint | string, term: Term): string {
  if (typeof value === "string") return value;
  if (term.kind === "boolean") return value === 1n ? "true" : "false";
  return term.kind === "date"
    ? daysToDate(value)
    : formatDecimal(value, term.kind === "number" ? term.scale : 0);
}

/** Rows by their group's labels, in the order of the question's keys; rows with a null key belong to none. */
function grouped(rows: QuestionRow[], { keys }: Question): Map<string, QuestionRow[]> {
  const groups = new Map<string, QuestionRow[]>();
  for (const row of rows) {
    const labels = keys.map(({ term }, at) => {
      const value = row.values[at]!;
      return value === null ? null : labelOf(value, term);
    });
    if (labels.includes(null)) continue;
    const name = JSON.stringify(labels);
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  return groups;
}

/** The labels of every group that the answer has. */
function groupsOf(plan: Plan, groups: string[][] | null): string[][] {
  if (groups !== null) return groups;
  return Array.from({ length: groupCountOf(plan)! }, (_, group) => {
    let rest = group;
    return plan.keys
      .toReversed()
      .map((key) => {
        const { labels } = key as Extract<typeof key, { kind: "declared" }>;
        const label = labels[rest % labels.length]!;
        rest = Math.floor(rest / labels.length);
        return label;
      })
      .reverse();
  });
}

/** What a vector's cells are for the values, by its own words in plan.ts. */
function expectedCells(vector: Vector, rows: QuestionRow[], values: (bigint | null)[]): bigint[] {
  const present = values.filter((value) => value !== null);
  const sumOf = (
    of: (centred: bigint) => bigint,
    { low, high, centre }: { low: string; high: string; centre: string },
  ) =>
    present.reduce((sum, value) => {
      expect(value >= BigInt(low) && value <= BigInt(high), `${value} lies in ${low} ... ${high}`).to.equal(
        true,
      );
      return sum + of(value - BigInt(centre));
    }, 0n);
  switch (vector.kind) {
    case "count":
      return [BigInt(vector.of === null ? rows.length : present.length)];
    case "people":
      return [BigInt(new Set(rows.map(({ person }) => person)).size)];
    case "sum":
      return [sumOf((centred) => centred, vector)];
    case "squares":
      return [sumOf((centred) => centred ** 2n, vector)];
    case "buckets":
      return Array.from({ length: vector.buckets }, (_, cell) => {
        const [from, step] = [BigInt(vector.low), BigInt(vector.step)];
        const inside = present.filter((value) => {
          const isAbove = cell === 0 || value >= from + BigInt(cell) * step;
          return isAbove && (cell === vector.buckets - 1 || value < from + BigInt(cell + 1) * step);
        });
        return BigInt(inside.length);
      });
  }
}

/** The vectors behind a column of the answer. */
function vectorsOf(plan: Plan, output: Output): number[] {
  const releases = {
    key: () => [],
    count: (one: Output) => [(one as { release: number }).release],
    sum: (one: Output) => [(one as { release: number }).release],
    average: (one: Output) => [(one as { sum: number }).sum, (one as { count: number }).count],
    variance: (one: Output) => {
      const { squares, sum, count } = one as { squares: number; sum: number; count: number };
      return [squares, sum, count];
    },
    quantile: (one: Output) => [(one as { release: number }).release],
  }[output.kind](output);
  return releases.map((release) => plan.releases[release]!.vector);
}

function compare(question: Question, plan: Plan, tables: ClinicTables, rows: QuestionRow[]): void {
  const answer = executePlan(tables, plan, { texts });
  const keyOrder = plan.keys.map((_, key) =>
    question.keys.findIndex(({ name }) =>
      plan.outputs.some((one) => one.kind === "key" && one.key === key && one.name === name),
    ),
  );
  // One key may be shown under two names.
  const shown = question.keys.map(
    ({ name }) => plan.outputs.find((one) => one.name === name) as Output & { kind: "key" },
  );
  expect(keyOrder).not.to.include(-1);
  const expected = grouped(rows, question);
  const labels = groupsOf(plan, answer.groups).map((own) =>
    JSON.stringify(shown.map(({ key }) => own[key]!)),
  );
  expect(labels, "every group is one of the answer's").to.include.members([...expected.keys()]);
  if (answer.groups !== null) expect(labels).to.have.members([...expected.keys()]);
  for (const [at, { name, of }] of question.aggregates.entries()) {
    const output = plan.outputs.find((one) => one.name === name || one.name === `${name}_1`)!;
    for (const place of vectorsOf(plan, output)) {
      const vector = plan.vectors[place]!;
      const cells = cellsOf(vector);
      labels.forEach((label, group) => {
        const own = expected.get(label) ?? [];
        const values = own.map((row): bigint | null => {
          const value = row.values[question.keys.length + at]!;
          return of !== null && typeof value === "string" ? 0n : (value as bigint | null);
        });
        expect(
          answer.vectors[place]!.slice(group * cells, (group + 1) * cells),
          `${name} of ${label}`,
        ).to.deep.equal(expectedCells(vector, own, values));
      });
    }
  }
}

describe("what a plan means", () => {
  before(loadSqlParser);

  for (let dataset = 0; dataset < datasets; dataset++) {
    it(`is what DuckDB makes of the same text, dataset ${dataset}`, async () => {
      const tables = randomTables(new Draw(dataset), 4);
      const duck = await duckClinic(tables);
      let compiled = 0;
      for (let seed = dataset * 10_000; seed < dataset * 10_000 + questionsOfEach; seed++) {
        const question = new Questions(new Draw(seed), new Draw(-seed)).question();
        let plan: Plan;
        try {
          plan = clinicPlan(question.sql);
        } catch (error) {
          expect(error, question.sql).to.be.instanceOf(TrustedDataError);
          continue;
        }
        compiled++;
        try {
          expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).to.deep.equal(plan);
          compare(question, plan, tables, await duck.rowsOf(question.duck));
        } catch (error) {
          throw new Error(`seed ${seed}: ${(error as Error).message}\n${question.sql}\n${question.duck}`, {
            cause: error,
          });
        }
      }
      duck.close();
      // Not each random question lies in the subset, but most do.
      expect(compiled).to.be.greaterThan(questionsOfEach * 0.5);
    });
  }
});
