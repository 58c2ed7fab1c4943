import { expect } from "chai";
import fc from "fast-check";
import { microEpsilonOf } from "../../../../node/data-sharing/mechanisms/exponential-mechanism.ts";
import { quantileScores } from "../../../../node/data-sharing/mechanisms/quantile-scores.ts";
import { executePlan, type PersonRow } from "../../../../node/data-sharing/plan/evaluate.ts";
import {
  cellsMax,
  cellsOf,
  openGroupsMax,
  type Plan,
  type Release,
} from "../../../../node/data-sharing/plan/plan.ts";
import { planHash } from "../../../../node/data-sharing/plan/plan-hash.ts";
import type { ExactAnswer, Randomness } from "../../../../node/data-sharing/ports.ts";
import {
  answerHash,
  releasedAnswerSchema,
  shownGroupsMax,
} from "../../../../node/data-sharing/release/answer.ts";
import { checkAnswer } from "../../../../node/data-sharing/release/check-answer.ts";
import { hasRoomForGroups, openGroupsLimit } from "../../../../node/data-sharing/release/open-groups.ts";
import { presentAnswer } from "../../../../node/data-sharing/release/present.ts";
import { emptyAnswer, releaseAnswer } from "../../../../node/data-sharing/release/release.ts";
import { falseAlarmRate, fitProbability, tableOf } from "../../../support/goodness-of-fit.ts";
import { seededRandomness } from "../../../support/seeded-randomness.ts";
import {
  count,
  declaredKey,
  gaussian,
  openKey,
  persons,
  planOf,
  sumVector,
  wageBuckets,
  wagesBySex,
} from "./plans.ts";

/** Counts the bytes that are drawn. */
function counted(randomness: Randomness) {
  const drawn = { bytes: 0, calls: 0 };
  const source = {
    bytes: (length: number) => {
      drawn.bytes += length;
      drawn.calls++;
      return randomness.bytes(length);
    },
  };
  return { source, drawn };
}

const median: Release = {
  mechanism: "exponential",
  vector: 1,
  quantile: { numerator: "1", denominator: "2" },
  offset: "0",
  first: "50",
  sensitivity: "1",
  microRho: "20000",
};

