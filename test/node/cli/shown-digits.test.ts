import { expect } from "chai";
import fc from "fast-check";
import { shownDigits } from "../../../node/cli/shown-digits.ts";
import { formatDecimal } from "../../../node/data-sharing/manifests/grid.ts";

describe("digits that are shown", () => {
  const cases: [string, string, string, string][] = [
    ["1234.5678", "3.7", "1235", "4"],
    ["8.6053", "0.5114", "8.6", "0.6"],
    ["10.6615", "1.4787", "10.7", "1.5"],
    ["10.6615", "0.3500", "10.66", "0.35"],
    ["10.6615", "0.3501", "10.7", "0.4"],
    ["1.0042", "0.0097", "1.004", "0.010"],
    ["440", "4", "440", "4"],
    ["440", "2", "440", "2"],
    ["1234", "45", "1230", "50"],
    ["1234567.89", "123456.78", "1230000", "130000"],
    ["-1250.5", "99.9", "-1250", "100"],
    ["-1255", "40", "-1260", "40"],
    ["3", "5000", "0", "5000"],
    ["-0.04", "0.40", "0.0", "0.4"],
    ["12.3456", "0.0000", "12.3456", "0.0000"],
    ["12.3456", "0.0001", "12.3456", "0.0001"],
    ["7", "0.25", "7.00", "0.25"],
  ];
  for (const [value, margin, shownValue, shownMargin] of cases)
    it(`of ${value} ± ${margin} are ${shownValue} ± ${shownMargin}`, () => {
      expect(shownDigits(value, margin)).to.deep.equal({ value: shownValue, margin: shownMargin });
    });

  it("never make a margin smaller, nor larger by more than a quarter, nor move a number by more than half of it", () => {
    const steps = fc.bigInt(-(10n ** 20n), 10n ** 20n);
    fc.assert(
      fc.property(steps, fc.bigInt(1n, 10n ** 20n), fc.nat(12), (value, margin, scale) => {
        const shown = shownDigits(formatDecimal(value, scale), formatDecimal(margin, scale));
        const stepsOf = (text: string) => {
          const [whole, fraction = ""] = text.split(".") as [string, string?];
          return BigInt(whole + fraction.padEnd(scale, "0"));
        };
        const [shownValue, shownMargin] = [stepsOf(shown.value), stepsOf(shown.margin)];
        expect(shownMargin >= margin && shownMargin * 4n <= margin * 5n).to.equal(true);
        const moved = shownValue - value;
        expect((moved < 0n ? -moved : moved) * 2n <= shownMargin).to.equal(true);
        expect(shown.value).to.not.match(/^-0(?:\.0*)?$/);
      }),
    );
  });
});
