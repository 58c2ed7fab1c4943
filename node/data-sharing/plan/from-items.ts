/** FROM taken apart: its tables and subqueries, and what joins them. Inner joins only, so that their order does not matter. */
import { identifierSchema } from "../manifests/dataset-manifest.ts";
import {
  childOf,
  childrenOf,
  isNode,
  namesOf,
  onlyFields,
  type Place,
  refuse,
  type SqlNode,
  textOf,
} from "./sql-node.ts";

export interface FromItem {
  alias: string;
  place: Place;
  /** A table's name, or null for a subquery. */
  table: string | null;
  subquery: SqlNode | null;
}

export type JoinCondition =
  | { kind: "on"; node: SqlNode }
  /** A column of both sides. */
  | { kind: "using"; name: string; left: string[]; right: string; node: SqlNode };

/** An equation of a public table's column with something of the private side. */
export interface PublicKey {
  alias: string;
  column: string;
  other: SqlNode;
  node: SqlNode;
}

export interface FromItems {
  items: FromItem[];
  conditions: JoinCondition[];
}

export function fromItems(node: SqlNode): FromItems {
  switch (node.kind) {
    case "RangeVar":
      return { items: [tableItem(node)], conditions: [] };
    case "RangeSubselect":
      return { items: [subqueryItem(node)], conditions: [] };
    case "JoinExpr":
      return joinItems(node);
    case "RangeFunction":
      return refuse(node.place, "functions in FROM are not allowed");
    default:
      return refuse(node.place, "FROM takes tables, joins and subqueries");
  }
}

function tableItem(node: SqlNode): FromItem {
  onlyFields(node, ["relname", "inh", "relpersistence", "alias"], {
    schemaname: "a table is named without its schema",
    catalogname: "a table is named without its schema",
  });
  if (node.fields.get("inh") !== true) refuse(node.place, "ONLY is not part of the subset");
  const table = textOf(node, "relname");
  return { alias: aliasOf(node) ?? table, place: node.place, table, subquery: null };
}

function subqueryItem(node: SqlNode): FromItem {
  const subquery = childOf(node, "subquery");
  const { place } = subquery;
  onlyFields(node, ["subquery", "alias"], { lateral: "LATERAL is not part of the subset" });
  const alias = aliasOf(node) ?? refuse(place, "a subquery in FROM needs a name: (SELECT ...) AS name");
  return { alias, place, table: null, subquery };
}

function aliasOf(node: SqlNode): string | null {
  const alias = node.fields.get("alias");
  if (!isNode(alias)) return null;
  onlyFields(alias, ["aliasname"], { colnames: "column aliases in FROM are not part of the subset" });
  const name = textOf(alias, "aliasname");
  requirePlainName(name, node.place);
  // FROM visits semi JOIN patients: to DuckDB that is a join of another kind.
  if (/^(?:semi|anti|asof|positional)$/.test(name))
    refuse(node.place, `${name} is no name for a table: it could be taken for a kind of join`);
  return name;
}

/** As all tables and columns are called: DuckDB does not tell "N" from n. */
export function requirePlainName(name: string, place: Place): void {
  if (!identifierSchema.safeParse(name).success)
    refuse(place, "a name is made of lower-case letters, digits and underscores");
}

function joinItems(node: SqlNode): FromItems {
  const { place } = node;
  if (node.fields.get("jointype") !== "JOIN_INNER")
    refuse(place, "outer joins are not part of the subset; write JOIN");
  onlyFields(node, ["jointype", "larg", "rarg", "quals", "usingClause", "rtindex"], {
    isNatural: "NATURAL JOIN is not part of the subset; write ON or USING",
    alias: "a name for a join is not part of the subset",
    join_using_alias: "a name for a join is not part of the subset",
  });
  const [left, right] = [fromItems(childOf(node, "larg")), fromItems(childOf(node, "rarg"))];
  const quals = node.fields.get("quals");
  const on = isNode(quals) ? conjuncts(quals).map((part) => ({ kind: "on", node: part }) as const) : [];
  const names = node.fields.has("usingClause") ? (namesOf(node, "usingClause") ?? []) : [];
  if (names.length > 0 && right.items.length > 1) refuse(place, "USING joins one table at a time");
  const using = names.map((name): JoinCondition => {
    const aliases = left.items.map(({ alias }) => alias);
    const item = right.items[0]!;
    return { kind: "using", name, left: aliases, right: item.alias, node: { ...node, place: item.place } };
  });
  if (on.length + using.length === 0)
    refuse(place, "CROSS JOIN is not part of the subset: write ON or USING");
  return {
    items: [...left.items, ...right.items],
    conditions: [...left.conditions, ...right.conditions, ...on, ...using],
  };
}

function conjuncts(node: SqlNode): SqlNode[] {
  const isAnd = node.kind === "BoolExpr" && node.fields.get("boolop") === "AND_EXPR";
  return isAnd ? childrenOf(node, "args").flatMap(conjuncts) : [node];
}