describe("releasing an answer", () => {
  const exact: ExactAnswer = {
    groups: null,
    vectors: [
      [400n, 600n],
      [800_000n, 1_500_000n],
      [-200_000n, 30_000n],
    ],
  };
  const noisyPlan: Plan = {
    ...wagesBySex,
    releases: [
      gaussian(0, "9", "16666"),
      gaussian(1, "225000000", "16666"),
      gaussian(2, "56250000", "16668"),
    ],
    microRho: "50000",
  };

  it("adds noise to every number and says how much, in plain JSON", () => {
    const released = releaseAnswer(exact, noisyPlan, seededRandomness(1));
    expect(releasedAnswerSchema.parse(JSON.parse(JSON.stringify(released)))).to.deep.equal(released);
    expect(released.plan).to.equal(planHash(noisyPlan));
    // sensitivity^2 / (2 rho): 3 rows, rho = 50000 / 3 rounded down, in millionths.
    expect(released.variances[0]).to.deep.equal({ numerator: "2250000", denominator: "8333" });
    expect(released.values.flat()).to.not.deep.equal(exact.vectors.flat().map(String));
    const hashes = [1, 1, 2].map((seed) =>
      answerHash(releaseAnswer(exact, noisyPlan, seededRandomness(seed))),
    );
    expect(hashes[0]).to.equal(hashes[1]);
    expect(hashes[0]).to.not.equal(hashes[2]);
  });

  it("adds to each cell what the plan's variance says, drawn anew for each", () => {
    const cells = 200;
    const histogram = planOf({
      vectors: [count, { ...wageBuckets, buckets: cells }],
      // Variance 1 for the count, 4 / 0.32 for the buckets.
      releases: [gaussian(0), gaussian(1, "4", "160000")],
      floor: { release: 0, minimum: 0 },
    });
    const buckets = Array.from({ length: cells }, (_, cell) => BigInt(cell * cell));
    const randomness = seededRandomness(3);
    const errors: bigint[] = [];
    const neighbours: bigint[] = [];
    for (let run = 0; run < 100; run++) {
      const exactOnes = { groups: null, vectors: [[1_000n], buckets] };
      const { values } = releaseAnswer(exactOnes, histogram, randomness);
      const noise = values[1]!.map((value, cell) => BigInt(value!) - buckets[cell]!);
      errors.push(...noise);
      for (let cell = 0; cell < cells; cell += 2) neighbours.push(noise[cell]! + noise[cell + 1]!);
    }
    const table = (variance: number) => tableOf((x) => Math.exp((-x * x) / (2 * variance)), -60, 60);
    expect(fitProbability(errors, table(12.5))).to.be.above(falseAlarmRate);
    expect(fitProbability(errors, table(12.5 * 1.1))).to.be.below(falseAlarmRate);
    // The sum of two independent draws.
    expect(fitProbability(neighbours, table(25))).to.be.above(falseAlarmRate);
  });

  it("draws candidates by the exponential mechanism over the plan's buckets", () => {
    const plan = planOf({ vectors: [count, wageBuckets], releases: [gaussian(0), median] });
    const buckets = [0n, 4n, 6n, 2n, 9n, 5n, 1n, 0n, 0n, 3n];
    const scores = quantileScores(buckets, { numerator: 1n, denominator: 2n }, 0n).map(Number);
    const epsilon = Number(microEpsilonOf(20_000n)) / 1e6;
    const table = new Map(
      [...tableOf((j) => Math.exp((epsilon * scores[j]!) / 2), 0, 9)].map(([j, p]) => [50 + 100 * j, p]),
    );
    const randomness = seededRandomness(4);
    const draws = Array.from({ length: 8_000 }, () => {
      const { values } = releaseAnswer({ groups: null, vectors: [[30n], buckets] }, plan, randomness);
      return BigInt(values[1]![0]!);
    });
    expect(fitProbability(draws, table)).to.be.above(falseAlarmRate);
    const wrong = new Map(
      [...tableOf((j) => Math.exp(epsilon * scores[j]!), 0, 9)].map(([j, p]) => [50 + 100 * j, p]),
    );
    expect(fitProbability(draws, wrong)).to.be.below(falseAlarmRate);
  });

  it("suppresses a group under the floor in all its numbers, having drawn the same noise", () => {
    const plan = planOf({
      keys: wagesBySex.keys,
      vectors: [count, wageBuckets, wageBuckets],
      releases: [gaussian(0), { ...median, microRho: "9000000" }, gaussian(2)],
    });
    const buckets = new Array<bigint>(20).fill(0n);
    const drawn = (counts: bigint[]) => {
      const { source, drawn } = counted(seededRandomness(5));
      return {
        drawn,
        released: releaseAnswer({ groups: null, vectors: [counts, buckets, buckets] }, plan, source),
      };
    };
    const large = drawn([500n, 500n]);
    const small = drawn([500n, -500n]);
    expect(large.released.values.flat()).to.not.include(null);
    expect(small.released.values.map((values) => values.length)).to.deep.equal([2, 2, 20]);
    expect(small.released.values[0]![1]).to.equal(null);
    expect(small.released.values[1]![1]).to.equal(null);
    expect(small.released.values[2]!.slice(10)).to.deep.equal(new Array(10).fill(null));
    expect(small.released.values.flatMap((values) => values.slice(0, values.length / 2))).to.not.include(
      null,
    );
    expect(small.drawn).to.deep.equal(large.drawn);
  });

  it("covers the truth with its margins 95 times in 100", () => {
    const plan: Plan = {
      ...wagesBySex,
      releases: [gaussian(0, "100"), gaussian(1, "25000000"), gaussian(2, "5625000")],
    };
    const randomness = seededRandomness(11);
    const truth = [null, 600, 15_000, 25.5];
    const inside = [0, 0, 0, 0];
    let errors = 0;
    const runs = 2_000;
    for (let run = 0; run < runs; run++) {
      const vectors = [
        [600n, 600n],
        [1_500_000n, 1_500_000n],
        [30_000n, 30_000n],
      ];
      const [row] = presentAnswer(plan, releaseAnswer({ groups: null, vectors }, plan, randomness)).rows;
      for (let column = 1; column < 4; column++) {
        const error = Number(row!.values[column]) - truth[column]!;
        if (Math.abs(error) <= Number(row!.margins[column]) + 1e-9) inside[column]!++;
        if (column === 3) errors += error / Number(row!.margins[column]);
      }
    }
    for (const column of [1, 2, 3]) expect(inside[column]! / runs, String(column)).to.be.within(0.935, 0.97);
    // The mean error of the average, in margins: 1 / (1.96 sqrt(2000)) is one standard error.
    expect(Math.abs(errors / runs)).to.be.lessThan(0.04);
  }).timeout(120_000);

  it("gives averages of real rows that lie within their margins", () => {
    const rows: PersonRow[] = Array.from({ length: 3_000 }, (_, index) => ({
      person: String(index),
      columns: { sex: BigInt(index % 2), wage: BigInt((index * 7_919) % 5_000) },
    }));
    const exactAverage = [0, 1].map((sex) => {
      const own = rows
        .filter((row) => row.columns.sex === BigInt(sex))
        .map((row) => Number(row.columns.wage));
      return own.reduce((a, b) => a + b) / own.length / 100;
    });
    const released = releaseAnswer(executePlan(rows, noisyPlan), noisyPlan, seededRandomness(3));
    for (const [sex, row] of presentAnswer(noisyPlan, released).rows.entries())
      expect(Math.abs(Number(row.values[3]) - exactAverage[sex]!)).to.be.lessThan(2 * Number(row.margins[3]));
  });

  it("makes of an engine that failed an answer over nobody", () => {
    const declared = planOf({
      keys: wagesBySex.keys,
      vectors: [count, wageBuckets],
      releases: [gaussian(0), gaussian(1)],
    });
    expect(emptyAnswer(declared)).to.deep.equal({
      groups: null,
      vectors: [[0n, 0n], new Array<bigint>(20).fill(0n)],
    });
    const open = planOf({
      keys: [openKey()],
      vectors: [persons],
      threshold: { release: 0, minimum: "20" },
    });
    const released = releaseAnswer(emptyAnswer(open), open, seededRandomness(1));
    expect([released.groups, released.values]).to.deep.equal([[], [[]]]);
    checkAnswer(open, releasedAnswerSchema.parse(released));
    expect(presentAnswer(open, released).rows).to.deep.equal([]);
  });

  it("does not take an answer of another shape", () => {
    const shapes: ExactAnswer[] = [
      { groups: null, vectors: exact.vectors.slice(1) },
      { groups: null, vectors: exact.vectors.map((vector) => vector.slice(1)) },
      { groups: [["a"], ["b"]], vectors: exact.vectors },
    ];
    for (const shape of shapes)
      expect(() => releaseAnswer(shape, noisyPlan, seededRandomness(1))).to.throw("broken expectation");
  });
});

