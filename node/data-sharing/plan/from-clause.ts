/**
 * FROM: which rows a SELECT is over. Every table of persons is joined with the others on the person, so that each row has one person, and
 * public tables on keys; what else stands in ON is a condition like those of WHERE.
 */
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { tablesOf } from "../manifests/dataset-manifest.ts";
import { arranged, arrangementsOf } from "./arrangements.ts";
import { planColumns } from "./columns.ts";
import type { CompileContext, From } from "./context.ts";
import { readingOf } from "./expressions.ts";
import { type FromItem, fromItems, type JoinCondition, type PublicKey } from "./from-items.ts";
import type { Select } from "./parse-sql.ts";
import { peopleSource } from "./people-source.ts";
import type { Source } from "./plan.ts";
import { publicColumns, publicJoinOf } from "./public-join.ts";
import { type Relation, Scope } from "./scope.ts";
import { childOf, childrenOf, namesOf, refuse, type SqlNode } from "./sql-node.ts";

/** Tables and subqueries of persons in one FROM, and public tables. */
const sourcesMax = 8;
/** Columns by which one public table is joined. */
const publicKeysMax = 4;

export function compileFrom(select: Select, context: CompileContext, arrangement: number): From {
  const { items, conditions } = fromItems(select.from);
  checkAliases(items);
  const isPublic = (item: FromItem) => item.table !== null && isPublicTable(item, context);
  const { sources, arrangements } = privateSources(
    items.filter((item) => !isPublic(item)),
    select,
    context,
    arrangement,
  );
  const provisional = items.filter(isPublic).map((item) => {
    return {
      item,
      columns: publicColumns(context.algorithm.publicTables[item.table!]!),
      merged: new Set(
        conditions.flatMap((one) => (one.kind === "using" && one.right === item.alias ? [one.name] : [])),
      ),
    };
  });
  const extra = items.filter(isPublic)[sourcesMax] ?? items.filter((item) => !isPublic(item))[sourcesMax];
  if (extra !== undefined) refuse(extra.place, `FROM joins more than ${sourcesMax} tables`);
  const relations = sources.map(({ relation }) => relation);
  const joined = new Scope(
    [
      ...relations,
      ...provisional.map(({ item, columns, merged }): Relation => {
        return {
          alias: item.alias,
          prefix: `${item.alias}?`,
          columns,
          planNames: new Map(),
          isPrivate: false,
          merged,
        };
      }),
    ],
    context.parameters,
  );
  const parts = sorted(conditions, joined);
  requireJoined(items, sources, parts.people);
  const privateReading = readingOf(new Scope(relations, context.parameters));
  const publics = provisional
    .map(({ item, columns, merged }) => {
      const keys = parts.keys.filter((key) => key.alias === item.alias);
      const extraKey = keys[publicKeysMax];
      if (extraKey !== undefined)
        refuse(extraKey.node.place, `a public table is joined by more than ${publicKeysMax} columns`);
      if (keys.length === 0)
        refuse(
          item.place,
          `the public table ${item.alias} is joined by nothing: write ON a.x = ${item.alias}.x`,
        );
      const table = context.algorithm.publicTables[item.table!]!;
      return {
        item,
        columns,
        merged,
        join: publicJoinOf(
          table,
          keys,
          privateReading,
          mentionedColumns(select, parts.others, item.alias, merged),
        ),
      };
    })
    .sort((a, b) => (canonicalJson(a.join) < canonicalJson(b.join) ? -1 : 1));
  const scope = new Scope(
    [
      ...relations,
      ...publics.map(({ item, columns, join, merged }, at): Relation => {
        const own = new Map([...columns].filter(([name]) => join.columns.includes(name)));
        const { alias } = item;
        return { alias, prefix: `p${at}.`, columns: own, planNames: new Map(), isPrivate: false, merged };
      }),
    ],
    context.parameters,
  );
  const reading = readingOf(scope);
  return {
    arrangements,
    sources: sources.map(({ source }) => source),
    publicJoins: publics.map(({ join }) => join),
    scope,
    conditions: parts.others.map((node) => reading.predicate(node)),
  };
}

