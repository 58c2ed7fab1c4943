import { expect } from "chai";
import { crossingOf } from "../../../scripts/usefulness/crossing.ts";
import type { AlgorithmErrors } from "../../../scripts/usefulness/measure.ts";
import { algorithmManifest } from "./support/table.ts";

describe("from how many people on noise is smaller than the sampling error", () => {
  const peoples = [500, 5_000, 50_000];
  const errorsOf = (noise: number[], sampling: number | null): AlgorithmErrors => ({
    algorithm: algorithmManifest("trips-by-hour"),
    isResampled: false,
    epsilons: [1],
    clamped: [],
    sizes: peoples.map((people, place) => ({
      size: people,
      people,
      groups: 1,
      lost: [0],
      series: [
        {
          name: "trips",
          sampling: sampling === null ? null : sampling / Math.sqrt(people),
          noise: [noise[place]!],
        },
      ],
    })),
  });

  it("is where the lines meet, as one falls with people and the other with their root", () => {
    // 100 / sqrt(n) meets 8000 / n at n = 80^2.
    const noise = peoples.map((people) => 8_000 / people);
    const { people, kind } = crossingOf(errorsOf(noise, 100), 0, 0)!;
    expect(kind).to.equal("about");
    expect(people).to.be.closeTo(6_400, 1e-6);
  });

  it("is no more than said where it lies outside of what was measured, or no line leads there", () => {
    expect(crossingOf(errorsOf([0, 0, 0], 100), 0, 0)).to.deep.equal({ people: 500, kind: "at-most" });
    expect(crossingOf(errorsOf([99, 99, 99], 100), 0, 0)).to.deep.equal({
      people: 50_000,
      kind: "more-than",
    });
    const hidden = Number.POSITIVE_INFINITY;
    expect(crossingOf(errorsOf([hidden, 1, 0], 100), 0, 0)).to.deep.equal({ people: 5_000, kind: "at-most" });
    expect(crossingOf(errorsOf([9, 0, 0], 100), 0, 0)).to.deep.equal({ people: 5_000, kind: "at-most" });
  });

  it("counts from the last size at which noise is larger", () => {
    // Small groups that only look shown must not hide that larger ones are not.
    expect(crossingOf(errorsOf([1, 9, 0.1], 100), 0, 0)!.people).to.be.within(5_000, 50_000);
  });

  it("is not said of a number whose sample has no error", () => {
    expect(crossingOf(errorsOf([1, 1, 1], null), 0, 0)).to.equal(null);
  });
});
