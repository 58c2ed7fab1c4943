/**
 * How far one person moves an answer, for random questions of the whole subset over people with more rows than may take part: never further
 * than the noise is measured for, and nobody else's part in it changes.
 */
import { expect } from "chai";
import { quantileScores } from "../../../../node/data-sharing/mechanisms/quantile-scores.ts";
import { executePlan } from "../../../../node/data-sharing/plan/evaluate.ts";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import { cellsOf, type Plan, type Release } from "../../../../node/data-sharing/plan/plan.ts";
import { TrustedDataError } from "../../../../node/errors.ts";
import { type ClinicTables, clinic, randomTables } from "./random/clinic.ts";
import { clinicPlan } from "./random/clinic-plan.ts";
import { Draw } from "./random/draw.ts";
import { Questions } from "./random/questions.ts";

const [chunks, questionsOfEach] = [5, 60];

/** The cells of each vector by group, however the answer numbers its groups. */
type Cells = Map<string, bigint[]>[];

function cellsBy(plan: Plan, tables: ClinicTables): Cells {
  const { groups, vectors } = executePlan(tables, plan);
  return plan.vectors.map((vector, at) => {
    const cells = cellsOf(vector);
    const values = vectors[at]!;
    return new Map(
      Array.from({ length: values.length / cells }, (_, group) => [
        groups === null ? String(group) : JSON.stringify(groups[group]),
        values.slice(group * cells, (group + 1) * cells),
      ]),
    );
  });
}

function only(tables: ClinicTables, takesPart: (person: string) => boolean): ClinicTables {
  return Object.fromEntries(
    Object.entries(tables).map(([name, rows]) => [name, rows.filter(({ person }) => takesPart(person))]),
  );
}

/** The square of how far the release moves between two neighbours: its cells, or the scores by which it chooses. */
function movedSquared(plan: Plan, release: Release, all: Cells, without: Cells): bigint {
  const [one, other] = [all[release.vector]!, without[release.vector]!];
  const zeros = new Array<bigint>(cellsOf(plan.vectors[release.vector]!)).fill(0n);
  return [...one].reduce((sum, [group, cells]) => {
    const before = other.get(group) ?? zeros;
    if (release.mechanism === "gaussian")
      return sum + cells.reduce((moved, cell, at) => moved + (cell - before[at]!) ** 2n, 0n);
    const quantile = {
      numerator: BigInt(release.quantile.numerator),
      denominator: BigInt(release.quantile.denominator),
    };
    const [scores, scoresBefore] = [cells, before].map((counts) =>
      quantileScores(counts, quantile, BigInt(release.offset)),
    ) as [bigint[], bigint[]];
    const most = scores
      .map((score, at) => score - scoresBefore[at]!)
      .map((moved) => (moved < 0n ? -moved : moved))
      .reduce((a, b) => (a > b ? a : b));
    return sum + most ** 2n;
  }, 0n);
}

function allowedSquared(release: Release): bigint {
  return release.mechanism === "gaussian"
    ? BigInt(release.sensitivitySquared)
    : BigInt(release.sensitivity) ** 2n;
}

function checkPerson(plan: Plan, tables: ClinicTables, person: string): bigint[] {
  const all = cellsBy(plan, tables);
  const without = cellsBy(
    plan,
    only(tables, (other) => other !== person),
  );
  const alone = cellsBy(
    plan,
    only(tables, (other) => other === person),
  );
  for (const [at, vector] of all.entries()) {
    for (const [group, cells] of vector) {
      const rest = without[at]!.get(group);
      const own = alone[at]!.get(group);
      expect(cells, `the others' part of vector ${at} in ${group}`).to.deep.equal(
        cells.map((_, cell) => (rest?.[cell] ?? 0n) + (own?.[cell] ?? 0n)),
      );
    }
  }
  return plan.releases.map((release, at) => {
    const moved = movedSquared(plan, release, all, without);
    expect(moved <= allowedSquared(release), `release ${at} moves by the root of ${moved}`).to.equal(true);
    return moved;
  });
}

describe("the privacy unit", () => {
  before(loadSqlParser);

  for (let chunk = 0; chunk < chunks; chunk++) {
    it(`moves no release further than its sensitivity, questions ${chunk}`, () => {
      let reached = 0;
      for (let seed = chunk * 1_000 + 500_000; seed < chunk * 1_000 + 500_000 + questionsOfEach; seed++) {
        const draw = new Draw(seed);
        const { sql } = new Questions(new Draw(seed + 1), draw).question();
        const bounding = draw.chance(0.6)
          ? { rowsPerGroup: draw.between(1, 4), groups: draw.between(1, 4) }
          : undefined;
        let plan: Plan;
        try {
          plan = clinicPlan(sql, bounding === undefined ? {} : { bounding });
        } catch (error) {
          expect(error, sql).to.be.instanceOf(TrustedDataError);
          continue;
        }
        for (let sample = 0; sample < 3; sample++) {
          const tables = randomTables(draw, 3, sample === 0 ? 3 : 5);
          try {
            const moved = checkPerson(plan, tables, "p1");
            if (moved.some((square, at) => square === allowedSquared(plan.releases[at]!))) reached++;
          } catch (error) {
            throw new Error(
              `seed ${seed}: ${(error as Error).message}\n${sql}\n${JSON.stringify(bounding)}`,
              {
                cause: error,
              },
            );
          }
        }
      }
      // Random people seldom do their worst, but some do.
      expect(reached).to.be.greaterThan(0);
    });
  }
});

