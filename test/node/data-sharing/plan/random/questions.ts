/** Random questions over the clinic: every kind of FROM, of key and of aggregate. */
import { tablesOf } from "../../../../../node/data-sharing/manifests/dataset-manifest.ts";
import { planColumns } from "../../../../../node/data-sharing/plan/columns.ts";
import { clinic, publicTables } from "./clinic.ts";
import type { Draw } from "./draw.ts";
import { type Column, Expressions } from "./expressions.ts";
import {
  list,
  type NumberTerm,
  numberTerm,
  storedInDuck,
  type Term,
  type Text,
  type TextTerm,
  text,
} from "./terms.ts";

export type AggregateKind =
  | "rows"
  | "people"
  | "count"
  | "sum"
  | "average"
  | "variance"
  | "quantile"
  | "histogram";

export interface Question {
  sql: string;
  /** One row for each row that the question is over: its person, the keys, and what each aggregate is of. */
  duck: string;
  keys: { name: string; term: Term }[];
  aggregates: { name: string; kind: AggregateKind; of: Term | null }[];
}

interface Relation {
  /** `table AS alias`, or the subquery. */
  text: Text;
  alias: string;
  isPrivate: boolean;
  /** A column's own text is put in when it is referred to. */
  columns: Omit<Column, "unique">[];
}

const depthMax = 3;
const publicNames = new Set(
  Object.values(publicTables).flatMap(({ columns }) => columns.map(({ name }) => name)),
);

export class Questions {
  readonly content: Draw;
  readonly style: Draw;
  #aliases = 0;

  constructor(content: Draw, style: Draw) {
    this.content = content;
    this.style = style;
  }

  question(): Question {
    const { content } = this;
    const { from, expressions, person } = this.#from(2);
    const where = content.chance(0.5) ? expressions.condition(2) : null;
    const keys = Array.from({ length: content.pick([0, 1, 1, 1, 2]) }, (_, at) => {
      return { name: `k${at}`, term: expressions.any(content.below(depthMax)) };
    });
    const aggregates = Array.from({ length: content.between(1, 3) }, (_, at) =>
      this.#aggregate(`a${at}`, expressions),
    );
    const targets = [
      ...keys.map(({ name, term }) => text`${term} AS ${name}`),
      ...aggregates.map(({ name, call }) => text`${call} AS ${name}`),
    ];
    const condition = where === null ? "" : text` WHERE ${where}`;
    const groups = this.style.shuffled(
      keys.map(({ name, term }, at) =>
        this.style.pick([name, /^-?\d/.test(term.sql) ? name : term.sql, String(at + 1)]),
      ),
    );
    const group = groups.length === 0 ? "" : ` GROUP BY ${groups.join(", ")}`;
    const rows = [
      `${person}.person`,
      ...keys.map(({ term }) => storedInDuck(term)),
      ...aggregates.map(({ of }) => (of === null ? "0" : storedInDuck(of))),
    ];
    return {
      sql: text`SELECT ${list(targets, ", ")} FROM ${from}${condition}${group}`.sql,
      duck: `SELECT ${rows.map((row, at) => `${row} AS r${at}`).join(", ")} FROM ${from.duck}${text`${condition}`.duck}`,
      keys,
      aggregates,
    };
  }

