import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { consentCountsLoop, readConsentCounts } from "../../node/consent-counts.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { datasetManifest, research } from "../support/repository-world.ts";

describe("the custodian's counts of consent", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "itd-counts-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function counted(consent: "required" | "not-required", count: () => number): Promise<unknown[]> {
    const stop = new AbortController();
    const problems: unknown[] = [];
    const clock = new ManualClock();
    // One turn, then the end.
    const once = { nowMs: () => clock.nowMs(), sleep: async () => stop.abort() };
    const people = {
      counts: (_dataset: string, purposes: readonly string[]) => ({
        enrolled: 9,
        consenting: Object.fromEntries(purposes.map((purpose) => [purpose, count()])),
      }),
    };
    const datasets = { manifests: () => [datasetManifest({ consent })] };
    const onProblem = (error: unknown) => problems.push(error);
    await consentCountsLoop(folder, { clock: once, datasets, people, onProblem }, stop.signal);
    return problems;
  }

  it("are written for the owner of the folder alone, and read again", async () => {
    expect(readConsentCounts(folder)).to.equal(undefined);
    await counted("required", () => 4);
    expect(readConsentCounts(folder)!.datasets).to.deep.equal({
      wages: { enrolled: 9, consenting: { [research]: 4 } },
    });
    expect(statSync(join(folder, "consent-counts.json")).mode & 0o777).to.equal(0o600);
  });

  it("are of datasets that need consent only", async () => {
    await counted("not-required", () => 4);
    expect(readConsentCounts(folder)).to.equal(undefined);
  });

  it("do not end the daemon when they cannot be made, nor mislead when they are damaged", async () => {
    const problems = await counted("required", () => {
      throw new Error("no");
    });
    expect(problems).to.have.length(1);
    const file = join(folder, "consent-counts.json");
    for (const text of ["", "{", '{"timeS":1}', "[]"]) {
      writeFileSync(file, text);
      expect(readConsentCounts(folder)).to.equal(undefined);
      expect(readFileSync(file, "utf8")).to.equal(text);
    }
  });
});
