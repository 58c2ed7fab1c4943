import { readFileSync } from "node:fs";
import { expect } from "chai";
import { renderSettings } from "../../node/settings.ts";
import { configurationDocsPath } from "../../scripts/write-configuration-docs.ts";

describe("docs/configuration.md", () => {
  it("regenerates to the same bytes", () => {
    expect(
      readFileSync(configurationDocsPath, "utf8"),
      "run: npx node scripts/write-configuration-docs.ts",
    ).to.equal(renderSettings());
  });
});
