/** An answer as a table: what people and programs get to see of it. */
import type { DatasetManifest } from "../manifests/dataset-manifest.ts";
import type { Output, Plan } from "../plan/plan.ts";

export interface PresentedColumn {
  name: string;
  kind: Output["kind"];
  /** What its values are: a key's label is text. */
  type: "text" | "number" | "date";
  /** Of a bucket of a histogram: what it holds. */
  label?: string;
  /** Decimal places of its values; averages and variances have two more than what they are made of. */
  scale: number;
  /** Of a quantile: how far apart its candidates are, in the column's own unit, or in days; the value is one of them. */
  spacing: string | null;
  /** Of a quantile: by how many rows of its group its rank is off at most, with 95%. */
  rankMargin: number | null;
}

export interface PresentedRow {
  /** A label for a key, else a decimal number or a date as text; null where the group is suppressed or nobody is there to be measured. */
  values: (string | null)[];
  /** The 95% margin of the noise, approximate for averages and variances; null where there is none. */
  margins: (string | null)[];
  /** Too few rows or people by the noisy count. */
  suppressed: boolean;
  /** Some of several repositories do not show the group; the numbers are of the others. */
  partial: boolean;
}

export interface PresentedAnswer {
  columns: PresentedColumn[];
  rows: PresentedRow[];
}

/** What one repository was asked, as far as a reader needs it; no plan where it refused. */
export interface AskedDataset {
  plan: Plan | null;
  manifest: DatasetManifest;
}
