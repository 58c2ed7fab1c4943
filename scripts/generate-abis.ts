// Writes node/adapters/ethereum/generated/ from the compiled contracts: `npx hardhat build && npx node scripts/generate-abis.ts`.
// Interfaces (functions, events and errors, inherited ones included) for every caller; creation code so that the Living Lab can deploy
// without a compiler.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { artifacts } from "hardhat";

export const abisPath = "node/adapters/ethereum/generated/abis.ts";
export const bytecodePath = "node/adapters/ethereum/generated/bytecode.ts";

const banner = "// Made by scripts/generate-abis.ts from contracts/. Do not edit.\n";

const contracts = [
  "TrustCouncil",
  "TrustFramework",
  "AlgorithmRegistry",
  "RepositoryDirectory",
  "AuditAnchor",
];

/** The whole text of the generated file, one line an entry, so that a change shows as a diff of that entry. */
export async function renderAbis(): Promise<string> {
  const parts = await Promise.all(contracts.map(renderAbi));
  return [banner, ...parts].join("\n");
}

/** Creation code of each contract, as one long hexadecimal text. */
export async function renderBytecode(): Promise<string> {
  const parts = contracts.map(async (contract) => {
    const { bytecode } = await artifacts.readArtifact(contract);
    return `export const ${camelCase(contract)}Bytecode =\n  "${bytecode}";\n`;
  });
  return [banner, ...(await Promise.all(parts))].join("\n");
}

async function renderAbi(contract: string): Promise<string> {
  const { abi } = await artifacts.readArtifact(contract);
  const lines = abi.map((entry) => `  ${JSON.stringify(entry)},`);
  return `export const ${camelCase(contract)}Abi = [\n${lines.join("\n")}\n] as const;\n`;
}

function camelCase(contract: string): string {
  return `${contract[0]!.toLowerCase()}${contract.slice(1)}`;
}

if (import.meta.main) {
  mkdirSync(dirname(abisPath), { recursive: true });
  writeFileSync(abisPath, await renderAbis());
  writeFileSync(bytecodePath, await renderBytecode());
}
