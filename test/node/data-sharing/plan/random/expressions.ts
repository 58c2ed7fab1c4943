/**
 * Random expressions and conditions over the columns of a FROM. What is meant comes from `content`, how it is written from `style`: with one
 * seed for the first and two for the second there are two texts of one question.
 */
import type { Draw } from "./draw.ts";
import {
  type BooleanTerm,
  type DateTerm,
  list,
  type NumberTerm,
  numberTerm,
  type Part,
  type Term,
  type Text,
  type TextTerm,
  text,
} from "./terms.ts";

export interface Column {
  alias: string;
  name: string;
  /** No other relation has a column of this name. */
  unique: boolean;
  nullable: boolean;
  term: Term;
}

const magnitudeMax = 50_000;
const comparisons = ["=", "<>", "<", "<=", ">", ">="];
const turned: Record<string, string> = { "=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<=" };
const opposite: Record<string, string> = { "=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<" };

export class Expressions {
  readonly content: Draw;
  readonly style: Draw;
  readonly columns: readonly Column[];

  constructor(content: Draw, style: Draw, columns: readonly Column[]) {
    this.content = content;
    this.style = style;
    this.columns = columns;
  }

  /** A column's reference. */
  reference({ alias, name, unique, term }: Column): Term {
    const sql = unique && this.style.chance(0.4) ? name : `${alias}.${name}`;
    return { ...term, sql, duck: `${alias}.${name}` };
  }

  column(kind: Term["kind"], test: (column: Column) => boolean = () => true): Column | undefined {
    const fitting = this.columns.filter((column) => column.term.kind === kind && test(column));
    return fitting.length === 0 ? undefined : this.content.pick(fitting);
  }

  any(depth: number): Term {
    const kind = this.content.pick(["number", "number", "number", "date", "text", "boolean"] as const);
    return kind === "number" ? this.moving(depth) : this[kind](depth);
  }

  /** One that is not the same for every row, as far as its range says. */
  moving(depth: number): NumberTerm {
    for (let attempts = 0; attempts < 8; attempts++) {
      const made = this.number(depth);
      if (made.low < made.high) return made;
    }
    return this.number(depth);
  }

  number(depth: number): NumberTerm {
    const made = depth <= 0 ? undefined : this.#compound(depth);
    if (
      made !== undefined &&
      Math.max(Math.abs(made.low), Math.abs(made.high)) < magnitudeMax &&
      made.scale <= 4
    )
      return made;
    // Columns without bounds take no part in arithmetic, and so seldom in these.
    const unbounded = this.content.chance(0.1);
    const column = this.content.chance(0.75)
      ? this.column("number", ({ name }) => unbounded || name !== "ward")
      : undefined;
    return column === undefined ? this.#constant() : (this.reference(column) as NumberTerm);
  }

