import { readFileSync } from "node:fs";
import { expect } from "chai";
import { Interface } from "ethers";
import * as abis from "../../node/adapters/ethereum/generated/abis.ts";
import { abisPath, renderAbis } from "../../scripts/generate-abis.ts";

describe("generated code", () => {
  it("regenerates to the same bytes", async () => {
    expect(await renderAbis(), "run: npx hardhat build && node scripts/generate-abis.ts").to.equal(
      readFileSync(abisPath, "utf8"),
    );
  });

  it("says which script makes it", () => {
    expect(readFileSync(abisPath, "utf8")).to.match(/^\/\/ Made by scripts\/generate-abis\.ts/);
  });

  it("gives ethers functions, events and errors, inherited ones too", () => {
    const council = new Interface(abis.trustCouncilAbi);
    expect(council.getFunction("addMember")).to.not.equal(null);
    expect(council.getEvent("MemberAdded")).to.not.equal(null);
    expect(council.getError("TimelockUnexpectedOperationState")).to.not.equal(null);
    expect(new Interface(abis.algorithmRegistryAbi).getError("OnlyCouncil")).to.not.equal(null);
  });
});
