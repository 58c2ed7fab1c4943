/** Whether a plan was made for a dataset as it is declared now; it may have been replaced or edited since the question was authorised. */
import {
  type DatasetManifest,
  type DatasetTable,
  tablesOf,
} from "../data-sharing/manifests/dataset-manifest.ts";
import { planColumns } from "../data-sharing/plan/columns.ts";
import { columnsOf, predicateColumns } from "../data-sharing/plan/columns-of.ts";
import type { Plan, Rows, Source } from "../data-sharing/plan/plan.ts";

/** A column at some place of a plan: the texts of its domain, none for anything but text. */
type Known = (name: string) => readonly string[] | undefined;

/** What does not fit; undefined if all does. */
export function misfitOf(plan: Plan, manifest: DatasetManifest): string | undefined {
  const tables = tablesOf(manifest);
  const misfit = rowsMisfit(plan.rows, tables);
  if (misfit !== undefined) return misfit;
  const known = knownIn(plan.rows, tables);
  const named = [
    ...plan.keys.flatMap(({ expression }) => columnsOf(expression)),
    ...plan.vectors.flatMap((vector) =>
      vector.kind === "people" || vector.of === null ? [] : columnsOf(vector.of),
    ),
  ];
  const missing = named.find((name) => known(name) === undefined);
  if (missing !== undefined) return `it had a column ${missing}`;
  const changed = plan.keys.find((key) => {
    if (key.kind === "open" || key.expression.kind !== "column") return false;
    const domain = known(key.expression.name) ?? [];
    return domain.length > 0 && key.values.some((value, at) => domain[Number(value)] !== key.labels[at]);
  });
  return changed && "the texts of a key were others";
}

function rowsMisfit(rows: Rows, tables: ReadonlyMap<string, DatasetTable>): string | undefined {
  for (const source of rows.sources) {
    const misfit = sourceMisfit(source, tables);
    if (misfit !== undefined) return misfit;
  }
  const known = knownIn(rows, tables);
  const named = [
    ...predicateColumns(rows.filter),
    ...rows.publicJoins.flatMap(({ on }) => on.flatMap(columnsOf)),
  ];
  const missing = named.find((name) => known(name) === undefined);
  return missing === undefined ? undefined : `it had a column ${missing}`;
}

function sourceMisfit(source: Source, tables: ReadonlyMap<string, DatasetTable>): string | undefined {
  if (source.kind === "table") {
    const table = tables.get(source.table);
    if (table === undefined) return `it had a table ${source.table}`;
    // With fewer rows than the plan counts on, the noise would still do; with more, those beyond are left out.
    return source.rowsPerPerson > table.rowsPerPerson
      ? `a person had ${source.rowsPerPerson} rows`
      : undefined;
  }
  const misfit = rowsMisfit(source.rows, tables);
  if (misfit !== undefined) return misfit;
  const known = knownIn(source.rows, tables);
  const named = source.columns.flatMap(({ of }) => (of === null ? [] : columnsOf(of)));
  const missing = named.find((name) => known(name) === undefined);
  return missing === undefined ? undefined : `it had a column ${missing}`;
}

function knownIn({ sources, publicJoins }: Rows, tables: ReadonlyMap<string, DatasetTable>): Known {
  const known = new Map<string, readonly string[]>();
  sources.forEach((source, at) => {
    const prefix = sources.length > 1 ? `${at}.` : "";
    for (const [name, domain] of ownColumns(source, tables)) known.set(`${prefix}${name}`, domain);
  });
  publicJoins.forEach(({ columns }, at) => {
    for (const name of columns) known.set(`p${at}.${name}`, []);
  });
  return (name) => known.get(name);
}

function ownColumns(
  source: Source,
  tables: ReadonlyMap<string, DatasetTable>,
): (readonly [string, readonly string[]])[] {
  if (source.kind === "people") return source.columns.map(({ name }) => [name, []] as const);
  const table = tables.get(source.table);
  if (table === undefined) return [];
  return [...planColumns(table)].map(
    ([name, { type, domain }]) => [name, type === "text" ? domain : []] as const,
  );
}
