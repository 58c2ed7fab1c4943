import { expect } from "chai";
import { leastSquares } from "./least-squares.ts";
import {
  binomialUpperTail,
  clopperPearson,
  correlation,
  empiricalRho,
  epsilonOfRho,
  rankSumProbability,
  rightGuessesMax,
} from "./statistics.ts";

describe("the statistics of attacks", () => {
  it("sum binomial tails exactly", () => {
    expect(binomialUpperTail(0, 10, 0.5)).to.equal(1);
    expect(binomialUpperTail(10, 10, 0.5)).to.be.closeTo(2 ** -10, 1e-15);
    expect(binomialUpperTail(6, 10, 0.5)).to.be.closeTo(386 / 1024, 1e-12);
    expect(binomialUpperTail(3, 2, 0.5)).to.equal(0);
  });

  it("count out the orders of ranks", () => {
    expect(rankSumProbability([6, 7, 8, 9, 10], [1, 2, 3, 4, 5])).to.be.closeTo(2 / 252, 1e-12);
    expect(rankSumProbability([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])).to.be.closeTo(2 / 252, 1e-12);
    // One pair the other way round: as uneven as this are 1 + 1 of 252 orders, on either side.
    expect(rankSumProbability([5, 7, 8, 9, 10], [1, 2, 3, 4, 6])).to.be.closeTo(4 / 252, 1e-12);
    expect(rankSumProbability([1, 4, 5, 8], [2, 3, 6, 7])).to.equal(1);
  });

  it("give the published Clopper-Pearson interval", () => {
    // 10 of 100 at 95%: 0.0490 to 0.1762.
    const { low, high } = clopperPearson(10, 100, 0.025);
    expect(low).to.be.closeTo(0.049, 5e-4);
    expect(high).to.be.closeTo(0.1762, 5e-4);
    expect(clopperPearson(0, 100, 0.025).low).to.equal(0);
    expect(clopperPearson(100, 100, 0.025).high).to.equal(1);
  });

  it("find no rho in guesses that tell nothing, and none above what Gaussian noise of that rho gives", () => {
    expect(empiricalRho({ inTrials: 1_000, inHits: 500, outTrials: 1_000, outHits: 500 })).to.equal(0);
    // Shift 1, standard deviation 1: rho 1/2. One side of the median is hit by 50% and 15.9%.
    const many = 1e6;
    const rho = empiricalRho({
      inTrials: many,
      inHits: many / 2,
      outTrials: many,
      outHits: Math.round(many * 0.158655),
    });
    expect(rho).to.be.within(0.25, 0.5);
  });

  it("find more rho in exact answers than any charge of the attacks", () => {
    const rho = empiricalRho({ inTrials: 500, inHits: 500, outTrials: 500, outHits: 0 });
    expect(rho).to.be.within(2, 10);
    expect(empiricalRho({ inTrials: 500, inHits: 0, outTrials: 500, outHits: 500 })).to.be.closeTo(rho, 1e-9);
  });

  it("allow more right guesses with more rho, and never fewer than chance", () => {
    expect(rightGuessesMax(256, 0.002)).to.be.within(160, 210);
    expect(rightGuessesMax(256, 0.01)).to.be.greaterThan(rightGuessesMax(256, 0.002));
    expect(rightGuessesMax(40, 0.000256)).to.be.within(30, 39);
    expect(epsilonOfRho(0.5, 1e-6)).to.be.closeTo(0.5 + 2 * Math.sqrt(0.5 * Math.log(1e6)), 1e-12);
  });

  it("correlate", () => {
    expect(correlation([1, 2, 3], [2, 4, 6])).to.be.closeTo(1, 1e-12);
    expect(correlation([1, 2, 3], [6, 4, 2])).to.be.closeTo(-1, 1e-12);
  });

  it("solve least squares", () => {
    const x = leastSquares(
      [
        [1, 1, 0],
        [0, 1, 1],
        [1, 0, 1],
        [1, 1, 1],
      ],
      [1, 1, 2, 2],
    );
    for (const [i, value] of [1, 0, 1].entries()) expect(x[i]).to.be.closeTo(value, 1e-3);
  });
});
