import { expect } from "chai";
import { HourlyLimit } from "../../../node/data-sharing/hourly-limit.ts";

describe("an hourly limit", () => {
  it("lets so many through for each key, and again after an hour", () => {
    const limit = new HourlyLimit(2);
    const takes = (key: string, nowMs: number) => limit.take(key, nowMs);
    expect(["a", "a", "a", "b", "b", "b"].map((key) => takes(key, 1_000))).to.deep.equal([
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(takes("a", 3_600_999)).to.equal(false);
    expect(takes("a", 3_601_000)).to.equal(true);
    expect(takes("b", 3_601_000)).to.equal(true);
  });

  it("keeps no one out for good when the clock was set back", () => {
    const limit = new HourlyLimit(1);
    limit.take("a", 10_000_000);
    expect(limit.take("a", 1_000)).to.equal(true);
  });
});