describe("groups of an open key", () => {
  const tau = 30;
  /** Rows, people and a sum for each place and whether somebody is a member; noise of variance 25. */
  const plan = (more: Partial<Plan> = {}): Plan => {
    const vectors = [count, persons, sumVector()];
    return planOf({
      keys: [openKey(), declaredKey(["no", "yes"])],
      vectors,
      releases: vectors.map((_, vector) => gaussian(vector, "25", "500000")),
      floor: { release: 0, minimum: 10 },
      threshold: { release: 1, minimum: String(tau) },
      ...more,
    });
  };
  const group = fc.record({
    label: fc.string({ unit: "grapheme", maxLength: 8 }),
    member: fc.constantFrom("no", "yes"),
    people: fc.bigInt(1n, 60n),
    rows: fc.bigInt(0n, 60n),
  });
  const exactArb = fc
    .uniqueArray(group, { selector: ({ label, member }) => `${label} ${member}`, maxLength: 40 })
    .map(
      (groups): ExactAnswer => ({
        groups: groups.map(({ label, member }) => [label, member]),
        vectors: [
          groups.map(({ rows }) => rows),
          groups.map(({ people }) => people),
          groups.map(({ rows }) => rows * 100n),
        ],
      }),
    );

  it("are never shown below the threshold or the floor, and come in an order that says nothing", () => {
    fc.assert(
      fc.property(exactArb, fc.nat(1_000_000), (exact, seed) => {
        const released = releaseAnswer(exact, plan(), seededRandomness(seed));
        releasedAnswerSchema.parse(released);
        checkAnswer(plan(), released);
        expect(released.values.flat()).to.not.include(null);
        for (const place of released.groups!.keys()) {
          expect(Number(released.values[1]![place])).to.be.at.least(tau);
          expect(Number(released.values[0]![place])).to.be.at.least(10);
        }
        const known = new Set(exact.groups!.map((labels) => JSON.stringify(labels)));
        for (const labels of released.groups!) expect(known.has(JSON.stringify(labels))).to.equal(true);
        const backwards: ExactAnswer = {
          groups: exact.groups!.toReversed(),
          vectors: exact.vectors.map((vector) => vector.toReversed()),
        };
        const again = releaseAnswer(backwards, plan(), seededRandomness(seed + 1));
        const both = released.groups!.filter((labels) =>
          again.groups!.some((other) => JSON.stringify(other) === JSON.stringify(labels)),
        );
        const sameOrder = again.groups!.filter((labels) =>
          both.some((other) => JSON.stringify(other) === JSON.stringify(labels)),
        );
        expect(sameOrder).to.deep.equal(both);
      }),
      { numRuns: 150 },
    );
  });

  it("of one person come up as seldom as the noise reaches the threshold", () => {
    // P(1 + N >= 6) for N of variance 4 / 0.9, as a tenth of rho is for the number of groups.
    const low = plan({
      releases: [0, 1, 2].map((vector) => gaussian(vector, "4", "500000")),
      threshold: { release: 1, minimum: "6" },
      floor: { release: 1, minimum: 0 },
    });
    const table = tableOf((x) => Math.exp((-9 * x * x) / 80), -40, 40);
    const tail = [...table].filter(([x]) => x >= 5).reduce((sum, [, p]) => sum + p, 0);
    const groups = Array.from({ length: 4_000 }, (_, i) => [String(i), "no"]);
    const vectors = [1n, 1n, 100n].map((each) => groups.map(() => each));
    const shown = [1, 2, 3].map(
      (seed) => releaseAnswer({ groups, vectors }, low, seededRandomness(seed)).groups!.length,
    );
    const [mean, deviation] = [12_000 * tail, Math.sqrt(12_000 * tail)];
    expect(shown.reduce((a, b) => a + b)).to.be.within(mean - 5 * deviation, mean + 5 * deviation);
  });

  it("draw no more than the noise of their people unless they are named", () => {
    const drawn = (groups: number) => {
      const { source, drawn } = counted(seededRandomness(9));
      const labels = Array.from({ length: groups }, (_, i) => [`p${i}`, "no"]);
      const vectors = [0n, -1_000n, 0n].map((value) => labels.map(() => value));
      expect(releaseAnswer({ groups: labels, vectors }, plan(), source).groups).to.deep.equal([]);
      return drawn.bytes;
    };
    const people = counted(seededRandomness(9));
    const alone = planOf({
      keys: [openKey()],
      vectors: [persons],
      releases: [gaussian(0, "25", "500000")],
      threshold: { release: 0, minimum: String(tau) },
    });
    const labels = Array.from({ length: 500 }, (_, i) => [`p${i}`]);
    releaseAnswer({ groups: labels, vectors: [labels.map(() => -1_000n)] }, alone, people.source);
    expect(drawn(500)).to.equal(people.drawn.bytes);
  });

  it("are all left out where there are too many by a noisy number of them, so that no one group decides it", () => {
    // One person in three groups.
    const few = plan({ releases: [0, 1, 2].map((vector) => gaussian(vector, "3", "500000")) });
    const limit = Number(openGroupsLimit(few));
    expect(limit).to.be.within(openGroupsMax - 200, openGroupsMax - 20);
    const variance = 9 / (2 * 0.05);
    const share = (groups: number, runs: number) => {
      const random = seededRandomness(groups);
      return Array.from({ length: runs }, () => hasRoomForGroups(groups, few, random)).filter(Boolean).length;
    };
    // Half of the time at the limit, and five in six a standard deviation below it.
    expect(share(limit, 2_000)).to.be.within(900, 1_150);
    expect(share(limit - Math.round(Math.sqrt(variance)), 2_000)).to.be.within(1_600, 1_800);
    // Where the engine would fail, noise says so, too.
    expect(share(openGroupsMax - 2, 2_000)).to.equal(0);
    const answered = (groups: number) => {
      const labels = Array.from({ length: groups }, (_, i) => [`p${i}`, "no"]);
      const vectors = few.vectors.map(() => labels.map(() => 1_000n));
      return releaseAnswer({ groups: labels, vectors }, few, seededRandomness(3)).groups!.length > 0;
    };
    expect([answered(100), answered(openGroupsMax)]).to.deep.equal([true, false]);
  });

  it("are left out where a label is none of the key's, as failing would tell of it", () => {
    const groups = [
      ["fine", "no"],
      ["\ud800", "no"],
      ["fine", "perhaps"],
      ["x".repeat(300), "yes"],
    ];
    const vectors = plan().vectors.map(() => groups.map(() => 1_000n));
    const released = releaseAnswer({ groups, vectors }, plan(), seededRandomness(2));
    expect(released.groups).to.deep.equal([["fine", "no"]]);
    expect(released.values.map((values) => values.length)).to.deep.equal([1, 1, 1]);
  });

  it("are at most as many as an answer has room for, those with the most people", () => {
    const wide = plan({
      vectors: [count, persons, { ...wageBuckets, buckets: 2_000 }],
      releases: [0, 1, 2].map((vector) => gaussian(vector, "1", "500000")),
    });
    const most = shownGroupsMax(wide);
    expect(most).to.be.within(5, 10);
    const groups = Array.from({ length: 20 }, (_, i) => [`g${i}`, "no"]);
    const vectors = [
      groups.map(() => 500n),
      groups.map((_, i) => BigInt(100 + 50 * i)),
      new Array<bigint>(20 * cellsOf(wide.vectors[2]!)).fill(1n),
    ];
    const released = releaseAnswer({ groups, vectors }, wide, seededRandomness(2));
    expect(released.groups!.map(([label]) => label)).to.deep.equal(
      groups
        .slice(20 - most)
        .map(([label]) => label!)
        .toSorted(),
    );
    expect(released.values.flat().length).to.be.at.most(cellsMax);
    checkAnswer(wide, releasedAnswerSchema.parse(released));
  });
});
