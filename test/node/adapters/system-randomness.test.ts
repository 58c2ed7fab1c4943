import { expect } from "chai";
import { SystemRandomness } from "../../../node/adapters/system-randomness.ts";

describe("the system's randomness", () => {
  it("gives as many bytes as asked for, from its pool or beyond", () => {
    const randomness = new SystemRandomness();
    for (const count of [0, 1, 7, 256, 257, 4_096, 5_000])
      expect(randomness.bytes(count)).to.have.length(count);
    for (const wrong of [-1, 0.5, Number.NaN]) expect(() => randomness.bytes(wrong)).to.throw("whole number");
  });

  it("gives no byte twice: requests share no memory, and 20,000 of eight bytes are all different", () => {
    const randomness = new SystemRandomness();
    const drawn = Array.from({ length: 20_000 }, () => randomness.bytes(8));
    expect(new Set(drawn.map((bytes) => Buffer.from(bytes).toString("hex"))).size).to.equal(20_000);
    expect(new Set(drawn.map((bytes) => bytes.buffer)).size).to.equal(20_000);
  });

  it("favours no byte (chi-squared over 2^20 bytes in requests of many sizes)", () => {
    const randomness = new SystemRandomness();
    const counts = new Array<number>(256).fill(0);
    let total = 0;
    for (let size = 1; total < 2 ** 20; size = (size % 300) + 1) {
      for (const byte of randomness.bytes(size)) counts[byte]!++;
      total += size;
    }
    const each = total / 256;
    const chiSquared = counts.reduce((sum, count) => sum + (count - each) ** 2 / each, 0);
    // 255 degrees of freedom: mean 255, deviation 22.6; seven deviations either way.
    expect(chiSquared).to.be.within(97, 413);
  });
});
