import { expect } from "chai";
import fc from "fast-check";
import { type BudgetLine, decodeBudgetLines, encodeBudgetLines } from "../../../node/ledger/budget-line.ts";
import { toHex } from "../../../node/primitives/hex.ts";

const line = fc.record<BudgetLine>({
  dataset: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex),
  spent: fc.bigInt(0n, 2n ** 64n - 1n),
  reserved: fc.bigInt(0n, 2n ** 64n - 1n),
});

describe("budget lines", () => {
  it("come back as they went, 48 bytes each", () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
        const text = encodeBudgetLines(lines);
        expect(text.length).to.equal(2 + 96 * lines.length);
        expect(decodeBudgetLines(text)).to.deep.equal(lines);
      }),
    );
  });

  it("are whole or nothing", () => {
    for (const text of ["0x00", `0x${"00".repeat(47)}`, `0x${"AA".repeat(48)}`, "", "0x1"]) {
      expect(decodeBudgetLines(text)).to.equal(undefined);
    }
  });
});
