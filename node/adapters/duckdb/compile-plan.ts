/**
 * A plan as one DuckDB statement over the tables of a data file (see `stored-columns.ts`) and a reader that makes the answer of its rows.
 * Only checked identifiers and integer literals go into the statement. No row can make it fail: from the columns' bounds every intermediate
 * value is known to fit the type in which it is computed.
 */
import { groupCountOf, type Plan, rowsPerPersonOf } from "../../data-sharing/plan/plan.ts";
import { compileGrouped, maskedGroupsMax } from "./compile-grouped.ts";
import { RowsCompiler } from "./compile-rows.ts";
import { compileWalk } from "./compile-walk.ts";
import type { CompiledPlan } from "./compiled-plan.ts";
import type { StoredTables } from "./stored-columns.ts";

/** Breaks an expectation, whatever the data, where values of the plan could leave 126 bits. */
export function compilePlan(plan: Plan, tables: StoredTables): CompiledPlan {
  const inPieces = isWalked(plan);
  const rows = new RowsCompiler(tables, inPieces).rows(plan.rows);
  return inPieces ? compileWalk(plan, rows) : compileGrouped(plan, rows);
}

/** Where the sources do not bound enough, or people are counted and in more groups than a number has bits. */
function isWalked(plan: Plan): boolean {
  const rowsMax = rowsPerPersonOf(plan.rows);
  const groups = groupCountOf(plan);
  if (plan.bounding.kind === "query") {
    const { rowsPerGroup, groups: groupsMax } = plan.bounding;
    const groupsThere = groups === null || rowsMax < BigInt(groups) ? rowsMax : BigInt(groups);
    if (rowsMax > BigInt(rowsPerGroup) || groupsThere > BigInt(groupsMax)) return true;
  }
  const countsPeople = rowsMax > 1n && plan.vectors.some(({ kind }) => kind === "people");
  return countsPeople && (groups === null || groups > maskedGroupsMax);
}
