/** What a plan releases, each number once however often SELECT names it, and what each release is charged. */
import { TrustedDataError } from "../../errors.ts";
import { shareOfCharge } from "../accounting/zcdp.ts";
import { formatDecimal } from "../manifests/grid.ts";
import { integerSquareRoot } from "../mechanisms/discrete-gaussian.ts";
import { extremeOffset } from "../mechanisms/quantile-scores.ts";
import type { Aggregate } from "./aggregate.ts";
import { partText } from "./part-text.ts";
import type { Output, Plan, Release, Vector } from "./plan.ts";
import { type Contribution, sensitivitySquaredOf } from "./sensitivity.ts";

type Quantile = Extract<Aggregate, { kind: "quantile" }>;
type Wanted = { vector: number; quantile: Quantile | null };

export class ReleaseList {
  readonly vectors: Vector[] = [];
  readonly #wanted: Wanted[] = [];
  readonly #places = new Map<string, number>();

  get count(): number {
    return this.#wanted.length;
  }

  /** The place of a noisy vector among the releases. */
  noisy(vector: Vector): number {
    return this.#place({ vector: this.#vector(vector), quantile: null }, null);
  }

  candidate(quantile: Quantile): number {
    const { numerator, denominator } = quantile.quantile;
    return this.#place({ vector: this.#vector(quantile.buckets), quantile }, `${numerator}/${denominator}`);
  }

  /** Equal shares of the charge for every release; what does not divide stays unused. */
  charged(microRho: string, contribution: Contribution): Pick<Plan, "releases" | "microRho"> {
    const charge = BigInt(microRho);
    if (charge < BigInt(this.#wanted.length))
      throw new TrustedDataError(
        "charge_too_small",
        `The answer releases ${this.#wanted.length} numbers per group, and a charge of ${charge} micro-rho does not go round: raise microRho.`,
        { microRho },
      );
    const share = shareOfCharge(charge, this.#wanted.length);
    const releases = this.#wanted.map(({ vector, quantile }): Release => {
      const squared = sensitivitySquaredOf(this.vectors[vector]!, contribution);
      if (quantile === null)
        return {
          mechanism: "gaussian",
          vector,
          sensitivitySquared: String(squared),
          microRho: String(share),
        };
      return selection(vector, quantile, squared, share);
    });
    return { releases, microRho: String(share * BigInt(releases.length)) };
  }

  #vector(vector: Vector): number {
    const text = partText(vector);
    const known = this.vectors.findIndex((other) => partText(other) === text);
    return known >= 0 ? known : this.vectors.push(vector) - 1;
  }

  #place(wanted: Wanted, quantile: string | null): number {
    const key = partText([wanted.vector, quantile]);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.#wanted.length);
    return this.#wanted.push(wanted) - 1;
  }
}

/** One row moves a score by the larger of the quantile's shares below and above, in units of its denominator. */
function selection(vector: number, quantile: Quantile, squared: bigint, share: bigint): Release {
  const { numerator, denominator } = quantile.quantile;
  const [below, above] = [numerator, denominator - numerator];
  const perRow = below > above ? below : above;
  const sensitivity = squareRootAbove(squared * perRow * perRow);
  const inward = extremeOffset(quantile.buckets.buckets, sensitivity, share);
  const offset = quantile.extreme === null ? 0n : quantile.extreme === "low" ? inward : -inward;
  return {
    mechanism: "exponential",
    vector,
    quantile: { numerator: String(numerator), denominator: String(denominator) },
    offset: String(offset),
    first: String(quantile.first),
    sensitivity: String(sensitivity),
    microRho: String(share),
  };
}

function squareRootAbove(value: bigint): bigint {
  const root = integerSquareRoot(value);
  return root * root < value ? root + 1n : root;
}

/** The columns of the answer that an aggregate makes; several for a histogram, called name_1, name_2, ... */
export function outputsOf(
  name: string,
  shown: boolean,
  aggregate: Aggregate,
  releases: ReleaseList,
): Output[] {
  const named = { name, shown };
  switch (aggregate.kind) {
    case "count":
      return [{ ...named, kind: "count", release: releases.noisy(aggregate.count), cell: 0 }];
    case "sum":
      return [{ ...named, kind: "sum", release: releases.noisy(aggregate.sum), scale: aggregate.scale }];
    case "average": {
      const sum = releases.noisy(aggregate.sum);
      const count = releases.noisy(aggregate.count);
      return [{ ...named, kind: "average", sum, count, scale: aggregate.scale }];
    }
    case "variance": {
      const { scale, sample, root } = aggregate;
      const squares = releases.noisy(aggregate.squares);
      const sum = releases.noisy(aggregate.sum);
      const count = releases.noisy(aggregate.count);
      return [{ ...named, kind: "variance", squares, sum, count, scale, sample, root }];
    }
    case "histogram": {
      const release = releases.noisy(aggregate.buckets);
      return Array.from({ length: aggregate.buckets.buckets }, (_, cell) => {
        const label = bucketLabel(aggregate.buckets, cell, aggregate.scale);
        return { kind: "count", name: `${name}_${cell + 1}`, shown, release, cell, label };
      });
    }
    case "quantile": {
      const { type, scale } = aggregate;
      return [{ ...named, kind: "quantile", release: releases.candidate(aggregate), type, scale }];
    }
  }
}

function bucketLabel({ low, step }: { low: string; step: string }, cell: number, scale: number): string {
  const edge = (at: number) => formatDecimal(BigInt(low) + BigInt(step) * BigInt(at), scale);
  return `${edge(cell)} to ${edge(cell + 1)}`;
}
