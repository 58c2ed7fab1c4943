import { readFileSync } from "node:fs";
import { expect } from "chai";
import { attacks } from "../attacks.ts";
import { patched } from "./bad-build.ts";
import { badBuilds } from "./builds.ts";

describe("bad builds", () => {
  for (const { name, patches, caughtBy } of badBuilds) {
    it(`still find what they break: ${name}`, () => {
      const sources = new Map<string, string>();
      for (const patch of patches) {
        const source = sources.get(patch.file) ?? readFileSync(patch.file, "utf8");
        sources.set(patch.file, patched(source, patch));
        expect(sources.get(patch.file)).to.not.equal(source);
      }
      expect(caughtBy).to.not.deep.equal([]);
      for (const attack of caughtBy) expect(attacks.map((one) => one.name)).to.include(attack);
    });
  }

  it("do not start where the text is not there, or there twice", () => {
    const patch = { file: "x.ts", search: "a", replace: "b" };
    expect(() => patched("c", patch)).to.throw("0 times");
    expect(() => patched("aca", patch)).to.throw("2 times");
  });

  it("have names of their own", () => {
    const names = badBuilds.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
  });
});
