import { expect } from "chai";
import fc from "fast-check";
import { TrustedDataError } from "../../../node/errors.ts";
import { depthMax, parseStrictJson } from "../../../node/primitives/strict-json.ts";

describe("strict JSON", () => {
  it("reads every document that JSON.stringify writes", () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ depthSize: "small", noUnicodeString: false }).filter((value) => {
          const text = JSON.stringify(value);
          return text.isWellFormed() && !text.includes("__proto__") && !/\\u[dD][89a-fA-F]/.test(text);
        }),
        (value) => {
          const text = JSON.stringify(value);
          let parsed: unknown;
          try {
            parsed = parseStrictJson(text);
          } catch (error) {
            return /beyond 2\^53|nested deeper/.test((error as Error).message);
          }
          expect(JSON.stringify(parsed)).to.equal(JSON.stringify(JSON.parse(text)));
          return true;
        },
      ),
    );
  });

  it("never reads what JSON.parse refuses", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'{}[]",:0123456789.eE+-truefalsn\\u \n\u0001') }),
        (text) => {
          let accepted = true;
          try {
            parseStrictJson(text);
          } catch {
            accepted = false;
          }
          if (accepted) JSON.parse(text);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  const refusals: [string, string][] = [
    ['{"epsilon":1,"epsilon":100}', "appears twice"],
    ['{"epsilon":1,"\\u0065psilon":100}', "appears twice"],
    ['{"__proto__":{}}', "__proto__"],
    ["[".repeat(depthMax + 2) + "]".repeat(depthMax + 2), "nested deeper"],
    ["9007199254740993", "beyond 2^53"],
    ["1e400", "too large"],
    ['"\\ud800"', "lone surrogate"],
    ["{} {}", "after the document"],
    ['{"a":1,}', "a key must be a string"],
    ["", "expected a value"],
    ["[1", 'expected "]"'],
    ["tru", "expected a value"],
  ];
  for (const [text, reason] of refusals) {
    it(`refuses ${text.slice(0, 40) || "nothing"} and says why`, () => {
      expect(() => parseStrictJson(text))
        .to.throw(reason)
        .with.property("code", "invalid_json");
    });
  }

  it("reads a string of megabytes, and refuses one that is never closed", () => {
    const long = `${"a".repeat(9_000_000)}\\n`;
    expect((parseStrictJson(`"${long}"`) as string).length).to.equal(9_000_001);
    expect(() => parseStrictJson(`"${long}`)).to.throw(TrustedDataError);
  });
});
