/** The columns of SELECT with the names that the answer gives them. */
import { identifierSchema } from "../manifests/dataset-manifest.ts";
import type { Select, SelectTarget } from "./parse-sql.ts";
import { refuse, type SqlNode } from "./sql-node.ts";

/** Columns of one answer; a charge split further would buy noise only. */
export const outputsMax = 256;

export interface NamedTarget {
  name: string;
  target: SelectTarget;
}

export function namedTargets(select: Select): NamedTarget[] {
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
export function defaultName(node: SqlNode): string | null {
  const parts = node.fields.get(node.kind === "FuncCall" ? "funcname" : "fields");
  const last = Array.isArray(parts) ? parts.at(-1) : undefined;
  if (typeof last !== "object" || Array.isArray(last)) return null;
  const text = last.fields.get("sval");
  return typeof text === "string" ? text : null;
}
