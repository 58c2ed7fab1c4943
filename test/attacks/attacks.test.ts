// The fast form of `npm run attack`: the product holds against every attack, and every bad build is caught by the cheapest that can.
import { expect } from "chai";
import { attacks } from "./attacks.ts";
import { badBuilds } from "./bad-builds/builds.ts";
import { runSuite, type SuiteReport } from "./suite.ts";

describe("attacks from outside", function () {
  // About 220 seconds of CPU: two minutes on two cores, more where they have other things to do.
  this.timeout(600_000);
  let report: SuiteReport;

  before(async () => {
    report = await runSuite({ size: "fast" });
  });

  for (const { name, what } of attacks) {
    it(`learn no more than was charged: ${name}, ${what}`, () => {
      const entry = report.attacks.find(({ attack }) => attack === name)!;
      expect(entry.failure, entry.failure).to.equal(undefined);
      expect(entry.pass, `${entry.figure} of at most ${entry.bound} ${entry.unit}: ${entry.detail}`).to.equal(
        true,
      );
    });
  }

  for (const { name, what, caughtBy } of badBuilds) {
    it(`catch the build ${name}: ${what}`, () => {
      const entry = report.badBuilds.find(({ build }) => build === name)!;
      const found = entry.findings.map(({ failure, detail }) => failure ?? detail).join("; ");
      expect(entry.caughtBy, found).to.deep.equal(caughtBy.slice(0, 1));
    });
  }

  it("say in one word whether all of it held", () => {
    expect(report.pass).to.equal(true);
  });
});
