/**
 * Expressions and predicates of a plan as SQL over the columns in reach. Only checked identifiers and integer literals go into it. No row can
 * make it fail: from the columns' ranges every intermediate value is known to fit the type in which it is computed.
 */
import { dateToDays } from "../../data-sharing/manifests/grid.ts";
import type { Interval } from "../../data-sharing/plan/columns.ts";
import type { DatePart, Expression, Predicate } from "../../data-sharing/plan/plan.ts";
import { assert } from "../../primitives/assert.ts";
import {
  cast,
  clamped,
  constantValue,
  folded,
  largest,
  literal,
  magnitude,
  saturated,
  smallest,
  typeFor,
  type Value,
  within,
} from "./sql-values.ts";

/** What plans call a column, and how it is reached. */
export type Scope = ReadonlyMap<string, Value>;

const [firstDay, lastDay] = [dateToDays("0001-01-01")!, dateToDays("9999-12-31")!];
const partRanges: Record<DatePart, [bigint, bigint]> = {
  year: [1n, 9999n],
  quarter: [1n, 4n],
  month: [1n, 12n],
  day: [1n, 31n],
  dow: [0n, 6n],
  doy: [1n, 366n],
};

export class ExpressionCompiler {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Breaks an expectation, whatever the data, where a value could leave 126 bits. */
  expression(expression: Expression): Value {
    switch (expression.kind) {
      case "column":
        return this.#column(expression.name);
      case "constant":
        return constantValue(BigInt(expression.value));
      case "null":
        return { sql: "CAST(NULL AS BIGINT)", range: { low: 0n, high: 0n } };
      case "add":
        return folded(this.#all(expression.operands), "+");
      case "multiply":
        return folded(this.#all(expression.operands), "*");
      case "subtract":
        return folded(this.#all([expression.left, expression.right]), "-");
      case "divide":
        return divided(this.expression(expression.left), BigInt(expression.divisor));
      case "date-part":
        return this.#datePart(expression.part, this.expression(expression.of));
      case "case": {
        const values = this.#all([...expression.branches.map(({ value }) => value), expression.otherwise]);
        const range = hull(values);
        const type = typeFor(magnitude(range));
        const branches = expression.branches.map(
          ({ when }, at) => `WHEN ${this.predicate(when)} THEN ${cast(values[at]!, type)}`,
        );
        return { sql: `(CASE ${branches.join(" ")} ELSE ${cast(values.at(-1)!, type)} END)`, range };
      }
    }
  }

  predicate(predicate: Predicate): string {
    switch (predicate.kind) {
      case "always":
        return "true";
      case "never":
        return "false";
      case "is-null":
        return `(${this.#column(predicate.column).sql} IS NULL)`;
      case "not":
        return `(NOT ${this.predicate(predicate.operand)})`;
      case "and":
      case "or": {
        if (predicate.operands.length === 0) return predicate.kind === "and" ? "true" : "false";
        const parts = predicate.operands.map((operand) => this.predicate(operand));
        return `(${parts.join(predicate.kind === "and" ? " AND " : " OR ")})`;
      }
      case "in":
        return within(this.expression(predicate.expression).sql, predicate.values.map(BigInt));
      case "compare":
        assert(["=", "<", "<="].includes(predicate.operator), "an operator of plans");
        return `(${this.#compared(predicate.left)} ${predicate.operator} ${this.#compared(predicate.right)})`;
    }
  }

  /** A constant beyond all values compares like the largest one. */
  #compared(expression: Expression): string {
    return expression.kind === "constant"
      ? literal(saturated(BigInt(expression.value)))
      : this.expression(expression).sql;
  }

  /** Days outside of the calendar's years, which no compiled plan has, count as its first or last day. */
  #datePart(part: DatePart, days: Value): Value {
    const { low, high } = days.range;
    const inside = low >= firstDay && high <= lastDay ? days : clamped(days, firstDay, lastDay);
    const [least, most] = partRanges[part];
    return {
      sql: `date_part('${part}', DATE '1970-01-01' + CAST(${inside.sql} AS INTEGER))`,
      range: { low: least, high: most },
    };
  }

  #all(expressions: readonly Expression[]): Value[] {
    return expressions.map((part) => this.expression(part));
  }

  #column(name: string): Value {
    const column = this.#scope.get(name);
    assert(column !== undefined, "a plan names columns of its rows");
    return column;
  }
}

function divided(left: Value, divisor: bigint): Value {
  assert(divisor > 0n, "a divisor is positive");
  const type = typeFor(largest([magnitude(left.range), divisor]));
  return {
    sql: `(${cast(left, type)} // CAST(${literal(divisor)} AS ${type}))`,
    range: { low: left.range.low / divisor, high: left.range.high / divisor },
  };
}

function hull(values: readonly Value[]): Interval {
  return {
    low: smallest(values.map(({ range }) => range.low)),
    high: largest(values.map(({ range }) => range.high)),
  };
}
