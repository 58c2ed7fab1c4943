// Deploys the whole set of contracts to the chosen network and prints their addresses: `hardhat run scripts/deploy-contracts.ts`.
import { network } from "hardhat";
import InternetOfTrustedData from "../ignition/modules/InternetOfTrustedData.ts";

const { ignition, networkName } = await network.create();
const contracts = await ignition.deploy(InternetOfTrustedData);

console.log(`Deployed to ${networkName}:`);
for (const [name, contract] of Object.entries(contracts)) {
  console.log(`  ${name.padEnd(20)} ${await contract.getAddress()}`);
}
