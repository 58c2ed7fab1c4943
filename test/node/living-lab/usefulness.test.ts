import { expect } from "chai";
import { loadSqlParser } from "../../../node/data-sharing/plan/parse-sql.ts";
import { algorithmNames, datasetLines } from "../../../node/living-lab/content.ts";
import { peopleDefault } from "../../../node/living-lab/data/csv.ts";
import { algorithmManifest, datasetManifest, datasetNames, personRows } from "./support/table.ts";
import { type Holding, type Usefulness, usefulnessOf } from "./support/usefulness.ts";

/**
 * The most that the median number of an answer may be off, in percent of what it is without noise and without clamps. It was 2.8 at
 * most when the charges were set.
 */
const medianErrorPercentMax = 4;
/** One candidate beside the true one: 25 cents of the low wages. */
const quantileErrorPercentMax = 6;

describe("what the Living Lab's algorithms say", () => {
  const holdings: Holding[] = [];

  before(async () => {
    await loadSqlParser();
    for (const name of datasetNames) {
      const manifest = datasetManifest(name);
      holdings.push({
        manifest,
        rows: personRows(datasetLines[name]!(peopleDefault, "living-lab"), manifest),
      });
    }
  });

  const usefulness = (
    name: string,
    change: Partial<ReturnType<typeof algorithmManifest>> = {},
  ): Usefulness => {
    const algorithm = { ...algorithmManifest(name), ...change };
    const meant = holdings.filter(({ manifest }) => manifest.dataClass === algorithm.dataClass);
    return usefulnessOf(algorithm, meant);
  };

  for (const name of algorithmNames)
    it(`is useful: ${name}`, () => {
      const { quantiles, medianErrorPercent, insidePercent, lostPercent } = usefulness(name);
      expect(Object.keys(medianErrorPercent)).to.not.deep.equal([]);
      for (const [output, error] of Object.entries(medianErrorPercent))
        expect(error, output).to.be.below(
          quantiles.includes(output) ? quantileErrorPercentMax : medianErrorPercentMax,
        );
      // Margins are for 95%; the averages' are approximate, and twenty releases vary.
      expect(insidePercent).to.be.at.least(90);
      expect(lostPercent).to.be.at.most(5);
    });

  it("would be useless at a hundredth of the charge, and this test would say so", () => {
    const { medianErrorPercent } = usefulness("wages-by-occupation", { microRho: "5000" });
    expect(medianErrorPercent.average_wage).to.be.above(medianErrorPercentMax);
  });

  it("leaves no doubt, at the charge that was set, that union jobs pay more", () => {
    const { margins } = usefulness("union-wage-premium");
    // Without noise the difference is 2.20 dollars an hour.
    expect(margins.average_wage!.largest).to.be.below(1);
  });
});
