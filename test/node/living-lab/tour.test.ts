import { expect } from "chai";
import { algorithmNames } from "../../../node/living-lab/content.ts";
import { organisations } from "../../../node/living-lab/organisations.ts";
import {
  algorithmLines,
  anchorLines,
  answerLines,
  councilLines,
  nextLines,
  openingLines,
  organisationLines,
  questionLines,
  receiptLines,
  refusalLines,
  repeatLines,
} from "../../../node/living-lab/tour.ts";
import { algorithmManifest, datasetManifest, datasetNames } from "./support/table.ts";

const datasets = datasetNames.map((name) => {
  const { title, synthetic } = datasetManifest(name);
  return { name, title, synthetic, people: 120, rows: 340 };
});
const algorithm = {
  name: "union-wage-premium",
  title: "What a union job pays",
  approvedBy: ["City", "Bank"],
};
const charge = { publisher: "Bank", chargeMicroRho: "500000", answersLeft: "19" };
const check = { name: "anchor", passed: true, detail: "the root is on the chain" };

describe("the tour of the Living Lab", () => {
  it("names every organisation, and every dataset once with whether its people exist", () => {
    const lines = organisationLines(organisations, datasets);
    for (const { title } of organisations) expect(lines.join("\n")).to.include(title);
    for (const { name, synthetic } of datasets) {
      const own = lines.filter((line) => line.startsWith(`  ${name}:`));
      expect(own).to.have.length(1);
      expect(own[0]!.includes("nobody in it exists")).to.equal(synthetic);
    }
  });

  it("says who is asked, and of nobody else's rows only where there is somebody else", () => {
    const asked = [
      { publisher: "Bank", dataset: "wages-outside-the-south" },
      { publisher: "Hospital", dataset: "wages-of-the-south" },
    ];
    const question = { algorithm, purpose: "dpv:AcademicResearch", asked };
    const lines = questionLines("University", question).join("\n");
    expect(lines).to.include("Bank (wages-outside-the-south) and Hospital (wages-of-the-south)");
    expect(lines).to.include("each other's");
    expect(questionLines("University", { ...question, asked: asked.slice(1) }).join("\n")).to.not.include(
      "each other",
    );
  });

  it("says what an answer cost, in rho without needless zeros, and what is left", () => {
    const cost = (chargeMicroRho: string) => answerLines(1, [{ ...charge, chargeMicroRho }]).at(-1);
    expect(cost("500000")).to.equal("  Bank: 0.5 rho of privacy budget; 19 more such answers are left.");
    expect(cost("20000000")).to.include(" 20 rho");
    expect(cost("1")).to.include(" 0.000001 rho");
    expect(cost("0")).to.include("free");
  });

  it("warns of a receipt that fails, and names the checks that fail only", () => {
    const good = receiptLines("a.json", [check, { ...check, name: "plan" }]);
    expect(good[0]).to.equal("The receipt (a.json) passes all 2 checks.");
    const bad = receiptLines("a.json", [check, { name: "plan", passed: false, detail: "another plan" }]);
    expect(bad[0]).to.include("do not rely on it");
    expect(bad.join("\n")).to.include("plan: another plan").and.not.include("anchor:");
  });

  it("names in its suggestions only algorithms, parameters and purposes that there are", () => {
    const commands = nextLines("r.json").filter((line) => line.includes("--algorithm"));
    expect(commands.length).to.be.greaterThan(0);
    for (const command of commands) {
      const [, name, parameter, value, purpose] =
        /--algorithm (\S+) --param (\w+)=(\S+) --purpose (\S+)/.exec(command)!;
      expect(algorithmNames).to.include(name);
      const manifest = algorithmManifest(name!);
      const declared = manifest.parameters[parameter!]!;
      if (declared.type === "text") expect(declared.values).to.include(value);
      else expect(Number(value)).to.be.within(declared.minimum, declared.maximum);
      expect(manifest.purposes).to.include(purpose);
    }
  });

  it("speaks in single lines that are not empty", () => {
    const lines = [
      openingLines("31337"),
      councilLines(5, 3),
      algorithmLines("University", [algorithm]),
      answerLines(2, [charge]),
      repeatLines(true),
      repeatLines(false),
      refusalLines("an algorithm that nobody vetted", [
        { publisher: "Bank", code: "algorithm_not_approved", message: "It is not approved." },
      ]),
      anchorLines(`0x${"ab".repeat(32)}`, 12),
      nextLines("r.json"),
    ].flat();
    for (const line of lines) expect(line).to.match(/^[^\n]+$/);
  });
});
