/** HAVING, ORDER BY and LIMIT: what is done with released numbers, by whoever shows them. */
import { assert } from "../../primitives/assert.ts";
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { domainSizeMax } from "../manifests/dataset-manifest.ts";
import { formatDecimal } from "../manifests/grid.ts";
import type { Select } from "./parse-sql.ts";
import type { AnswerCondition, Post } from "./plan.ts";
import { dateConstant, kindOf, type Reading, type Scalar } from "./reading.ts";
import { childOf, childrenOf, isNode, namesOf, onlyFields, refuse, type SqlNode } from "./sql-node.ts";

/** The place of the output that an expression over groups is, made if need be; refuses what is no aggregate and no key. */
export type OutputOf = (node: SqlNode) => { place: number; isKey: boolean; type: "number" | "date" };

type Operator = Extract<AnswerCondition, { kind: "compare" }>["operator"];

/** Items of one clause. */
const orderMax = 64;

/** `names` of the answer's columns; `targets` are the places of what SELECT names, null where it is several columns. */
export function compilePost(
  select: Select,
  reading: Reading,
  outputOf: OutputOf,
  names: readonly string[],
  targets: readonly (number | null)[],
): Post {
  const items = select.order.map((item) => order(item, outputOf, names, targets));
  // What is ordered by once is ordered by for good.
  const firsts = items.filter(({ output }, at) => items.findIndex((other) => other.output === output) === at);
  if (items.length > orderMax)
    refuse(select.order[orderMax]!.place, `ORDER BY has more than ${orderMax} items`);
  return {
    having: select.having === null ? null : sortedCondition(condition(select.having, reading, outputOf)),
    order: firsts,
    limit: select.limit === null ? null : limit(select.limit, reading),
  };
}

function condition(node: SqlNode, reading: Reading, outputOf: OutputOf): AnswerCondition {
  if (node.kind === "BoolExpr") {
    onlyFields(node, ["boolop", "args"]);
    const operands = childrenOf(node, "args").map((part) => condition(part, reading, outputOf));
    switch (node.fields.get("boolop")) {
      case "AND_EXPR":
        return { kind: "and", operands };
      case "OR_EXPR":
        return { kind: "or", operands };
      default:
        return { kind: "not", operand: operands[0]! };
    }
  }
  if (node.kind !== "A_Expr" || !node.fields.has("lexpr"))
    refuse(node.place, "HAVING compares aggregates with numbers and dates");
  const left = childOf(node, "lexpr");
  const right = childOf(node, "rexpr");
  if (node.fields.get("kind") === "AEXPR_BETWEEN") {
    const [low, high] = childrenOf(right, "items");
    const bounds = [
      compared(">=", left, low!, reading, outputOf),
      compared("<=", left, high!, reading, outputOf),
    ];
    return { kind: "and", operands: bounds };
  }
  const [operator = "", extra] = namesOf(node, "name") ?? [];
  if (node.fields.get("kind") !== "AEXPR_OP" || extra !== undefined || !/^(?:=|<>|<|<=|>|>=)$/.test(operator))
    refuse(node.place, "HAVING compares by =, <>, <, <=, >, >= and BETWEEN");
  if (operator !== "<>") return compared(operator as Operator, left, right, reading, outputOf);
  return { kind: "not", operand: compared("=", left, right, reading, outputOf) };
}

const turned: Record<Operator, Operator> = { "=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

function compared(
  operator: Operator,
  left: SqlNode,
  right: SqlNode,
  reading: Reading,
  outputOf: OutputOf,
): AnswerCondition {
  const constant = constantIn(right, reading);
  if (constant === null) {
    const other = constantIn(left, reading);
    if (other === null) refuse(left.place, "HAVING compares an aggregate with a number or a date");
    return compared(turned[operator], right, left, reading, outputOf);
  }
  const { place, isKey, type } = outputOf(left);
  if (isKey) refuse(left.place, "conditions on keys belong in WHERE");
  return { kind: "compare", operator, output: place, value: comparedText(constant, type, right) };
}

function constantIn(node: SqlNode, reading: Reading): Scalar | null {
  if (node.kind === "FuncCall") return null;
  const scalar = reading.scalar(node);
  if (scalar.type === "literal") return scalar;
  return "expression" in scalar && scalar.expression.kind === "constant" ? scalar : null;
}

/** An exact decimal without trailing zeros; a date, which may be a text as in WHERE, as days since 1970-01-01. */
function comparedText(constant: Scalar, type: "number" | "date", node: SqlNode): string {
  const expression =
    type === "date" && constant.type === "literal"
      ? dateConstant(constant.text, node)
      : constant.type === type
        ? constant.expression
        : refuse(node.place, `a ${type} is compared with ${kindOf(constant)}`);
  assert(expression.kind === "constant", "constants alone come here");
  const text = formatDecimal(BigInt(expression.value), constant.type === "number" ? constant.scale : 0);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function sortedCondition(part: AnswerCondition): AnswerCondition {
  if (part.kind === "compare") return part;
  if (part.kind === "not") return { kind: "not", operand: sortedCondition(part.operand) };
  const flat = part.operands
    .map(sortedCondition)
    .flatMap((operand) => (operand.kind === part.kind ? operand.operands : [operand]));
  const byText = new Map(flat.map((operand) => [canonicalJson(operand), operand]));
  const operands = [...byText.keys()].sort().map((text) => byText.get(text)!);
  return operands.length === 1 ? operands[0]! : { kind: part.kind, operands };
}

function order(
  item: SqlNode,
  outputOf: OutputOf,
  names: readonly string[],
  targets: readonly (number | null)[],
): Post["order"][number] {
  onlyFields(item, ["node", "sortby_dir", "sortby_nulls"], {
    useOp: "USING in ORDER BY is not part of the subset",
  });
  if (item.fields.get("sortby_nulls") !== "SORTBY_NULLS_DEFAULT")
    refuse(item.place, "NULLS FIRST and NULLS LAST are not part of the subset; what is not shown comes last");
  const direction = item.fields.get("sortby_dir");
  return {
    output: placeOf(childOf(item, "node"), outputOf, names, targets),
    descending: direction === "SORTBY_DESC",
  };
}

/** A place in SELECT, the name of a column of the answer, or an expression. */
function placeOf(
  node: SqlNode,
  outputOf: OutputOf,
  names: readonly string[],
  targets: readonly (number | null)[],
): number {
  if (node.kind === "A_Const") {
    const value = node.fields.get("ival");
    const place = isNode(value) ? targets[Number(value.fields.get("ival") ?? 0) - 1] : undefined;
    if (place === null) refuse(node.place, "a histogram is not compared");
    return place ?? refuse(node.place, "ORDER BY names a place that SELECT does not have");
  }
  const name = node.kind === "ColumnRef" ? namesOf(node, "fields") : null;
  const named = name?.length === 1 ? names.indexOf(name[0]!) : -1;
  return named >= 0 ? named : outputOf(node).place;
}

function limit(node: SqlNode, reading: Reading): number {
  const scalar = reading.scalar(node);
  const rows = scalar.type === "number" && scalar.expression.kind === "constant" ? scalar : null;
  if (rows === null || rows.scale !== 0) refuse(node.place, "LIMIT takes a whole number");
  const value = BigInt((rows.expression as { value: string }).value);
  return value >= 0n && value <= BigInt(10 * domainSizeMax)
    ? Number(value)
    : refuse(node.place, `LIMIT takes a number from 0 to ${10 * domainSizeMax}`);
}
