// A repository that is killed while it is asked. The same with 200 questions: test/soak/crash-repository.ts.
import { expect } from "chai";
import { runCrashTrial } from "../support/crash-trial.ts";

describe("a repository that is killed five times while 60 questions are asked", function () {
  this.timeout(180_000);

  it("answers, charges and anchors each of them once", async () => {
    const report = await runCrashTrial({ questions: 60, kills: 5, clients: 4 });
    expect(report).to.include({ questions: 60, refused: 0, kills: 5 });
    expect(report.charged).to.be.within(54, 60);
  });
});
