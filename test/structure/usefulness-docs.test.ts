import { existsSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { algorithmNames } from "../../node/living-lab/content.ts";
import { type AlgorithmErrors, sizes } from "../../scripts/usefulness/measure.ts";
import { plot } from "../../scripts/usefulness/plot.ts";
import { plotName, rowsOfSize, sections } from "../../scripts/usefulness/tables.ts";
import { measureUsefulness, splitDocument, usefulnessDocsPath } from "../../scripts/write-usefulness.ts";

const [smallest] = sizes;
/** Cheap ones that between them have averages, quantiles, several rows a person and groups that are not shown. */
const measuredAgain = ["wage-quartiles", "visits-by-department", "trips-by-hour"];

describe("docs/usefulness.md", () => {
  const written = () => splitDocument(readFileSync(usefulnessDocsPath, "utf8"))[1];
  const sectionOf = (name: string) =>
    written()
      .split(/\n(?=### )/)
      .find((section) => section.startsWith(`### ${name}\n`)) ?? "";

  it("has every algorithm of the lab, its picture and every number of people", () => {
    for (const name of algorithmNames) {
      const section = sectionOf(name);
      expect(section, name).to.include(`](${plotName(name)})`);
      for (const size of sizes.slice(1))
        expect(section, name).to.include(`\n| ${size.toLocaleString("en")} |`);
      expect(section, name).to.match(/\n\| 5\d\d \|/);
      const picture = readFileSync(`docs/${plotName(name)}`, "utf8");
      expect(picture).to.include("<title>").and.to.include("</svg>");
    }
    expect(existsSync(`docs/${plotName("no-such-algorithm")}`)).to.equal(false);
  });

  it("comes out the same when the script measures again, to the last digit", async () => {
    const all = await measureUsefulness(measuredAgain, smallest, () => {});
    for (const { algorithm, sizes: measured } of all) {
      const rows = measured.flatMap(rowsOfSize);
      expect(rows.length).to.be.at.least(1);
      expect(sectionOf(algorithm.name), "run: npx node scripts/write-usefulness.ts").to.include(
        `|\n${rows.join("\n")}\n| 5,000 |`,
      );
    }
  });

  it("changes with what is measured", async () => {
    const [errors] = await measureUsefulness(["age-distribution"], smallest, () => {});
    const [size] = errors!.sizes;
    const worse: AlgorithmErrors = {
      ...errors!,
      sizes: [
        { ...size!, series: size!.series.map((one) => ({ ...one, noise: one.noise.map((x) => 2 * x) })) },
      ],
    };
    expect(sections([worse])).to.not.equal(sections([errors!]));
    expect(plot(worse)).to.not.equal(plot(errors!));
  });
});
