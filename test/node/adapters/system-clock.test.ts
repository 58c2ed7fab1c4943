import { expect } from "chai";
import { systemClock } from "../../../node/adapters/system-clock.ts";

describe("the system clock", () => {
  it("tells the machine's time", () => {
    expect(Math.abs(systemClock.nowMs() - Date.now())).to.be.lessThan(1_000);
  });

  it("sleeps at least as long as told", async () => {
    const from = performance.now();
    await systemClock.sleep(30);
    expect(performance.now() - from).to.be.at.least(28);
  });

  it("wakes with a rejection when it is aborted, before or during the sleep", async () => {
    const abort = new AbortController();
    const sleeping = systemClock.sleep(60_000, abort.signal);
    abort.abort();
    for (const attempt of [sleeping, systemClock.sleep(60_000, abort.signal)]) {
      const error = await attempt.catch((reason: Error) => reason);
      expect(error).to.have.property("name", "AbortError");
    }
  });
});
