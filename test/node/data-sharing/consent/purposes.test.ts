import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { dpvPurposes } from "../../../../node/data-sharing/consent/dpv-purposes.ts";
import {
  broaderPurposes,
  commonPurposes,
  isPurpose,
  nearestPurpose,
  permittingPurpose,
  purposeCovers,
  purposeSchema,
} from "../../../../node/data-sharing/consent/purposes.ts";

const terms = Object.keys(dpvPurposes).map((term) => `dpv:${term}`);
const anyTerm = fc.constantFrom(...terms);
const reasonOf = (text: string) => purposeSchema.safeParse(text).error?.issues.map(({ message }) => message);

describe("purposes of the Data Privacy Vocabulary", () => {
  it("are 95 terms, each under terms of the list and never under itself", () => {
    expect(terms.length).to.equal(95);
    for (const term of terms) {
      const broader = broaderPurposes(term);
      expect(broader.has(term), term).to.equal(false);
      for (const one of broader) expect(isPurpose(one), `${term} under ${one}`).to.equal(true);
    }
  });

  it("cover themselves and what is narrower, not what is broader or beside", () => {
    expect(purposeCovers("dpv:ResearchAndDevelopment", "dpv:AcademicResearch")).to.equal(true);
    expect(purposeCovers("dpv:Marketing", "dpv:TargetedAdvertising")).to.equal(true);
    expect(purposeCovers("dpv:Personalisation", "dpv:TargetedAdvertising")).to.equal(true);
    expect(purposeCovers("dpv:AcademicResearch", "dpv:ResearchAndDevelopment")).to.equal(false);
    expect(purposeCovers("dpv:AcademicResearch", "dpv:ScientificResearch")).to.equal(false);
    expect(purposeCovers("dpv:CommercialPurpose", "dpv:Marketing")).to.equal(false);
  });

  it("are an order: whoever covers both ways is the same, and covering goes on", () =>
    fc.assert(
      fc.property(anyTerm, anyTerm, anyTerm, (a, b, c) => {
        expect(purposeCovers(a, a)).to.equal(true);
        if (purposeCovers(a, b) && purposeCovers(b, a)) expect(a).to.equal(b);
        if (purposeCovers(a, b) && purposeCovers(b, c)) expect(purposeCovers(a, c)).to.equal(true);
      }),
      { numRuns: 2_000 },
    ));

  it("have no root that would permit everything", () => {
    expect(isPurpose("dpv:Purpose")).to.equal(false);
    expect(terms.filter((term) => terms.every((other) => purposeCovers(term, other)))).to.deep.equal([]);
  });

  it("are refused where they are unknown, with the nearest term", () => {
    for (const text of [
      "dpv:AcademicReserch",
      "dpv:Research",
      "dpv:Advertisement",
      "dpv:Consent",
      "dpv:Purpose",
    ]) {
      const reasons = reasonOf(text);
      expect(reasons, text).to.have.length(1);
      expect(reasons![0]).to.match(/DPV 2\.0 has no purpose of this name; the nearest is dpv:[A-Za-z]+$/);
      expect(isPurpose(nearestPurpose(text)), text).to.equal(true);
    }
    expect(nearestPurpose("dpv:AcademicReserch")).to.equal("dpv:AcademicResearch");
    expect(nearestPurpose("serviceprovison")).to.equal("dpv:ServiceProvision");
  });

  it("are refused where they are no terms at all, with one reason", () => {
    for (const text of [
      "",
      "AcademicResearch",
      "dpv:",
      "dpv:academic",
      "dpv:__proto__",
      "dpv:constructor",
      `dpv:A${"a".repeat(10_000)}`,
    ])
      expect(reasonOf(text), text.slice(0, 30)).to.have.length(1);
    for (const text of ["dpv:toString", "dpv:__proto__", "dpv:Constructor"])
      expect(isPurpose(text)).to.equal(false);
  });

  it("permit by the term itself before a broader one", () => {
    expect(
      permittingPurpose(["dpv:ResearchAndDevelopment", "dpv:AcademicResearch"], "dpv:AcademicResearch"),
    ).to.equal("dpv:AcademicResearch");
    expect(permittingPurpose(["dpv:ResearchAndDevelopment"], "dpv:AcademicResearch")).to.equal(
      "dpv:ResearchAndDevelopment",
    );
    expect(permittingPurpose(["dpv:AcademicResearch"], "dpv:ResearchAndDevelopment")).to.equal(undefined);
    expect(permittingPurpose([], "dpv:AcademicResearch")).to.equal(undefined);
  });

  it("are common to two lists where one covers the other", () => {
    const [research, academic, marketing] = [
      "dpv:ResearchAndDevelopment",
      "dpv:AcademicResearch",
      "dpv:Marketing",
    ] as const;
    expect(commonPurposes([research, academic], [research])).to.deep.equal([research]);
    expect(commonPurposes([research], [academic, marketing])).to.deep.equal([academic]);
    expect(commonPurposes([academic], [marketing])).to.deep.equal([]);
  });

  it("of the repository's own documents are all terms", () => {
    for (const folder of ["node/living-lab", "docs"])
      for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
        /\.(ya?ml|ts|md)$/.test(name),
      ))
        for (const [term] of readFileSync(join(folder, file), "utf8").matchAll(/\bdpv:[A-Z][A-Za-z]+\b/g))
          expect(isPurpose(term) || term === "dpv:Consent", `${term} in ${file}`).to.equal(true);
  });
});
