/** Whether a plan was made for a dataset as it is stored now; it may have been replaced since the question was authorised. */
import type { DatasetManifest } from "../../data-sharing/manifests/dataset-manifest.ts";
import type { Expression, Plan, Predicate } from "../../data-sharing/plan/plan.ts";
import { storedColumns } from "./stored-columns.ts";

/** What does not fit; undefined if all does. */
export function misfitOf(plan: Plan, manifest: DatasetManifest): string | undefined {
  const [source] = plan.rows.sources;
  if (source?.kind !== "table" || source.table !== manifest.table) return "its table is another";
  // With fewer rows than the plan counts on, the noise would still do; with more, those beyond are left out.
  if (source.rowsPerPerson > manifest.rowsPerPerson) return `a person had ${source.rowsPerPerson} rows`;
  const columns = new Map(storedColumns(manifest).map((column) => [column.name, column]));
  const missing = [...columnsOf(plan)].find((name) => !columns.has(name));
  if (missing !== undefined) return `it had a column ${missing}`;
  const changed = plan.keys.find((key) => {
    if (key.kind === "open") return false;
    const { expression, values, labels } = key;
    const domain = expression.kind === "column" ? (columns.get(expression.name)?.domain ?? []) : [];
    return domain.length > 0 && values.some((value, at) => domain[Number(value)] !== labels[at]);
  });
  return changed && "the texts of a key were others";
}

function columnsOf({ rows: { filter }, keys, vectors }: Plan): Set<string> {
  const names = new Set<string>();
  const visit = (part: Expression | Predicate): void => {
    switch (part.kind) {
      case "column":
        names.add(part.name);
        break;
      case "is-null":
        names.add(part.column);
        break;
      case "add":
      case "multiply":
      case "and":
      case "or":
        part.operands.forEach(visit);
        break;
      case "subtract":
      case "compare":
        visit(part.left);
        visit(part.right);
        break;
      case "divide":
        visit(part.left);
        break;
      case "in":
        visit(part.expression);
        break;
      case "not":
        visit(part.operand);
        break;
    }
  };
  visit(filter);
  for (const { expression } of keys) visit(expression);
  for (const vector of vectors) if (vector.kind !== "people" && vector.of !== null) visit(vector.of);
  return names;
}
