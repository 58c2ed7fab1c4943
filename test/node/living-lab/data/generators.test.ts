import { expect } from "chai";
import fc from "fast-check";
import { peopleMax, writeCsv } from "../../../../node/living-lab/data/csv.ts";
import { SeededRandom, weightsOf } from "../../../../node/living-lab/data/seeded-random.ts";
import { generateTrips, modes, tripsPerPersonMax } from "../../../../node/living-lab/data/trips.ts";
import { generateVisits, visitsPerPersonMax } from "../../../../node/living-lab/data/visits.ts";
import { recordsOf } from "../support/table.ts";

const generators = {
  trips: { generate: generateTrips, rowsMax: tripsPerPersonMax },
  visits: { generate: generateVisits, rowsMax: visitsPerPersonMax },
};

for (const [name, { generate, rowsMax }] of Object.entries(generators))
  describe(`the generator of ${name}`, () => {
    it("gives the same lines for the same seed and others for another", () => {
      fc.assert(
        fc.property(fc.string(), fc.string(), fc.integer({ min: 20, max: 60 }), (seed, other, people) => {
          const lines = [...generate(people, seed)];
          expect([...generate(people, seed)]).to.deep.equal(lines);
          if (other !== seed) expect([...generate(people, other)]).to.not.deep.equal(lines);
        }),
        { numRuns: 30 },
      );
    });

    it("gives the same first people however many follow", () => {
      const few = [...generate(50, "seed")];
      expect([...generate(200, "seed")].slice(0, few.length)).to.deep.equal(few);
    });

    it("gives every person from one row to the declared most, side by side", () => {
      const people = [...Map.groupBy(recordsOf(generate(3_000, "seed")), ({ person }) => person)];
      expect(people).to.have.length(3_000);
      for (const [, rows] of people) expect(rows.length).to.be.within(1, rowsMax);
      const order = recordsOf(generate(3_000, "seed")).map(({ person }) => person!);
      expect(order).to.deep.equal([...order].sort());
    });

    it("stops on a number of people that nobody should have let through", () => {
      for (const people of [0, -1, 1.5, peopleMax + 1, Number.NaN])
        expect(() => [...generate(people, "seed")]).to.throw("broken expectation");
    });
  });

describe("the shape of made-up data", () => {
  const trips = recordsOf(generateTrips(5_000, "shape"));
  const visits = recordsOf(generateVisits(5_000, "shape"));
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

  it("has rush hours on weekdays, and none at weekends", () => {
    const at = (day: string, hour: string) =>
      trips.filter((trip) => trip.day_type === day && trip.hour === hour).length;
    expect(at("weekday", "8")).to.be.greaterThan(2 * at("weekday", "10"));
    expect(at("weekday", "17")).to.be.greaterThan(2 * at("weekday", "20"));
    expect(at("weekend", "8")).to.be.lessThan(at("weekend", "11"));
  });

  it("has short walks and long train rides", () => {
    const length = (mode: string) =>
      mean(trips.filter((trip) => trip.mode === mode).map(({ distance_km }) => Number(distance_km)));
    const lengths = ["walk", "bicycle", "bus", "car", "train"].map(length);
    expect(lengths).to.deep.equal([...lengths].sort((a, b) => a - b));
    expect(modes).to.have.members(["walk", "bicycle", "bus", "car", "train"]);
  });

  it("lets the old come more often and stay longer", () => {
    const young = visits.filter(({ age }) => Number(age) >= 20 && Number(age) < 40);
    const old = visits.filter(({ age }) => Number(age) >= 70);
    const stay = (rows: typeof visits) => mean(rows.map(({ stay_days }) => Number(stay_days)));
    const often = (rows: typeof visits) => rows.length / new Set(rows.map(({ person }) => person)).size;
    expect(stay(old)).to.be.greaterThan(1.5 * stay(young));
    expect(often(old)).to.be.greaterThan(1.2 * often(young));
  });

  it("sends children to paediatrics only, and only women of childbearing age to maternity", () => {
    for (const { department, age, sex } of visits) {
      if (department === "paediatrics") expect(Number(age)).to.be.below(16);
      if (department === "geriatrics") expect(Number(age)).to.be.at.least(70);
      if (department === "maternity")
        expect([sex, Number(age) >= 18 && Number(age) < 45]).to.deep.equal(["female", true]);
    }
  });

  it("keeps one person's age and sex the same at every visit", () => {
    for (const rows of Map.groupBy(visits, ({ person }) => person).values())
      expect(new Set(rows.map(({ age, sex }) => `${age} ${sex}`)).size).to.equal(1);
  });
});

describe("numbers from a seed", () => {
  it("never change: data that others made from the same seed stays comparable", () => {
    const random = new SeededRandom("living-lab");
    expect(Array.from({ length: 4 }, () => random.integer(0, 999_999))).to.deep.equal([
      346_870, 99_454, 530_619, 512_669,
    ]);
  });

  it("are spread as the weights say", () => {
    const random = new SeededRandom("weights");
    const weights = weightsOf([1, 0, 2, 7]);
    const counts = [0, 0, 0, 0];
    for (let draw = 0; draw < 10_000; draw++) counts[random.weighted(weights)]!++;
    expect(counts[1]).to.equal(0);
    for (const [place, share] of [0.1, 0, 0.2, 0.7].entries())
      expect(counts[place]! / 10_000).to.be.closeTo(share, 0.02);
  });

  it("lie in [0, 1), around one half and with the mean that is asked for", () => {
    const random = new SeededRandom("uniform");
    const draws = Array.from({ length: 20_000 }, () => random.fraction());
    expect(draws.every((draw) => draw >= 0 && draw < 1)).to.equal(true);
    expect(draws.reduce((a, b) => a + b, 0) / draws.length).to.be.closeTo(0.5, 0.01);
    const waits = Array.from({ length: 20_000 }, () => random.exponential(4));
    expect(waits.reduce((a, b) => a + b, 0) / waits.length).to.be.closeTo(4, 0.15);
  });
});

describe("writing CSV", () => {
  it("hands on whole lines in few pieces, one after the other", async () => {
    const pieces: string[] = [];
    let open = 0;
    const count = await writeCsv(generateTrips(2_000, "seed"), async (text) => {
      expect(++open).to.equal(1);
      await new Promise((resolve) => setImmediate(resolve));
      pieces.push(text);
      open--;
    });
    const lines = [...generateTrips(2_000, "seed")];
    expect(count).to.equal(lines.length);
    expect(pieces.join("")).to.equal(`${lines.join("\n")}\n`);
    expect(pieces.length).to.be.within(2, 20);
    expect(pieces.every((piece) => piece.endsWith("\n"))).to.equal(true);
  });

  it("passes on what the writer fails with", async () => {
    let failed: unknown;
    await writeCsv(["a", "b"], () => Promise.reject(new Error("disk full"))).catch((error) => {
      failed = error;
    });
    expect(String(failed)).to.include("disk full");
  });
});
