/**
 * What every noise rests on: whatever the plan and the data, one person who comes or goes moves each vector by no more than is declared. The
 * change is taken from two runs over the same stored data, with and without the rows of that person.
 */
import { expect } from "chai";
import fc from "fast-check";
import {
  cellsOf,
  groupCountOf,
  type Plan,
  type Predicate,
  type Rows,
  rowsPerPersonOf,
  type Vector,
} from "../../node/data-sharing/plan/plan.ts";
import { sensitivitySquaredOf } from "../../node/data-sharing/plan/sensitivity.ts";
import type { ExactAnswer } from "../../node/data-sharing/ports.ts";
import { column, rowCount } from "./data-files.ts";
import { anyPlan, anyTightPlan } from "./plan-arbitraries.ts";

/** Runs over all, without a person, or over that person alone; people are the values of `who`. */
export type RunOver = (
  plan: Plan,
  who: { only: number } | { without: number } | null,
) => Promise<ExactAnswer>;

export function testSensitivity(run: RunOver, people: number, numRuns: number): void {
  const check = (plans: fc.Arbitrary<Plan>) =>
    fc.assert(
      fc.asyncProperty(
        plans.map(counted),
        fc.array(fc.integer({ min: 0, max: people - 1 }), { minLength: 3, maxLength: 3 }),
        async (plan, some) => {
          const all = cellsByGroup(plan, await run(plan, null));
          for (const person of new Set(some)) {
            const without = cellsByGroup(plan, await run(plan, { without: person }));
            const only = cellsByGroup(plan, await run(plan, { only: person }));
            const change = difference(all, without);
            // By that person's rows alone, whoever else there is.
            expect(change).to.deep.equal(difference(only, new Map()));
            checkBounds(plan, change);
          }
        },
      ),
      { numRuns },
    );

  it("moves no vector by more than its sensitivity when one person comes or goes", () =>
    check(anyPlan(false)));
  it("moves none by more where people have about as many rows and groups as count", () =>
    check(anyTightPlan()));
}

/** With the counts by which bounds are looked at. */
function counted(plan: Plan): Plan {
  return { ...plan, vectors: [...plan.vectors, rowCount, { kind: "people" }] };
}

function checkBounds(plan: Plan, change: Cells): void {
  const rows = rowsPerPersonOf(plan.rows);
  const contribution = { rows, bounding: plan.bounding, groups: groupCountOf(plan) };
  plan.vectors.forEach((vector: Vector, at) => {
    const squares = [...change.values()].flatMap((vectors) => vectors[at]!.map((cell) => cell ** 2n));
    const squared = squares.reduce((a, b) => a + b, 0n);
    expect(squared <= sensitivitySquaredOf(vector, contribution), `${vector.kind}: ${squared}`).to.equal(
      true,
    );
  });
  const [rowCounts, peopleCounts] = [plan.vectors.length - 2, plan.vectors.length - 1].map((at) =>
    [...change.values()].map((vectors) => vectors[at]![0]!),
  ) as [bigint[], bigint[]];
  expect(rowCounts.reduce((a, b) => a + b, 0n) <= rows).to.equal(true);
  expect(peopleCounts.every((count) => count === 0n || count === 1n)).to.equal(true);
  if (plan.bounding.kind === "stored") return;
  const { rowsPerGroup, groups } = plan.bounding;
  expect(rowCounts.every((count) => count <= BigInt(rowsPerGroup))).to.equal(true);
  expect(peopleCounts.filter((count) => count === 1n).length).to.be.at.most(groups);
}

/** By group, by vector. */
type Cells = Map<string, bigint[][]>;

function cellsByGroup(plan: Plan, { groups, vectors }: ExactAnswer): Cells {
  const count = groups?.length ?? groupCountOf(plan)!;
  const cells: Cells = new Map();
  for (let group = 0; group < count; group++) {
    const own = vectors.map((vector, at) => {
      const width = cellsOf(plan.vectors[at]!);
      return vector.slice(group * width, (group + 1) * width);
    });
    // A group of nobody would show that there is somebody.
    if (groups !== null) expect(own.at(-1)![0]! > 0n, "a listed group has people").to.equal(true);
    cells.set(groups === null ? String(group) : JSON.stringify(groups[group]), own);
  }
  return cells;
}

/** Groups without a change left out. */
function difference(left: Cells, right: Cells): Cells {
  const change: Cells = new Map();
  for (const group of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const [a, b] = [left.get(group), right.get(group)];
    const cells = (a ?? b)!.map((vector, at) =>
      vector.map((_, cell) => (a?.[at]?.[cell] ?? 0n) - (b?.[at]?.[cell] ?? 0n)),
    );
    if (cells.some((vector) => vector.some((cell) => cell !== 0n))) change.set(group, cells);
  }
  return change;
}

/** The plan over those rows of which `who` is, or is not, this number. */
export function planOver(plan: Plan, who: { only: number } | { without: number }): Plan {
  const person = "only" in who ? who.only : who.without;
  const same = (name: string): Predicate => {
    const equal: Predicate = {
      kind: "compare",
      operator: "=",
      left: column(name),
      right: { kind: "constant", value: String(person) },
    };
    return "only" in who ? equal : { kind: "not", operand: equal };
  };
  const narrowed = (rows: Rows): Rows => {
    const prefix = (at: number) => (rows.sources.length > 1 ? `${at}.` : "");
    const own = rows.sources.flatMap((source, at) =>
      source.kind === "table" ? [same(`${prefix(at)}who`)] : [],
    );
    return {
      ...rows,
      sources: rows.sources.map((source) =>
        source.kind === "table" ? source : { ...source, rows: narrowed(source.rows) },
      ),
      filter: { kind: "and", operands: [rows.filter, ...own] },
    };
  };
  return { ...plan, rows: narrowed(plan.rows) };
}
