import fc from "fast-check";
import { executePlan } from "../../../../node/data-sharing/plan/evaluate.ts";
import { texts } from "../../../ports/data-files.ts";
import { anyTables } from "../../../ports/plan-arbitraries.ts";
import { testSensitivity } from "../../../ports/plan-sensitivity.ts";

describe("the sensitivity of a plan's vectors", () => {
  describe("in the reference interpreter", () => {
    const people = 20;
    const most = { visits: 9, patients: 2, drugs: 6 };
    const rows = fc.sample(anyTables(people, most), { numRuns: 1, seed: 9 })[0]!;

    testSensitivity(
      async (plan, who) => {
        const takesPart = (person: string) =>
          who === null || ("only" in who ? person === `p${who.only}` : person !== `p${who.without}`);
        return executePlan(rows, plan, { takesPart, texts });
      },
      people,
      200,
    );
  });
});