describe("the sensitivity of a release", () => {
  before(loadSqlParser);

  /** A person's rows of visits, five of them where three may take part, and as many of patients. */
  const worst = (visit: Record<string, bigint>, patient: Record<string, bigint> = {}): ClinicTables => {
    const draw = new Draw(1);
    const tables = randomTables(draw, 1, 0);
    const plain = (columns: Record<string, bigint>, table: "visits" | "patients") =>
      Array.from({ length: 5 }, () => ({ person: "p1", columns: { ...defaults[table], ...columns } }));
    return { ...tables, visits: plain(visit, "visits"), patients: plain(patient, "patients") };
  };
  const defaults = {
    visits: { region: 0n, cost: 0n, age: 0n, delta: 0n, day: 18_260n, icd: 1n, acute: 0n, ward: 0n },
    patients: { sex: 0n, born: 11_000n, age: 0n, weight: 0n, member: 0n },
  };
  const oneRow = { ...clinic, rowsPerPerson: 1 };

  const tight: [string, string, ClinicTables, object?][] = [
    ["of a count", "SELECT COUNT(*) AS n FROM visits", worst({})],
    ["of persons", "SELECT COUNT(DISTINCT person) AS n FROM visits", worst({})],
    ["of a sum", "SELECT SUM(age) AS s FROM visits", worst({ age: 6n })],
    ["of a sum below zero", "SELECT SUM(-age) AS s FROM visits", worst({ age: 6n })],
    ["of an average", "SELECT AVG(age) AS s FROM visits", worst({ age: 6n })],
    ["of a variance", "SELECT VARIANCE(age) AS s FROM visits", worst({ age: 0n })],
    ["of a histogram", "SELECT HISTOGRAM(age, 0, 6, 3) AS s FROM visits", worst({ age: 6n })],
    ["of a median", "SELECT MEDIAN(age) AS s FROM visits", worst({ age: 6n })],
    [
      "of a join of two tables",
      "SELECT COUNT(*) AS n, SUM(v.age) AS s FROM visits v JOIN patients p USING (person)",
      worst({ age: 6n }),
    ],
    [
      "of a table joined with itself",
      "SELECT COUNT(*) AS n, SUM(v.age * w.age) AS s FROM visits v JOIN visits w USING (person)",
      worst({ age: 6n }),
    ],
    [
      "of a public table with several rows of a key",
      "SELECT COUNT(*) AS n, SUM(v.age) AS s FROM visits v JOIN districts d USING (region)",
      worst({ age: 6n }),
    ],
    [
      "of two public tables",
      "SELECT COUNT(*) AS n FROM visits v JOIN districts d USING (region) JOIN holidays h ON v.day = h.day",
      worst({ day: 18_267n }),
    ],
    [
      "of one row a person",
      "SELECT COUNT(*) AS n, SUM(c) AS s FROM (SELECT person, SUM(age) AS c FROM visits GROUP BY person) p",
      worst({ age: 6n }),
    ],
    [
      "of one row a person joined again",
      "SELECT COUNT(*) AS n, SUM(c) AS s FROM (SELECT person, SUM(age) AS c FROM visits GROUP BY person) p JOIN patients q USING (person)",
      worst({ age: 6n }),
    ],
    [
      "of one row a person under another",
      "SELECT SUM(d) AS s FROM (SELECT person, SUM(c) AS d FROM (SELECT person, SUM(age) AS c FROM visits GROUP BY person) p JOIN patients q USING (person) GROUP BY person) r",
      worst({ age: 6n }),
    ],
    [
      "of rows bounded in the query",
      "SELECT COUNT(*) AS n, SUM(age) AS s FROM visits GROUP BY region",
      worst({ age: 6n }),
      { bounding: { rowsPerGroup: 2, groups: 1 } },
    ],
  ];
  for (const [name, sql, tables, more] of tight)
    it(`is reached, so that no noise is wasted: ${name}`, () => {
      const plan = clinicPlan(sql, more ?? {});
      expect(checkPerson(plan, tables, "p1")).to.deep.equal(plan.releases.map(allowedSquared));
    });

  it("is reached by a person in as many groups as there may be", () => {
    const plan = clinicPlan("SELECT COUNT(DISTINCT person) AS n FROM visits GROUP BY delta", {
      bounding: { rowsPerGroup: 1, groups: 2 },
    });
    const rows = [0n, 1n, 2n, 3n].map((delta) => ({ person: "p1", columns: { ...defaults.visits, delta } }));
    expect(checkPerson(plan, { visits: rows }, "p1")).to.deep.equal([2n]);
    const declared = clinicPlan("SELECT COUNT(DISTINCT person) AS n FROM visits GROUP BY acute");
    expect(declared.releases[0]).to.include({ sensitivitySquared: "2" });
  });

  it("is that of one row where a person has one, whatever the algorithm bounds", () => {
    const plan = clinicPlan(
      "SELECT COUNT(DISTINCT person) AS n, SUM(age) AS s FROM visits",
      { bounding: { rowsPerGroup: 3, groups: 2 } },
      oneRow,
    );
    expect(plan.bounding).to.deep.equal({ kind: "stored" });
    expect(plan.releases.map(allowedSquared)).to.deep.equal([1n, 36n]);
  });
});
