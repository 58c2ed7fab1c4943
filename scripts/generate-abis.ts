// Writes node/adapters/ethereum/generated/abis.ts from the compiled contracts: `npx hardhat build && node scripts/generate-abis.ts`.
// Only what a caller needs: functions, events and errors, inherited ones included; no bytecode.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { artifacts } from "hardhat";

export const abisPath = "node/adapters/ethereum/generated/abis.ts";

const contracts = [
  "TrustCouncil",
  "TrustFramework",
  "AlgorithmRegistry",
  "RepositoryDirectory",
  "AuditAnchor",
];

/** The whole text of the generated file, one line an entry, so that a change shows as a diff of that entry. */
export async function renderAbis(): Promise<string> {
  const banner = "// Made by scripts/generate-abis.ts from contracts/. Do not edit.\n";
  const parts = await Promise.all(contracts.map(renderAbi));
  return [banner, ...parts].join("\n");
}

async function renderAbi(contract: string): Promise<string> {
  const { abi } = await artifacts.readArtifact(contract);
  const name = `${contract[0]!.toLowerCase()}${contract.slice(1)}Abi`;
  const lines = abi
    .filter(({ type }) => type !== "constructor")
    .map((entry) => `  ${JSON.stringify(entry)},`);
  return `export const ${name} = [\n${lines.join("\n")}\n] as const;\n`;
}

if (import.meta.main) {
  mkdirSync(dirname(abisPath), { recursive: true });
  writeFileSync(abisPath, await renderAbis());
}
