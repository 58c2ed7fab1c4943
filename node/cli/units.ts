/** The unit behind each column of an answer, where the custodians declare one. */
import { type DatasetManifest, tablesOf } from "../data-sharing/manifests/dataset-manifest.ts";
import type { Expression, Output, Plan, Rows } from "../data-sharing/plan/plan.ts";
import type { AskedDataset } from "../data-sharing/release/presented-answer.ts";

/** By output name: the unit of the column that is averaged, summed or ranked, where all datasets say the same. */
export function unitsOf(asked: readonly AskedDataset[]): Map<string, string> {
  const [first, ...others] = asked.map(({ plan, manifest }) =>
    plan === null ? new Map() : unitsIn(plan, manifest),
  );
  return new Map(
    [...(first ?? [])].filter(([name, unit]) => others.every((other) => other.get(name) === unit)),
  );
}

function unitsIn(plan: Plan, manifest: DatasetManifest): Map<string, string> {
  return new Map(
    plan.outputs.flatMap((output) => {
      const of = measuredBy(plan, output);
      const unit = of === null ? undefined : unitOf(of, plan.rows, manifest);
      return unit === undefined ? [] : [[output.name, unit] as const];
    }),
  );
}

/** What the output has the unit of; a variance has the square of it, which nobody reads. */
function measuredBy({ releases, vectors }: Plan, output: Output): Expression | null {
  const isMeasured = output.kind !== "key" && output.kind !== "count";
  if (!isMeasured || (output.kind === "variance" && !output.root)) return null;
  const release = output.kind === "sum" || output.kind === "quantile" ? output.release : output.sum;
  const vector = vectors[releases[release]!.vector]!;
  return vector.kind === "people" ? null : vector.of;
}

/** Of a plain column of a table: `wage`, or `1.wage` of the second source. */
function unitOf(of: Expression, { sources }: Rows, manifest: DatasetManifest): string | undefined {
  const [, place = "0", name] = (of.kind === "column" && /^(?:(\d+)\.)?([a-z]\w*)$/.exec(of.name)) || [];
  const source = sources[Number(place)];
  if (name === undefined || source?.kind !== "table") return undefined;
  const columns = tablesOf(manifest).get(source.table)?.columns ?? {};
  const column = Object.hasOwn(columns, name) ? columns[name]! : undefined;
  return column !== undefined && "unit" in column ? column.unit : undefined;
}
