/** Which released numbers an output is made of, in one repository's plan or in several whose grids differ. */
import { assert } from "../../primitives/assert.ts";
import { daysToDate, formatDecimal } from "../manifests/grid.ts";
import type { Rational } from "../mechanisms/rational.ts";
import type { Output, Plan, Vector } from "../plan/plan.ts";
import {
  averageCell,
  type Bounds,
  type Cell,
  countCell,
  extraScale,
  rescaledTally,
  sumCell,
  type Tally,
} from "./cells.ts";
import { varianceCell } from "./variance-cell.ts";

/** A released integer; no variance where it is a candidate. */
export interface Released {
  value: bigint;
  variance: Rational | null;
}

/** One repository's numbers of one group that it shows. */
export interface ShownPart {
  plan: Plan;
  /** `released[r][c]` */
  released: Released[][];
}

/** Decimal places of what an output is made of. */
export function gridScaleOf(output: Output): number {
  return "scale" in output ? output.scale : 0;
}

/** Decimal places with which an output of this grid is shown. */
export function shownScaleOf(output: Output, gridScale: number): number {
  if (output.kind === "average") return gridScale + extraScale;
  if (output.kind === "variance") return (output.root ? gridScale : 2 * gridScale) + extraScale;
  return gridScale;
}

/** Output number `index` of all these plans together, computed in steps of 10^-gridScale, which is the finest of their grids. */
export function outputCell(index: number, gridScale: number, parts: ShownPart[]): Cell {
  const [first] = parts;
  assert(first !== undefined, "somebody shows the group");
  const output = first.plan.outputs[index]!;
  assert(output.kind !== "key", "a key is a label, not a number");
  const inputs = parts.map((part) => inputsOf(part, index, gridScale));
  switch (output.kind) {
    case "count":
      return countCell(inputs.map(({ count }) => count!));
    case "sum":
      return sumCell(
        inputs.map(({ sum }) => sum!),
        gridScale,
      );
    case "average":
      return averageCell(
        inputs.map(({ sum, count, centre }) => ({ sum: sum!, count: count!, centre })),
        boundsOf(parts, index, gridScale),
        gridScale,
      );
    case "variance":
      return varianceCell(
        inputs.map(({ squares, sum, count, centre }) => ({
          squares: squares!,
          sum: sum!,
          count: count!,
          centre,
        })),
        output,
        gridScale,
      );
    case "quantile": {
      assert(parts.length === 1, "quantiles of several repositories are not combined");
      const { value } = first.released[output.release]![0]!;
      const text = output.type === "date" ? daysToDate(value) : formatDecimal(value, output.scale);
      return { value: text, margin: null };
    }
  }
}

/** Of what is averaged at any of them, in steps of 10^-gridScale. */
function boundsOf(parts: ShownPart[], index: number, gridScale: number): Bounds {
  const bounds = parts.map(({ plan }): Bounds => {
    const output = plan.outputs[index]!;
    assert(output.kind === "average", "all plans have the same outputs");
    const { low, high } = summed(plan, output.sum);
    const factor = 10n ** BigInt(gridScale - gridScaleOf(output));
    return { low: BigInt(low) * factor, high: BigInt(high) * factor };
  });
  return bounds.reduce((a, b) => ({
    low: a.low < b.low ? a.low : b.low,
    high: a.high > b.high ? a.high : b.high,
  }));
}

function summed(plan: Plan, release: number): Vector & { kind: "sum" } {
  const vector = plan.vectors[plan.releases[release]!.vector]!;
  assert(vector.kind === "sum", "an average is made of a sum");
  return vector;
}

interface Inputs {
  count?: Tally;
  sum?: Tally;
  squares?: Tally;
  centre: bigint;
}

function inputsOf({ plan, released }: ShownPart, index: number, gridScale: number): Inputs {
  const output = plan.outputs[index]!;
  const factor = 10n ** BigInt(gridScale - gridScaleOf(output));
  const tally = (release: number, by = 1n, cell = 0): Tally => {
    const { value, variance } = released[release]![cell]!;
    assert(variance !== null, "what is counted and summed has Gaussian noise");
    return rescaledTally({ value, variance }, by);
  };
  switch (output.kind) {
    case "count":
      return { count: tally(output.release, 1n, output.cell), centre: 0n };
    case "sum":
      return { sum: tally(output.release, factor), centre: 0n };
    case "average":
    case "variance": {
      return {
        count: tally(output.count),
        sum: tally(output.sum, factor),
        centre: BigInt(summed(plan, output.sum).centre) * factor,
        ...(output.kind === "variance" && { squares: tally(output.squares, factor * factor) }),
      };
    }
    default:
      return { centre: 0n };
  }
}
