/** What all parts of one compilation know. */
import type { AlgorithmManifest } from "../manifests/algorithm-manifest.ts";
import type { DatasetManifest } from "../manifests/dataset-manifest.ts";
import type { ParameterValue } from "./parameters.ts";
import type { Predicate, PublicJoin, Source } from "./plan.ts";
import type { Scope } from "./scope.ts";

export interface CompileContext {
  algorithm: AlgorithmManifest;
  dataset: DatasetManifest;
  parameters: ReadonlyMap<string, ParameterValue>;
}

/** What FROM comes to. */
export interface From {
  /** In how many orders the sources could stand. */
  arrangements: number;
  sources: Source[];
  publicJoins: PublicJoin[];
  scope: Scope;
  /** What ON says beside the joins themselves. */
  conditions: Predicate[];
}
