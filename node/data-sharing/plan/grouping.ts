/** GROUP BY: which keys there are, and which of them a column of SELECT is. */
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { domainSizeMax } from "../manifests/dataset-manifest.ts";
import { isAggregate } from "./aggregate.ts";
import { groupKeyOf } from "./group-key.ts";
import { defaultName, type NamedTarget } from "./named-targets.ts";
import type { Select } from "./parse-sql.ts";
import { type GroupKey, groupCountOf } from "./plan.ts";
import type { Reading, Scalar } from "./reading.ts";
import { refuse, type SqlNode } from "./sql-node.ts";

const keysMax = 16;

/** GROUP BY's keys, those of SELECT first and in its order, so that the order in GROUP BY does not matter. */
export function keysOf(select: Select, named: NamedTarget[], reading: Reading): NamedKey[] {
  const keys = new Map<string, GroupKey>();
  for (const group of select.groups) {
    const node = groupedNode(group, named, reading);
    if (isAggregate(node)) refuse(group.place, "an aggregate is no grouping key");
    const scalar = reading.scalar(node);
    keys.set(keyName(scalar), groupKeyOf(scalar, reading, group.place));
    if (keys.size > keysMax) refuse(group.place, `GROUP BY has more than ${keysMax} keys`);
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
export interface NamedKey {
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

export function keyScalar(node: SqlNode, reading: Reading): Exclude<Scalar, { type: "literal" | "null" }> {
  const scalar = reading.scalar(node);
  if (scalar.type === "literal" || scalar.type === "null")
    refuse(node.place, "a column of SELECT is an aggregate or stands in GROUP BY");
  return scalar;
}

/** The place of the key that a column of SELECT is; below 0 where it is none. */
export function keyPlace(scalar: Scalar, keys: NamedKey[]): number {
  const wanted = keyName(scalar);
  return keys.findIndex(({ name }) => name === wanted);
}
