/** What every PlanEngine does for a dataset that needs consent: the integers of the reference interpreter over those alone who take part. */
import { expect } from "chai";
import fc from "fast-check";
import { takesPartBy } from "../../node/data-sharing/consent/person-hash.ts";
import { executePlan, type PersonRow } from "../../node/data-sharing/plan/evaluate.ts";
import type { Plan } from "../../node/data-sharing/plan/plan.ts";
import type { PeopleFilter } from "../../node/data-sharing/ports.ts";
import { expectCode } from "../support/errors.ts";
import {
  byRegion,
  column,
  type DataUnderTest,
  joinedManifest,
  limits,
  loadTables,
  manifestOf,
  planOf,
  row,
  rowCount,
  sumOf,
  texts,
} from "./data-files.ts";
import { anyPlan, anyTables } from "./plan-arbitraries.ts";
import { inOrder } from "./plan-engine.ts";

export interface ConsentingDataUnderTest extends DataUnderTest {
  /** The keyed hash by which this repository knows a person of the dataset "visits". */
  hashOf(): Promise<(person: string) => Uint8Array>;
}

const research = "dpv:ResearchAndDevelopment";
const plans: Plan[] = [
  planOf([rowCount]),
  planOf([rowCount, sumOf(column("age"), 0n, 120n, 60n)], { keys: byRegion }),
  planOf([rowCount, sumOf(column("cost"), -100n, 900n)], {
    filter: { kind: "compare", operator: "<", left: column("age"), right: { kind: "constant", value: "50" } },
  }),
];

export function testConsentingEngine(
  create: () => Promise<ConsentingDataUnderTest> | ConsentingDataUnderTest,
): void {
  let data: ConsentingDataUnderTest;
  let hashOf: (person: string) => Uint8Array;
  const rows = Array.from({ length: 240 }, (_, at): PersonRow => {
    const region = at % 5 === 4 ? null : BigInt(at % 5);
    return row(`p${at % 80}`, { region, age: BigInt(at % 100), cost: BigInt(at) });
  });
  const everybody = Array.from({ length: 80 }, (_, at) => `p${at}`);

  before(async () => {
    data = await create();
    await load(rows);
    hashOf = await data.hashOf();
  });
  after(() => data.dispose());

  async function load(all: readonly PersonRow[]): Promise<void> {
    await loadTables(data, manifestOf({ consent: "required" }), { visits: all });
  }
  /** Enrolled in this order; live, as the daemon's is. */
  function filterOf(
    enrolled: readonly string[],
    consenting: ReadonlySet<string>,
    purpose = research,
  ): PeopleFilter {
    return {
      purpose,
      hashes: () => Buffer.concat(enrolled.map(hashOf)),
      takingPart: () => {
        const bits = new Uint8Array((enrolled.length + 7) >> 3);
        enrolled.forEach((name, i) => {
          if (consenting.has(name)) bits[i >> 3]! |= 1 << (i & 7);
        });
        return bits;
      },
    };
  }
  const run = async (plan: Plan, people: PeopleFilter) =>
    (await data.engine.execute("visits", plan, limits, people)).vectors;
  const expected = (plan: Plan, people: PeopleFilter) => {
    const takesPart = takesPartBy(people);
    return executePlan(rows, plan, { takesPart: (person) => takesPart(hashOf(person)) }).vectors;
  };

  it("answers over nobody with zeros, whether nobody is enrolled or nobody consents", async () => {
    for (const people of [filterOf([], new Set(everybody)), filterOf(everybody, new Set())]) {
      expect(await run(plans[0]!, people)).to.deep.equal([[0n]]);
      expect(await run(plans[1]!, people)).to.deep.equal([
        [0n, 0n, 0n, 0n],
        [0n, 0n, 0n, 0n],
      ]);
    }
  });

  it("answers over everybody as if no consent were needed", async () => {
    for (const plan of plans) {
      const people = filterOf(everybody, new Set(everybody));
      expect(await run(plan, people)).to.deep.equal(executePlan(rows, plan).vectors);
    }
  });

  it("gives equal integers for any people, one question after the other", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.subarray(everybody), fc.constantFrom(research, "dpv:Marketing"), fc.nat(2)), {
          minLength: 1,
          maxLength: 5,
        }),
        async (questions) => {
          for (const [consenting, purpose, at] of questions) {
            const people = filterOf(everybody, new Set(consenting), purpose);
            expect(await run(plans[at]!, people)).to.deep.equal(expected(plans[at]!, people));
          }
        },
      ),
      { numRuns: 15 },
    ));

  describe("over several tables", () => {
    const several = fc.sample(anyTables(50, { visits: 5, patients: 1, drugs: 3 }), {
      numRuns: 1,
      seed: 11,
    })[0]!;
    const names = [...new Set(Object.values(several).flatMap((table) => table.map(({ person }) => person)))];
    // Numbers stay with their persons.
    const enrolled = [...new Set([...everybody, ...names])];
    before(() => loadTables(data, joinedManifest({ consent: "required" }), several));
    after(() => load(rows));

    it("tells who is in none of them", async () => {
      expect(await missing(...names)).to.equal(0);
      expect(await missing(...names, "nobody")).to.equal(1);
    });

    it("gives equal integers for any plan and any people", () =>
      fc.assert(
        fc.asyncProperty(anyPlan(true), fc.subarray(names), async (plan, consenting) => {
          const people = filterOf(enrolled, new Set(consenting));
          const takesPart = (person: string) => consenting.includes(person);
          expect(inOrder(plan, await data.engine.execute("visits", plan, limits, people))).to.deep.equal(
            inOrder(plan, executePlan(several, plan, { texts, takesPart })),
          );
        }),
        { numRuns: 100 },
      ));
  });

  it("asks who takes part when the plan starts, not before it waits for its turn", async () => {
    const consenting = new Set(everybody);
    const people = filterOf(everybody, consenting);
    const before = Array.from({ length: 12 }, () => run(plans[0]!, people));
    consenting.clear();
    const after = await run(plans[0]!, people);
    await Promise.all(before);
    expect(after).to.deep.equal([[0n]]);
  });

  it("knows people again after another import", async () => {
    const people = filterOf(everybody, new Set(["p3", "p7"]));
    const first = await run(plans[0]!, people);
    await load([...rows].reverse());
    expect(await run(plans[0]!, people)).to.deep.equal(first);
    expect(first).to.deep.equal([[6n]]);
    await load(rows);
  });

  const missing = (...people: string[]) => data.store.countPeopleMissing("visits", new Set(people));

  it("tells the custodian how many of some people are not in the data", async () => {
    expect(await missing()).to.equal(0);
    expect(await missing(...everybody)).to.equal(0);
    expect(await missing("p3", "nobody", "P3", "p3 ", "p79", "")).to.equal(4);
    await load(rows.slice(0, 10));
    expect(await missing("p3", "p79")).to.equal(1);
    await load(rows);
    await expectCode(() => data.store.countPeopleMissing("nothing", new Set(["p3"])), "dataset_unknown");
  });

  it("never runs without saying who takes part, nor says it where it is not needed", async () => {
    await expectCode(() => data.engine.execute("visits", plans[0]!, limits), "engine_failed");
    const people = filterOf(everybody, new Set(everybody));
    await loadTables(data, manifestOf(), { visits: rows });
    await expectCode(() => data.engine.execute("visits", plans[0]!, limits, people), "engine_failed");
    await load(rows);
    expect(await run(plans[0]!, people)).to.deep.equal(executePlan(rows, plans[0]!).vectors);
  });
}
