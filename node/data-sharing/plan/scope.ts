/** What names mean in one SELECT: the relations of its FROM, under their aliases, and the algorithm's parameters. */
import { personWord } from "../manifests/dataset-manifest.ts";
import type { PlanColumn, PlanColumns } from "./columns.ts";
import type { RangeOf } from "./intervals.ts";
import type { ParameterValue } from "./parameters.ts";
import { namesOf, refuse, type SqlNode } from "./sql-node.ts";

export interface Relation {
  alias: string;
  /** What goes before a column's name in the plan: nothing, `0.` or `p0.`. */
  prefix: string;
  /** By the names that SQL uses. */
  columns: PlanColumns;
  /** What the plan calls those columns (without prefix) that it does not call the same. */
  planNames: ReadonlyMap<string, string>;
  /** Whether its rows are of persons; not those of a public table. */
  isPrivate: boolean;
  /** Columns joined by USING: without its alias the name means that of the other side, which is equal. */
  merged?: ReadonlySet<string>;
}

export class Scope {
  readonly relations: readonly Relation[];
  readonly parameters: ReadonlyMap<string, ParameterValue>;

  constructor(relations: readonly Relation[], parameters: ReadonlyMap<string, ParameterValue>) {
    this.relations = relations;
    this.parameters = parameters;
  }

  /** By the plan's name. */
  readonly factsOf = (name: string): PlanColumn | undefined => {
    const { prefix } = splitName(name);
    return this.relations.find((one) => one.prefix === prefix)?.columns.get(this.sqlNameOf(name));
  };

  /** What SQL calls a column of the plan. */
  sqlNameOf(name: string): string {
    const { prefix, name: planned } = splitName(name);
    const relation = this.relations.find((one) => one.prefix === prefix);
    return [...(relation?.planNames ?? [])].find(([, other]) => other === planned)?.[0] ?? planned;
  }

  readonly rangeOf: RangeOf = (name) => this.factsOf(name)?.range ?? null;

  /** The column that a reference names. Refuses what is no column here, or of several tables. */
  columnOf(node: SqlNode): { name: string; planName: string; column: PlanColumn } {
    const names = namesOf(node, "fields");
    if (names === null) refuse(node.place, "* stands in COUNT(*) only");
    const [first = "", second] = names;
    const qualified = names.length === 2 ? this.relations.filter(({ alias }) => alias === first) : undefined;
    const name = second ?? first;
    if (names.length > 2 || qualified?.length === 0)
      refuse(node.place, `${names.join(".")} is not a column of ${this.#tables()}`);
    if (this.isPerson(node))
      refuse(
        node.place,
        `${personWord} stands for the privacy unit: it is counted by COUNT(DISTINCT ${personWord}), joined on and grouped by in a subquery, and never shown`,
      );
    const found = this.#owners(qualified === undefined ? [name] : [first, name]);
    const [relation, another] = found;
    if (relation === undefined) {
      const known = (qualified ?? this.relations).flatMap(({ columns }) => [...columns.keys()]);
      refuse(node.place, `${this.#tables()} has no column ${name}; it has ${known.slice(0, 20).join(", ")}`);
    }
    if (another !== undefined)
      refuse(node.place, `${name} is a column of several tables: write ${relation.alias}.${name}`);
    return { name, planName: planName(relation, name), column: relation.columns.get(name)! };
  }

  /** The plan's name of the column that a node is by itself, or null for anything else; never refuses. */
  nameOf(node: SqlNode): string | null {
    if (node.kind !== "ColumnRef") return null;
    const names = namesOf(node, "fields");
    if (names === null || names.length > 2) return null;
    const found = this.#owners(names);
    return found.length === 1 ? planName(found[0]!, names.at(-1)!) : null;
  }

  /** `person`, or that of one relation: `v.person`. */
  isPerson(node: SqlNode): boolean {
    return this.personOf(node) !== null;
  }

  /** The relations whose person a reference names, or null where it names none. */
  personOf(node: SqlNode): Relation[] | null {
    const names = node.kind === "ColumnRef" ? namesOf(node, "fields") : null;
    if (names === null || names.length > 2 || names.at(-1) !== personWord) return null;
    const found = this.relations.filter(
      ({ alias, isPrivate }) => isPrivate && (names.length === 1 || alias === names[0]),
    );
    return found.length === 0 ? null : found;
  }

  /** The relations that have a column of this name, of one alias where there is one. */
  #owners(names: readonly string[]): Relation[] {
    const name = names.at(-1)!;
    return this.relations.filter(({ alias, columns, merged }) => {
      const isMeant = names.length === 1 ? !(merged?.has(name) ?? false) : alias === names[0];
      return isMeant && columns.has(name);
    });
  }

  #tables(): string {
    return this.relations.map(({ alias }) => alias).join(" or ");
  }
}

function planName({ prefix, planNames }: Relation, name: string): string {
  return `${prefix}${planNames.get(name) ?? name}`;
}

function splitName(planName: string): { prefix: string; name: string } {
  const at = planName.indexOf(".") + 1;
  return { prefix: planName.slice(0, at), name: planName.slice(at) };
}
