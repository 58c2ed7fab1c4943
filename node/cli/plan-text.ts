/** A plan in words, for whoever decides whether to sign or to ask it. */
import type {
  Expression,
  GroupKey,
  Plan,
  Predicate,
  Release,
  Rows,
  Source,
  Vector,
} from "../data-sharing/plan/plan.ts";

/** `rows`, `where`, `groups` and so on, each with what the plan says. */
export function planLines(plan: Plan): [title: string, text: string][] {
  const { rows, keys, bounding, floor, threshold } = plan;
  const lines: [string, string][] = [["rows", rowsText(rows)]];
  if (rows.filter.kind !== "always") lines.push(["where", predicateText(rows.filter)]);
  lines.push(["groups", keys.length === 0 ? "none: one row of numbers" : keys.map(keyText).join("; ")]);
  lines.push([
    "of one person",
    bounding.kind === "stored"
      ? "all rows that the sources let through"
      : `as much as ${bounding.rowsPerGroup} rows in a group, in ${bounding.groups} groups`,
  ]);
  lines.push([
    "too small",
    `under ${floor.minimum} ${countedBy(plan, floor.release)}, by the noisy count: suppressed`,
  ]);
  if (threshold !== null)
    lines.push(["not shown", `groups under ${threshold.minimum} people, by the noisy count`]);
  return lines;
}

export function releaseText(plan: Plan, release: Release): string {
  const vector = vectorText(plan.vectors[release.vector]!);
  if (release.mechanism === "gaussian") return vector;
  const { numerator, denominator } = release.quantile;
  return `the place ${numerator}/${denominator} among ${vector}`;
}

function countedBy(plan: Plan, release: number): string {
  return plan.vectors[plan.releases[release]!.vector]!.kind === "people" ? "people" : "rows";
}

function rowsText({ sources, publicJoins }: Rows): string {
  const joined = sources.map((source, at) =>
    sources.length === 1 ? sourceText(source) : `${at}: ${sourceText(source)}`,
  );
  const publics = publicJoins.map(
    ({ on, rows }, at) =>
      `p${at}: ${rows.length} public rows on ${on.map((part) => expressionText(part)).join(", ")}`,
  );
  return [joined.join(" joined on the person with "), ...publics].join("; ");
}

function sourceText(source: Source): string {
  if (source.kind === "table") return `${source.table} (${rowCount(source.rowsPerPerson)} of a person)`;
  const columns = source.columns.map(
    ({ name, aggregate, of }) => `${name} = ${aggregate}(${of === null ? "*" : expressionText(of)})`,
  );
  const { filter } = source.rows;
  const where = filter.kind === "always" ? "" : ` where ${predicateText(filter)}`;
  return `one row a person (${columns.join(", ")}) of ${rowsText(source.rows)}${where}`;
}

function rowCount(count: number): string {
  return count === 1 ? "1 row" : `at most ${count} rows`;
}

function keyText(key: GroupKey): string {
  const text = expressionText(key.expression);
  if (key.kind === "open") return `${text} (open: which values there are is private)`;
  const shown = key.labels.slice(0, 6).join(", ");
  return `${text} (${key.labels.length} declared: ${shown}${key.labels.length > 6 ? ", ..." : ""})`;
}

function vectorText(vector: Vector): string {
  switch (vector.kind) {
    case "count":
      return vector.of === null ? "rows" : `rows with ${expressionText(vector.of)}`;
    case "people":
      return "people";
    case "sum":
    case "squares": {
      const inside = `${expressionText(vector.of)} held to ${vector.low} ... ${vector.high}`;
      const centred = vector.centre === "0" ? inside : `${inside}, less ${vector.centre}`;
      return vector.kind === "sum" ? `sum of ${centred}` : `sum of squares of ${centred}`;
    }
    case "buckets":
      return `${vector.buckets} values of ${expressionText(vector.of)}`;
  }
}

/** As SQL over stored integers would say it. */
export function expressionText(expression: Expression): string {
  switch (expression.kind) {
    case "column":
      return expression.name;
    case "constant":
      return expression.value;
    case "null":
      return "NULL";
    case "add":
      return `(${expression.operands.map(expressionText).join(" + ")})`;
    case "multiply":
      return expression.operands.map(expressionText).join(" * ");
    case "subtract":
      return `(${expressionText(expression.left)} - ${expressionText(expression.right)})`;
    case "divide":
      return `${expressionText(expression.left)} / ${expression.divisor}`;
    case "date-part":
      return `${expression.part}(${expressionText(expression.of)})`;
    case "case": {
      const branches = expression.branches.map(
        ({ when, value }) => `WHEN ${predicateText(when)} THEN ${expressionText(value)}`,
      );
      return `CASE ${branches.join(" ")} ELSE ${expressionText(expression.otherwise)} END`;
    }
  }
}

export function predicateText(predicate: Predicate): string {
  switch (predicate.kind) {
    case "always":
      return "TRUE";
    case "never":
      return "FALSE";
    case "compare":
      return `${expressionText(predicate.left)} ${predicate.operator} ${expressionText(predicate.right)}`;
    case "in":
      return `${expressionText(predicate.expression)} IN (${shortList(predicate.values)})`;
    case "is-null":
      return `${predicate.column} IS NULL`;
    case "not":
      return `NOT (${predicateText(predicate.operand)})`;
    default:
      return predicate.operands
        .map((operand) => `(${predicateText(operand)})`)
        .join(predicate.kind === "and" ? " AND " : " OR ");
  }
}

function shortList(values: readonly string[]): string {
  return values.length > 20 ? `${values.slice(0, 20).join(", ")}, ...` : values.join(", ");
}