  #constant(): NumberTerm {
    const scale = this.content.pick([0, 0, 0, 1, 2]);
    const steps = this.content.between(-3 * 10 ** scale, 6 * 10 ** scale);
    if (scale > 0 && steps % 10 === 0) return this.#literal(steps / 10 ** scale, 0);
    return this.#literal(steps, scale);
  }

  #literal(steps: number, scale: number): NumberTerm {
    if (!Number.isInteger(steps)) return this.#literal(Math.trunc(steps), 0);
    const value = (Math.abs(steps) / 10 ** scale).toFixed(scale);
    const sign = steps < 0 ? "-" : "";
    const zeros = scale > 0 && this.style.chance(0.3) ? "0" : "";
    return numberTerm(
      { sql: `${sign}${value}${zeros}`, duck: `${sign}${value}` },
      scale,
      scale === 0,
      steps,
      steps,
    );
  }

  #compound(depth: number): NumberTerm | undefined {
    const { content, style } = this;
    switch (content.below(13)) {
      case 0:
      case 1: {
        const [a, b] = [this.number(depth - 1), this.number(depth - 1)];
        const isSum = content.chance(0.5);
        const [x, y] = [onGrid(a, b.scale), onGrid(b, a.scale)];
        const [low, high] = isSum ? [x.low + y.low, x.high + y.high] : [x.low - y.high, x.high - y.low];
        const plain = isSum ? this.#commuted(a, "+", b) : text`(${a} - ${b})`;
        const written = !isSum && style.chance(0.3) ? text`(-(${b}) + ${a})` : plain;
        return numberTerm(written, Math.max(a.scale, b.scale), a.whole && b.whole, low, high);
      }
      case 2: {
        const [a, b] = [this.number(depth - 1), this.number(depth - 1)];
        const corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
        const product = this.#commuted(a, "*", b);
        return numberTerm(
          product,
          a.scale + b.scale,
          a.whole && b.whole,
          Math.min(...corners),
          Math.max(...corners),
        );
      }
      case 3: {
        const a = this.number(depth - 1);
        return numberTerm(text`(-(${a}))`, a.scale, a.whole, -a.high, -a.low);
      }
      case 4: {
        const [a, divisor] = [this.number(depth - 1), content.between(1, 4)];
        if (!a.whole || a.low < 0) return undefined;
        const quotient = { sql: `(${a.sql} / ${divisor})`, duck: `(${a.duck} // ${divisor})` };
        return numberTerm(quotient, 0, true, Math.floor(a.low / divisor), Math.floor(a.high / divisor));
      }
      case 5: {
        const [a, divisor] = [this.number(depth - 1), content.between(1, 4)];
        if (!a.whole || a.low < 0) return undefined;
        return numberTerm(text`(${a} % ${String(divisor)})`, 0, true, 0, divisor - 1);
      }
      case 6: {
        const a = this.number(depth - 1);
        const most = Math.max(Math.abs(a.low), Math.abs(a.high));
        const written = style.chance(0.5)
          ? text`ABS(${a})`
          : text`CASE WHEN ${a} < 0 THEN -(${a}) ELSE ${a} END`;
        return numberTerm(written, a.scale, a.whole, 0, most);
      }
      case 7: {
        const branches = Array.from({ length: content.between(1, 2) }, () => this.number(depth - 1));
        const otherwise = content.chance(0.7) ? this.number(depth - 1) : null;
        const values = otherwise === null ? branches : [...branches, otherwise];
        return unified(this.#case(branches, otherwise, depth), values);
      }
      case 8: {
        const [a, b] = [this.number(depth - 1), this.number(depth - 1)];
        return unified(this.#coalesced(a, b), [a, b]);
      }
      case 9: {
        const [a, b] = [this.number(depth - 1), this.number(depth - 1)];
        return { ...this.#nullIf(a, b), ...pickNumber(a) };
      }
      case 10: {
        const values = [this.number(depth - 1), this.number(depth - 1)];
        if (content.chance(0.2)) values.push(this.number(depth - 1));
        const name = content.pick(["LEAST", "GREATEST"]);
        return unified(text`${name}(${list(style.shuffled(values), ", ")})`, values);
      }
      case 11: {
        const part = content.pick(["year", "quarter", "month", "day", "dow", "doy"]);
        const of = this.date(depth - 1);
        const written = style.pick([
          text`EXTRACT(${part} FROM ${of})`,
          text`EXTRACT(${part.toUpperCase()} FROM ${of})`,
          text`date_part('${part}', ${of})`,
        ]);
        return numberTerm(
          text`${written}::integer`,
          0,
          true,
          part === "dow" ? 0 : 1,
          part === "year" ? 2100 : 366,
        );
      }
      default: {
        const boolean = this.column("boolean");
        if (boolean !== undefined && content.chance(0.5)) {
          const of = this.reference(boolean);
          return numberTerm(
            style.chance(0.5) ? text`${of}::integer` : text`CAST(${of} AS int)`,
            0,
            true,
            0,
            1,
          );
        }
        return numberTerm(
          text`(${this.date(depth - 1)} - ${this.date(depth - 1)})`,
          0,
          true,
          -40_000,
          40_000,
        );
      }
    }
  }

  date(depth: number): DateTerm {
    const { content, style } = this;
    const made = depth <= 0 ? 0 : content.below(8);
    const column = this.column("date");
    const plain = (): DateTerm => {
      if (column !== undefined && content.chance(0.8)) return this.reference(column) as DateTerm;
      return { kind: "date", ...this.#dateLiteral() };
    };
    switch (made) {
      case 1: {
        const [of, days] = [this.date(depth - 1), this.number(depth - 2)];
        if (!days.whole || Math.max(-days.low, days.high) > 500) return of;
        const isSum = content.chance(0.5);
        const written =
          isSum && style.chance(0.5) ? text`(${days} + ${of})` : text`(${of} ${isSum ? "+" : "-"} ${days})`;
        const sign = isSum ? "+" : "-";
        return { kind: "date", sql: written.sql, duck: `(${of.duck} ${sign} CAST(${days.duck} AS INTEGER))` };
      }
      case 2: {
        const [unit, of] = [content.pick(["year", "month", "week"]), this.date(depth - 1)];
        return {
          kind: "date",
          sql: `date_trunc('${unit}', ${of.sql})::date`,
          duck: `CAST(date_trunc('${unit}', ${of.duck}) AS DATE)`,
        };
      }
      case 3:
        return { kind: "date", ...this.#case([this.date(depth - 1)], this.date(depth - 1), depth) };
      case 4:
        return { kind: "date", ...this.#coalesced(this.date(depth - 1), this.date(depth - 1)) };
      case 5: {
        const values = style.shuffled([this.date(depth - 1), this.date(depth - 1)]);
        return { kind: "date", ...text`${content.pick(["LEAST", "GREATEST"])}(${list(values, ", ")})` };
      }
      default:
        return plain();
    }
  }

  #dateLiteral(): Text {
    const day = this.content.pick(["2019-12-30", "2019-12-31", "2020-01-01", "2020-01-06", "2000-02-29"]);
    const sql = this.style.pick([`DATE '${day}'`, `'${day}'::date`, `CAST('${day}' AS date)`]);
    return { sql, duck: `DATE '${day}'` };
  }

  text(depth: number): Term {
    const { content } = this;
    const column = this.column("text");
    if (column === undefined) return this.number(depth);
    const plain = this.reference(column) as TextTerm;
    if (depth <= 0 || plain.open) return plain;
    switch (content.below(4)) {
      case 0: {
        const other = content.pick(["'other'", `'${plain.texts[0]}'`]);
        return { ...plain, ...this.#case([plain], text`${other}`, depth), texts: [...plain.texts, "other"] };
      }
      case 1:
        return { ...plain, ...this.#coalesced(plain, text`'none'`), texts: [...plain.texts, "none"] };
      case 2: {
        const labels = text`'high'`;
        return { ...plain, ...this.#case([text`'low'`], labels, depth), texts: ["high", "low"] };
      }
      default:
        return plain;
    }
  }

  boolean(depth: number): BooleanTerm {
    const column = this.column("boolean");
    if (column !== undefined && this.content.chance(0.7)) return this.reference(column) as BooleanTerm;
    return { kind: "boolean", ...this.#case([text`TRUE`], text`FALSE`, depth) };
  }

  #case(branches: Text[], otherwise: Text | null, depth: number): Text {
    const conditions = branches.map(() => this.condition(depth - 1));
    const whens = branches.map((value, at) => text`WHEN ${conditions[at]!} THEN ${value}`);
    const end = otherwise === null ? (this.style.chance(0.5) ? " ELSE NULL" : "") : text` ELSE ${otherwise}`;
    return text`CASE ${list(whens, " ")}${end} END`;
  }

  #coalesced(a: Text, b: Text): Text {
    const plain = text`COALESCE(${a}, ${b})`;
    const isColumn = /^(?:\w+\.)?[a-z]\w*$/.test(a.sql);
    return isColumn && this.style.chance(0.4) ? text`CASE WHEN ${a} IS NULL THEN ${b} ELSE ${a} END` : plain;
  }

  #nullIf(a: Text, b: Text): Text {
    return this.style.chance(0.5)
      ? text`NULLIF(${a}, ${b})`
      : text`CASE WHEN ${b} = ${a} THEN NULL ELSE ${a} END`;
  }

  #commuted(a: Text, operator: string, b: Text): Text {
    return this.style.chance(0.5) ? text`(${a} ${operator} ${b})` : text`(${b} ${operator} ${a})`;
  }

  condition(depth: number): Text {
    const { content, style } = this;
    const kind = depth <= 0 ? 0 : content.below(5);
    if (kind === 1 || kind === 2) {
      const operands = Array.from({ length: content.between(2, 3) }, () => this.condition(depth - 1));
      const isAnd = kind === 1;
      if (style.chance(0.2)) {
        const negated = operands.map((operand) => text`NOT (${operand})`);
        return text`NOT (${list(style.shuffled(negated), isAnd ? " OR " : " AND ")})`;
      }
      return text`(${list(style.shuffled(operands), isAnd ? " AND " : " OR ")})`;
    }
    if (kind === 3) return text`NOT (${this.condition(depth - 1)})`;
    const leaf = this.#leaf(Math.max(0, depth - 1));
    if (style.chance(0.1)) return text`(NOT (NOT (${leaf})))`;
    return style.chance(0.2) ? text`((${leaf}))` : leaf;
  }

  #leaf(depth: number): Text {
    const { content, style } = this;
    switch (content.below(9)) {
      case 0:
      case 1:
        return this.#compared(this.number(depth), content.pick(comparisons), this.number(depth));
      case 2:
        return this.#compared(this.date(depth), content.pick(comparisons), this.#dateOrText(depth));
      case 3: {
        const [of, low, high] = [this.number(depth), this.number(0), this.number(0)];
        const negated = content.chance(0.3);
        if (style.chance(0.5)) return text`(${of} ${negated ? "NOT " : ""}BETWEEN ${low} AND ${high})`;
        return negated
          ? text`(${of} < ${low} OR ${high} < ${of})`
          : text`(${high} >= ${of} AND ${of} >= ${low})`;
      }
      case 4: {
        const of = this.number(depth);
        const values = Array.from({ length: content.between(1, 4) }, () => this.#constant());
        return this.#member(of, values, content.chance(0.3));
      }
      case 5: {
        const column = this.column("text", ({ term }) => term.kind === "text" && !term.open);
        if (column === undefined) return this.#plain();
        const [of, texts] = [this.reference(column), (column.term as TextTerm).texts];
        if (content.chance(0.4)) {
          const pattern = content.pick(["%o%", "n%", "_", "_o_th", "%", "%t", "f", "%e_", "sou%h"]);
          const negated = content.chance(0.3);
          if (!style.chance(0.5)) return text`${of} ${negated ? "NOT " : ""}LIKE '${pattern}'`;
          return negated ? text`NOT (${of} LIKE '${pattern}')` : text`(${of} LIKE '${pattern}')`;
        }
        const values = Array.from({ length: content.between(1, 3) }, () => text`'${content.pick(texts)}'`);
        return this.#member(of, values, content.chance(0.4));
      }
      case 6: {
        const column = this.column("text", ({ term }) => term.kind === "text" && term.open);
        if (column === undefined) return this.#plain();
        const values = ["I21", "J45", "E11", "other"]
          .slice(content.below(3), 4)
          .map((value) => text`'${value}'`);
        return this.#member(this.reference(column), values, content.chance(0.4));
      }
      default:
        return this.#plain();
    }
  }

  #dateOrText(depth: number): Text {
    if (this.content.chance(0.7)) return this.date(depth);
    const day = this.content.pick(["2019-12-29", "2020-01-02"]);
    return { sql: this.style.chance(0.5) ? `'${day}'` : `DATE '${day}'`, duck: `DATE '${day}'` };
  }

  /** A test for null, or a boolean. */
  #plain(): Text {
    const { content, style } = this;
    const column = content.pick(this.columns);
    const boolean = this.column("boolean");
    if (boolean === undefined || content.chance(0.5)) {
      const [of, negated] = [this.reference(column), content.chance(0.5)];
      if (style.chance(0.3)) return text`NOT (${of} IS ${negated ? "" : "NOT "}NULL)`;
      return text`(${of} IS ${negated ? "NOT " : ""}NULL)`;
    }
    const of = this.reference(boolean);
    switch (content.below(4)) {
      case 0:
        return style.pick([text`${of}`, text`(${of} = TRUE)`, text`(FALSE <> ${of})`]);
      case 1:
        return style.pick([text`NOT ${of}`, text`(${of} = FALSE)`]);
      default:
        return text`(${of} ${content.pick(["IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE", "IS UNKNOWN", "IS NOT UNKNOWN"])})`;
    }
  }

  #compared(a: Text, operator: string, b: Text): Text {
    if (this.style.chance(0.3)) return text`(${b} ${turned[operator]!} ${a})`;
    return this.style.chance(0.3)
      ? text`NOT (${a} ${opposite[operator]!} ${b})`
      : text`(${a} ${operator} ${b})`;
  }

  #member(of: Text, values: Text[], negated: boolean): Text {
    const { style } = this;
    const shuffled = style.shuffled(values);
    if (style.chance(0.5)) return text`(${of} ${negated ? "NOT " : ""}IN (${list(shuffled, ", ")}))`;
    const parts: Part[] = shuffled.map((value) => text`${of} ${negated ? "<>" : "="} ${value}`);
    return text`(${list(parts, negated ? " AND " : " OR ")})`;
  }
}

function onGrid({ low, high, scale }: NumberTerm, other: number): { low: number; high: number } {
  const factor = 10 ** Math.max(0, other - scale);
  return { low: low * factor, high: high * factor };
}

/** One of the values. */
function unified(of: Text, values: NumberTerm[]): NumberTerm {
  const scale = Math.max(...values.map((value) => value.scale));
  const ranges = values.map((value) => onGrid(value, scale));
  return numberTerm(
    of,
    scale,
    values.every(({ whole }) => whole),
    Math.min(...ranges.map(({ low }) => low)),
    Math.max(...ranges.map(({ high }) => high)),
  );
}

function pickNumber({ kind, scale, whole, low, high }: NumberTerm) {
  return { kind, scale, whole, low, high };
}
