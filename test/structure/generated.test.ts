import { readFileSync } from "node:fs";
import { expect } from "chai";
import { Interface } from "ethers";
import * as abis from "../../node/adapters/ethereum/generated/abis.ts";
import { abisPath, bytecodePath, renderAbis, renderBytecode } from "../../scripts/generate-abis.ts";

describe("generated code", () => {
  it("regenerates to the same bytes", async () => {
    expect(await renderAbis(), "run: npx hardhat build && node scripts/generate-abis.ts").to.equal(
      readFileSync(abisPath, "utf8"),
    );
  });

  it("holds the creation code of the contracts as they are", async () => {
    const current = await renderBytecode();
    const isSame = current === readFileSync(bytecodePath, "utf8");
    expect(isSame, "run: npx hardhat build && npx node scripts/generate-abis.ts").to.equal(true);
  });

  it("says which script makes it", () => {
    for (const path of [abisPath, bytecodePath]) {
      expect(readFileSync(path, "utf8")).to.match(/^\/\/ Made by scripts\/generate-abis\.ts/);
    }
  });

  it("gives ethers functions, events and errors, inherited ones too", () => {
    const council = new Interface(abis.trustCouncilAbi);
    expect(council.getFunction("addMember")).to.not.equal(null);
    expect(council.getEvent("MemberAdded")).to.not.equal(null);
    expect(council.getError("TimelockUnexpectedOperationState")).to.not.equal(null);
    expect(new Interface(abis.algorithmRegistryAbi).getError("OnlyCouncil")).to.not.equal(null);
  });
});
