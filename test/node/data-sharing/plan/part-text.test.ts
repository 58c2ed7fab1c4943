import { expect } from "chai";
import fc from "fast-check";
import { partText } from "../../../../node/data-sharing/plan/part-text.ts";
import { canonicalJson } from "../../../../node/primitives/canonical-json.ts";

describe("the text of a part of a plan", () => {
  it("is its canonical JSON, also of parts inside of others", () => {
    const text = fc.string({ unit: "grapheme" });
    const { part } = fc.letrec<{ part: object; value: unknown }>((tie) => ({
      value: fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), tie("part")),
      part: fc.oneof(
        { maxDepth: 4 },
        fc.dictionary(text, fc.oneof(text, fc.integer())),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(text, tie("value"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(part, (one) => {
        const shared = { kind: "add", operands: [one, { kind: "not", operand: one }, one] };
        expect(partText(one)).to.equal(canonicalJson(one));
        expect(partText(shared)).to.equal(canonicalJson(shared));
      }),
    );
  });
});
