/**
 * SQL as PostgreSQL's own grammar reads it (libpg-query), cut down to one SELECT. Whatever the subset does not name is
 * refused with its place; nothing of the text ever reaches an engine.
 */
import { hasSqlDetails, loadModule, parseSync, scanSync } from "libpg-query";
import { assert } from "../../primitives/assert.ts";
import { sqlBytesMax } from "../manifests/algorithm-manifest.ts";
import { reasonAgainstToken } from "./plain-tokens.ts";
import { checkSize } from "./rough-size.ts";
import {
  childOf,
  childrenOf,
  isNode,
  onlyFields,
  type Place,
  placeAtCharacter,
  placesByByte,
  readTree,
  refuse,
  type SqlNode,
  sqlDepthMax,
  sqlNodesMax,
  textOf,
} from "./sql-node.ts";

export interface SelectTarget {
  /** What AS says. */
  name: string | null;
  node: SqlNode;
  place: Place;
}

export interface Select {
  place: Place;
  from: SqlNode;
  targets: SelectTarget[];
  where: SqlNode | null;
  groups: SqlNode[];
  having: SqlNode | null;
  order: SqlNode[];
  limit: SqlNode | null;
}

let loaded = false;

/** Readies the parser, once per process; `parseSelect` needs it. */
export async function loadSqlParser(): Promise<void> {
  await loadModule();
  loaded = true;
}

/** @throws TrustedDataError `sql_refused` with `line`, `column` and `reason`. */
export function parseSelect(sql: string): Select {
  assert(loaded, "loadSqlParser was awaited");
  checkText(sql);
  const root = readTree(parse(sql), sql);
  const statements = childrenOf(root, "stmts");
  const [first, second] = statements;
  if (first === undefined) refuse(root.place, "there is no statement");
  if (second !== undefined) {
    const offset = Number(second.fields.get("stmt_location") ?? 0);
    const gap = /^\s*/.exec(Buffer.from(sql).subarray(offset).toString())![0].length;
    refuse(placesByByte(sql)[offset + gap] ?? second.place, "there is more than one statement");
  }
  return readSelect(childOf(first, "stmt"));
}

const clauseReasons: Record<string, string> = {
  distinctClause: "DISTINCT is not part of the subset; GROUP BY gives each group once",
  intoClause: "INTO is not allowed",
  windowClause: "window functions are not part of the subset",
  valuesLists: "VALUES is not part of the subset",
  limitOffset: "OFFSET is not part of the subset",
  lockingClause: "FOR UPDATE and FOR SHARE are not allowed",
  withClause: "WITH is not part of the subset",
  rarg: "UNION, INTERSECT and EXCEPT are not part of the subset",
  groupDistinct: "GROUP BY DISTINCT is not part of the subset",
};

/** Of a statement, or of a subquery in FROM. */
export function readSelect(select: SqlNode): Select {
  if (select.kind !== "SelectStmt") refuse(select.place, "only SELECT is allowed");
  for (const [field, reason] of Object.entries(clauseReasons)) {
    const clause = select.fields.get(field);
    const [part] = [clause].flat();
    if (clause !== undefined) refuse(isNode(part) ? part.place : select.place, reason);
  }
  onlyFields(select, [
    ...["targetList", "fromClause", "whereClause", "groupClause", "havingClause"],
    ...["sortClause", "limitCount", "limitOption", "op"],
  ]);
  const option = select.fields.get("limitOption");
  if (select.fields.get("op") !== "SETOP_NONE") refuse(select.place, "this form is not part of the subset");
  if (option !== "LIMIT_OPTION_DEFAULT" && option !== "LIMIT_OPTION_COUNT")
    refuse(childOf(select, "limitCount").place, "WITH TIES is not part of the subset");
  const targets = childrenOf(select, "targetList").map(readTarget);
  if (targets.length === 0) refuse(select.place, "SELECT names no columns");
  const [from, second] = childrenOf(select, "fromClause");
  if (from === undefined) refuse(select.place, "there is no FROM");
  if (second !== undefined)
    refuse(second.place, "FROM names several tables by commas: write JOIN ... ON a.person = b.person");
  const optional = (field: string) => {
    const clause = select.fields.get(field);
    return isNode(clause) ? clause : null;
  };
  return {
    place: select.place,
    from,
    targets,
    where: optional("whereClause"),
    groups: childrenOf(select, "groupClause"),
    having: optional("havingClause"),
    order: childrenOf(select, "sortClause"),
    limit: optional("limitCount"),
  };
}

function readTarget(target: SqlNode): SelectTarget {
  if (target.kind !== "ResTarget") refuse(target.place, "this form is not part of the subset");
  onlyFields(target, ["name", "val"]);
  const node = childOf(target, "val");
  return { name: target.fields.has("name") ? textOf(target, "name") : null, node, place: target.place };
}

/** Holds the text to sizes for which the parser's own recursion is harmless. */
function checkText(sql: string): void {
  const start = { line: 1, column: 1 };
  if (Buffer.byteLength(sql) > sqlBytesMax) refuse(start, `it is longer than ${sqlBytesMax} bytes`);
  if (!sql.isWellFormed()) refuse(start, "it holds a lone surrogate");
  // The parser would stop at a NUL and not see what follows; the rest could show a reviewer something other than what is there. DuckDB makes
  // plain spaces of other ones, also of some in texts.
  const hidden = /[\p{Cc}\p{Cf}\p{Z}]/u;
  const offset = [...sql].findIndex((character) => hidden.test(character) && !" \t\n\r".includes(character));
  if (offset >= 0) refuse(placeAtCharacter(sql, offset), "it holds a control or invisible character");
  if (sql.trim() === "") refuse(start, "there is no statement");
  checkSize(sql);
  const places = placesByByte(sql);
  let depth = 0;
  for (const [index, token] of scan(sql).entries()) {
    const place = places[token.start] ?? start;
    if (index >= sqlNodesMax) refuse(place, `it has more than ${sqlNodesMax} parts`);
    if (token.text === "(" || token.text === "[") depth++;
    if (token.text === ")" || token.text === "]") depth--;
    if (depth > sqlDepthMax) refuse(place, `it is nested deeper than ${sqlDepthMax} levels`);
    const reason = reasonAgainstToken(token.text);
    if (reason !== null) refuse(place, reason);
  }
}

/** The tokens; none where the text has none that PostgreSQL can read: then `parse` says where. */
function scan(sql: string): { start: number; text: string }[] {
  try {
    return scanSync(sql).tokens;
  } catch {
    return [];
  }
}

function parse(sql: string): unknown {
  try {
    return parseSync(sql);
  } catch (error) {
    if (hasSqlDetails(error)) {
      const place = placeAtCharacter(sql, error.sqlDetails?.cursorPosition ?? 0);
      refuse(place, `it is not PostgreSQL (${error.message.replace(/\.$/, "")})`);
    }
    return refuse({ line: 1, column: 1 }, "it cannot be read");
  }
}
