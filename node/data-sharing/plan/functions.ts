/** The few functions of one row: parts of dates and their beginnings, ABS. Total, and the same in every engine. */
import { dateToDays } from "../manifests/grid.ts";
import { canonicalCase } from "./canonical-case.ts";
import { constantOf } from "./linear.ts";
import type { DatePart, Expression } from "./plan.ts";
import { checkedExpression, checkedNumber, kindOf, numberIn, type Reading, type Scalar } from "./reading.ts";
import { childrenOf, namesOf, onlyFields, refuse, type SqlNode } from "./sql-node.ts";

const dateParts: readonly string[] = ["year", "quarter", "month", "day", "dow", "doy"];
/** A Monday before every date, for weeks. */
const firstMonday = dateToDays("0001-01-01")!;

/** What the call is worth, or undefined for a function that the subset does not have. */
export function functionScalar(node: SqlNode, reading: Reading): Scalar | undefined {
  const name = namesOf(node, "funcname")?.join(".") ?? "";
  const parameters = childrenOf(node, "args");
  const require = (count: number) => {
    onlyFields(node, ["funcname", "args", "funcformat"]);
    if (parameters.length !== count) refuse(node.place, `${name} takes ${count} values`);
  };
  switch (name) {
    case "pg_catalog.extract":
    case "date_part":
    case "extract": {
      require(2);
      const part = wordOf(parameters[0]!, reading);
      const of = dateOf(parameters[1]!, reading);
      if (!dateParts.includes(part))
        refuse(parameters[0]!.place, `of a date there are ${dateParts.join(", ")}`);
      const number = { scale: 0, whole: false };
      return checkedNumber(node, reading.scope, number, { kind: "date-part", part: part as DatePart, of });
    }
    case "date_trunc": {
      require(2);
      const of = dateOf(parameters[1]!, reading);
      const start =
        startOf(wordOf(parameters[0]!, reading), of) ??
        refuse(parameters[0]!.place, "dates are cut to year, month or week");
      return { type: "date", instant: true, expression: checkedExpression(node, reading.scope, start) };
    }
    case "abs": {
      require(1);
      const number = numberIn(parameters[0]!, reading);
      const { expression } = number;
      const negative: Expression = { kind: "multiply", operands: [constantOf(-1n), expression] };
      const isNegative = {
        kind: "compare",
        operator: "<",
        left: expression,
        right: constantOf(0n),
      } as const;
      checkedExpression(node, reading.scope, negative);
      const chosen = canonicalCase(
        [{ when: isNegative, value: negative }],
        expression,
        reading.scope.factsOf,
      );
      return checkedNumber(node, reading.scope, number, chosen);
    }
    default:
      return undefined;
  }
}

/** The first day of its year, month or week (from Monday); undefined for other words. */
function startOf(unit: string, of: Expression): Expression | undefined {
  const part = (name: DatePart): Expression => ({
    kind: "add",
    operands: [{ kind: "subtract", left: of, right: { kind: "date-part", part: name, of } }, constantOf(1n)],
  });
  if (unit === "year") return part("doy");
  if (unit === "month") return part("day");
  if (unit !== "week") return undefined;
  const weeks: Expression = {
    kind: "divide",
    left: { kind: "subtract", left: of, right: constantOf(firstMonday) },
    divisor: "7",
  };
  return {
    kind: "add",
    operands: [{ kind: "multiply", operands: [constantOf(7n), weeks] }, constantOf(firstMonday)],
  };
}

function dateOf(node: SqlNode, reading: Reading): Expression {
  const scalar = reading.scalar(node);
  return scalar.type === "date"
    ? scalar.expression
    : refuse(node.place, `a date is expected here, and this is ${kindOf(scalar)}`);
}

function wordOf(node: SqlNode, reading: Reading): string {
  const scalar = reading.scalar(node);
  return scalar.type === "literal"
    ? scalar.text.toLowerCase()
    : refuse(node.place, "a word in quotes is expected here");
}