function checkAliases(items: FromItem[]): void {
  const seen = new Set<string>();
  for (const { alias, place } of items) {
    if (alias === "param") refuse(place, "param names the parameters and cannot name a table");
    if (seen.has(alias)) refuse(place, `two tables are called ${alias}: give one another name`);
    seen.add(alias);
  }
}

function isPublicTable({ table, place }: FromItem, { algorithm, dataset }: CompileContext): boolean {
  const isHere = Object.hasOwn(algorithm.publicTables, table!);
  if (isHere && tablesOf(dataset).has(table!))
    refuse(place, `${table} is a table of the algorithm and one of the dataset`);
  return isHere;
}

/** In canonical order, with the names that the plan gives their columns. */
function privateSources(items: FromItem[], select: Select, context: CompileContext, arrangement: number) {
  const tables = tablesOf(context.dataset);
  const found = items
    .map((item) => {
      if (item.subquery !== null) {
        return {
          item,
          ...peopleSource(
            item.subquery,
            mentionedColumns(select, onNodes(select), item.alias, new Set()),
            context,
            compileFrom,
          ),
        };
      }
      const table = tables.get(item.table!);
      if (table === undefined)
        refuse(
          item.place,
          `there is no table ${item.table}; there are ${[...tables.keys(), ...Object.keys(context.algorithm.publicTables)].join(", ")}`,
        );
      const source: Source = {
        kind: "table",
        table: item.table!,
        rowsPerPerson: table.rowsPerPerson,
      };
      return { item, source, columns: planColumns(table), planNames: new Map<string, string>() };
    })
    .map((one) => ({ ...one, text: canonicalJson(one.source) }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  if (found.length === 0) refuse(select.from.place, "FROM names public tables only");
  const texts = found.map(({ text }) => text);
  const sources = arranged(found, texts, arrangement).map(
    ({ item: { alias }, source, columns, planNames }, at) => {
      const prefix = found.length === 1 ? "" : `${at}.`;
      const relation: Relation = { alias, prefix, columns, planNames, isPrivate: true };
      return { source, relation };
    },
  );
  return { sources, arrangements: arrangementsOf(texts) };
}

interface SortedConditions {
  /** Pairs of aliases whose persons are the same. */
  people: [string, string][];
  keys: PublicKey[];
  others: SqlNode[];
}

function sorted(conditions: JoinCondition[], scope: Scope): SortedConditions {
  const people: [string, string][] = [];
  const keys: PublicKey[] = [];
  const others: SqlNode[] = [];
  for (const condition of conditions) {
    if (condition.kind === "using") {
      useColumn(condition, scope, people, keys);
      continue;
    }
    const { node } = condition;
    const sides =
      node.kind === "A_Expr" && isEquality(node) ? [childOf(node, "lexpr"), childOf(node, "rexpr")] : [];
    const [left, right] = sides;
    const [leftPeople, rightPeople] = sides.map((side) => scope.personOf(side));
    const key = left === undefined ? null : publicKey(left, right!, node, scope);
    if (leftPeople && rightPeople) {
      if (leftPeople.length > 1 || rightPeople.length > 1)
        refuse(node.place, "say whose person is meant: ON a.person = b.person");
      people.push([leftPeople[0]!.alias, rightPeople[0]!.alias]);
    } else {
      requireOneMeaning(node, scope);
      if (key !== null) keys.push(key);
      else others.push(node);
    }
  }
  return { people, keys, others };
}

function isEquality(node: SqlNode): boolean {
  return (
    node.fields.get("kind") === "AEXPR_OP" &&
    namesOf(node, "name")?.join("") === "=" &&
    node.fields.has("lexpr")
  );
}

/** An equation with a public table's own column on one side, and none of a public table on the other. */
function publicKey(left: SqlNode, right: SqlNode, node: SqlNode, scope: Scope): PublicKey | null {
  const publicName = (side: SqlNode) => {
    const [prefix, column] = scope.nameOf(side)?.split("?") ?? [];
    return prefix === undefined || column === undefined ? null : { alias: prefix, column };
  };
  for (const [side, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const own = publicName(side);
    const isOtherPrivate = !columnRefs(other).some((reference) => publicName(reference) !== null);
    if (own !== null && isOtherPrivate && columnRefs(other).length > 0) return { ...own, other, node };
  }
  return null;
}

/** A name alone that two tables have is ambiguous to every engine, also where one of them is of no use here. */
function requireOneMeaning(condition: SqlNode, scope: Scope): void {
  for (const reference of columnRefs(condition)) {
    if (namesOf(reference, "fields")?.length === 1 && !scope.isPerson(reference)) scope.columnOf(reference);
  }
}

/** USING (person) or USING (a column of a public table). */
function useColumn(
  { name, left, right, node }: Extract<JoinCondition, { kind: "using" }>,
  scope: Scope,
  people: [string, string][],
  keys: PublicKey[],
): void {
  const isPrivate = (alias: string) => scope.relations.find((one) => one.alias === alias)?.isPrivate ?? false;
  const owners = left.filter(isPrivate);
  if (name === "person") {
    if (!isPrivate(right) || owners.length === 0) refuse(node.place, "a public table has no persons");
    people.push([owners[0]!, right]);
    return;
  }
  if (isPrivate(right)) refuse(node.place, "tables of persons are joined on the person: USING (person)");
  const types = scope.relations
    .filter(({ alias }) => alias === right || left.includes(alias))
    .flatMap(({ columns }) => columns.get(name)?.type ?? []);
  // What the name alone then means is of the one type in PostgreSQL and of the other in DuckDB.
  if (new Set(types).size > 1)
    refuse(node.place, `USING joins columns of one type: write ON with both of the columns ${name}`);
  const other: SqlNode = {
    kind: "ColumnRef",
    place: node.place,
    fields: new Map([["fields", [{ kind: "String", place: node.place, fields: new Map([["sval", name]]) }]]]),
  };
  keys.push({ alias: right, column: name, other, node });
}

/** Every table of persons hangs together with the first one. */
function requireJoined(
  items: FromItem[],
  sources: { relation: Relation }[],
  people: [string, string][],
): void {
  const aliases = new Set(sources.map(({ relation }) => relation.alias));
  const own = items.filter(({ alias }) => aliases.has(alias));
  const reached = new Set([own[0]!.alias]);
  for (let before = 0; before < reached.size; ) {
    before = reached.size;
    for (const [a, b] of people) if (reached.has(a) || reached.has(b)) reached.add(a).add(b);
  }
  const loose = own.find(({ alias }) => !reached.has(alias));
  if (loose !== undefined)
    refuse(
      loose.place,
      `${loose.alias} is not joined on the person: write ON ${own[0]!.alias}.person = ${loose.alias}.person`,
    );
}

function onNodes(select: Select): SqlNode[] {
  return fromItems(select.from).conditions.flatMap((one) => (one.kind === "on" ? [one.node] : []));
}

/**
 * The columns of `alias` that stand anywhere in the SELECT itself or in `conditions`: others need not be read. Those in `merged` only
 * where they stand with the alias.
 */
function mentionedColumns(
  select: Select,
  conditions: SqlNode[],
  alias: string,
  merged: ReadonlySet<string>,
): ReadonlySet<string> {
  const nodes = [
    ...select.targets.map(({ node }) => node),
    ...select.groups,
    ...select.order,
    ...[select.where, select.having, select.limit].filter((node) => node !== null),
    ...conditions,
  ];
  return new Set(
    nodes.flatMap(columnRefs).flatMap((reference) => {
      const [first = "", second] = namesOf(reference, "fields") ?? [];
      if (second !== undefined) return first === alias ? [second] : [];
      return merged.has(first) ? [] : [first];
    }),
  );
}

/** Not parameters, which are written alike. */
function columnRefs(node: SqlNode): SqlNode[] {
  if (node.kind === "ColumnRef") return namesOf(node, "fields")?.[0] === "param" ? [] : [node];
  return [...node.fields.keys()].flatMap((field) => {
    const value = node.fields.get(field);
    if (Array.isArray(value)) return childrenOf(node, field).flatMap(columnRefs);
    return typeof value === "object" ? columnRefs(value as SqlNode) : [];
  });
}