  #aggregate(name: string, expressions: Expressions) {
    const { content } = this;
    const person = text`${this.style.pick(["person", "PERSON"])}`;
    switch (content.below(8)) {
      case 0:
        return { name, kind: "rows" as const, of: null, call: text`COUNT(*)` };
      case 1:
        return { name, kind: "people" as const, of: null, call: text`COUNT(DISTINCT ${person})` };
      case 2: {
        const of = expressions.any(content.below(depthMax));
        return { name, kind: "count" as const, of, call: text`COUNT(${of})` };
      }
      case 3:
      case 4: {
        const of = expressions.moving(content.below(depthMax));
        return content.chance(0.5)
          ? { name, kind: "sum" as const, of, call: text`SUM(${of})` }
          : { name, kind: "average" as const, of, call: text`AVG(${of})` };
      }
      case 5: {
        const of = expressions.moving(content.below(depthMax));
        const call = content.pick(["VARIANCE", "VAR_POP", "STDDEV", "STDDEV_SAMP"]);
        return { name, kind: "variance" as const, of, call: text`${call}(${of})` };
      }
      case 6: {
        const of = content.chance(0.7)
          ? expressions.moving(content.below(depthMax))
          : expressions.date(content.below(depthMax));
        const call = content.pick([
          text`MIN(${of})`,
          text`MAX(${of})`,
          text`MEDIAN(${of})`,
          text`PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY ${of})`,
        ]);
        return { name, kind: "quantile" as const, of, call };
      }
      default: {
        const of = expressions.moving(content.below(depthMax));
        return { name, kind: "histogram" as const, of, call: text`HISTOGRAM(${of}, -1, 5, 3)` };
      }
    }
  }

  /** Relations joined; `person` is an alias with persons. */
  #from(depth: number): { from: Text; expressions: Expressions; person: string } {
    const { content, style } = this;
    const count = content.pick([1, 1, 2, 2, 3]);
    const relations = Array.from({ length: count }, () => this.#privateRelation(depth));
    const [first, ...others] = style.shuffled(relations);
    let from = first!.text;
    const before = [first!.alias];
    for (const other of others) {
      const left = style.pick(before);
      const on = style.pick([
        { sql: "USING (person)", duck: `ON ${left}.person = ${other.alias}.person` },
        text`ON ${left}.person = ${other.alias}.person`,
        text`ON ${other.alias}.person = ${left}.person`,
      ]);
      from = text`${from} ${style.pick(["JOIN", "INNER JOIN"])} ${other.text} ${on}`;
      before.push(other.alias);
    }
    const all = [...relations];
    for (let joins = content.pick([0, 0, 0, 1, 1, 2]); joins > 0; joins--) {
      const own = new Expressions(content, style, withUnique(relations, publicNames));
      const joined = this.#publicJoin(own);
      if (joined === null) continue;
      all.push(joined.relation);
      from = text`${from} JOIN ${joined.relation.text} ON ${joined.on}`;
    }
    // A public table's columns may not be named alone in ON, where others come later.
    return { from, expressions: new Expressions(content, style, withUnique(all)), person: first!.alias };
  }

  #alias(): string {
    this.#aliases++;
    return `${this.style.pick(["t", "u", "x"])}${this.#aliases}`;
  }

  #privateRelation(depth: number): Relation {
    if (depth > 0 && this.content.chance(0.3)) return this.#people(depth - 1);
    const name = this.content.pick(["visits", "visits", "patients"]);
    const alias = this.#alias();
    const table = tablesOf(clinic).get(name)!;
    const columns = [...planColumns(table)].map(([column, facts]) => {
      const term = { sql: "", duck: "" };
      return { alias, name: column, nullable: facts.nullable, term: termOf(facts, term, -1_000, 1_000) };
    });
    return { text: text`${name} ${this.style.pick(["AS ", ""])}${alias}`, alias, isPrivate: true, columns };
  }

  #people(depth: number): Relation {
    const { content, style } = this;
    const alias = this.#alias();
    const { from, expressions, person } = this.#from(depth);
    const where = content.chance(0.4) ? text` WHERE ${expressions.condition(1)}` : "";
    const made = Array.from({ length: content.between(1, 3) }, () => this.#personColumn(expressions));
    const unused = style.chance(0.3) ? [{ sql: "COUNT(*) AS idle", duck: "COUNT(*) AS idle" }] : [];
    const names = made.map((_, at) => `${style.pick(["c", "n"])}${at}`);
    const targets = style.shuffled([
      { sql: "person", duck: `${person}.person AS person` },
      ...made.map(({ call }, at) => text`${call} AS ${names[at]!}`),
      ...unused,
    ]);
    const group = { sql: "person", duck: `${person}.person` };
    return {
      text: text`(SELECT ${list(targets, ", ")} FROM ${from}${where} GROUP BY ${group}) AS ${alias}`,
      alias,
      isPrivate: true,
      columns: made.map(({ term, nullable }, at) => ({ alias, name: names[at]!, nullable, term })),
    };
  }

  #personColumn(expressions: Expressions): { call: Text; term: Term; nullable: boolean } {
    const { content } = this;
    // No more rows than this: three tables of at most three rows, public tables of at most three.
    const rows = 243;
    const none = { sql: "", duck: "" };
    switch (content.below(5)) {
      case 0:
        return { call: text`COUNT(*)`, term: numberTerm(none, 0, true, 1, rows), nullable: false };
      case 1: {
        const of = expressions.any(1);
        return { call: text`COUNT(${of})`, term: numberTerm(none, 0, true, 0, rows), nullable: false };
      }
      case 2: {
        const of = expressions.number(1);
        const type = `DECIMAL(18, ${of.scale})`;
        const call = {
          sql: `SUM(COALESCE(${of.sql}, 0))`,
          duck: `CAST(COALESCE(SUM(${of.duck}), 0) AS ${type})`,
        };
        const most = rows * Math.max(Math.abs(of.low), Math.abs(of.high));
        const low = of.low < 0 ? -most : 0;
        return { call, term: numberTerm(none, of.scale, false, low, most), nullable: false };
      }
      case 3: {
        const of = expressions.date(1);
        return {
          call: text`${content.pick(["MIN", "MAX"])}(${of})`,
          term: { kind: "date", ...none },
          nullable: true,
        };
      }
      default: {
        const of = expressions.number(1);
        const term: NumberTerm = { ...of, ...none };
        return { call: text`${content.pick(["MIN", "MAX"])}(${of})`, term, nullable: true };
      }
    }
  }

  #publicJoin(own: Expressions): { relation: Relation; on: Text } | null {
    const { content, style } = this;
    const alias = this.#alias();
    const name = content.pick(Object.keys(publicTables));
    const keys: Text[] = [];
    const equal = (left: Text, column: string) =>
      keys.push(style.chance(0.5) ? text`${left} = ${alias}.${column}` : text`${alias}.${column} = ${left}`);
    switch (name) {
      case "districts": {
        const region = own.column("text", ({ term }) => term.kind === "text" && term.texts.includes("north"));
        if (region === undefined) return null;
        equal(own.reference(region), "region");
        if (content.chance(0.3)) equal(own.moving(1), "income");
        break;
      }
      case "rates":
        equal(own.moving(content.below(2)), "years");
        break;
      case "holidays":
        equal(own.date(content.below(2)), "day");
        break;
      default:
        equal(own.moving(content.below(2)), "step");
        if (content.chance(0.5)) equal(own.moving(0), "band");
    }
    const others = content.chance(0.2) ? [own.condition(0)] : [];
    const columns = publicTables[name]!.columns.map((column, at): Omit<Column, "unique"> => {
      const none = { sql: "", duck: "" };
      const texts = publicTables[name]!.rows.map((row) => String(row[at]));
      const term = termOf({ ...column, domain: texts, open: false, range: null }, none, -20, 20);
      return { alias, name: column.name, nullable: false, term };
    });
    const relation = { text: text`${name} ${alias}`, alias, isPrivate: false, columns };
    return { relation, on: list(style.shuffled([...keys, ...others]), " AND ") };
  }
}

interface Facts {
  type: string;
  scale?: number;
  domain: readonly string[];
  open: boolean;
  range: { low: bigint; high: bigint } | null;
}

function termOf(facts: Facts, of: Text, low: number, high: number): Term {
  switch (facts.type) {
    case "text":
      return { kind: "text", ...of, texts: facts.domain, open: facts.open } satisfies TextTerm;
    case "date":
    case "boolean":
      return { kind: facts.type, ...of };
    default: {
      const range =
        facts.range === null
          ? { low, high }
          : { low: Number(facts.range.low), high: Number(facts.range.high) };
      return { kind: "number", ...of, scale: facts.scale ?? 0, whole: facts.type === "integer", ...range };
    }
  }
}

/** Unique among the names of the relations and others. */
function withUnique(relations: readonly Relation[], others: ReadonlySet<string> = new Set()): Column[] {
  const columns = relations.flatMap((relation) => relation.columns);
  return columns.map((column) => ({
    ...column,
    unique: !others.has(column.name) && columns.filter(({ name }) => name === column.name).length === 1,
  }));
}
