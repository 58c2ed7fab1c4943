/**
 * Deploys the five contracts from the committed creation code, as `ignition/modules/InternetOfTrustedData.ts` does with Hardhat; the
 * test of this file holds the two to the same order and arguments. For the Living Lab, which has no compiler at hand.
 */
import { type BaseWallet, ContractFactory, type InterfaceAbi, JsonRpcProvider, Network } from "ethers";
import { type Deployment, deploymentSchema } from "../../ledger/deployment.ts";
import type { Hex } from "../../primitives/hex.ts";
import {
  algorithmRegistryAbi,
  auditAnchorAbi,
  repositoryDirectoryAbi,
  trustCouncilAbi,
  trustFrameworkAbi,
} from "./generated/abis.ts";
import {
  algorithmRegistryBytecode,
  auditAnchorBytecode,
  repositoryDirectoryBytecode,
  trustCouncilBytecode,
  trustFrameworkBytecode,
} from "./generated/bytecode.ts";

export interface CouncilTerms {
  members: readonly Hex[];
  threshold: number;
  emergencyQuorum: number;
  minDelaySeconds: number;
  /** Approvals that an algorithm needs. */
  requiredApprovals: number;
}

/** Deploys with the wallet's account, which keeps no right over what it deployed. */
export async function deployContracts(
  url: string,
  chainId: number,
  wallet: Pick<BaseWallet, "connect">,
  { members, threshold, emergencyQuorum, minDelaySeconds, requiredApprovals }: CouncilTerms,
): Promise<Deployment> {
  const network = Network.from(chainId);
  const provider = new JsonRpcProvider(url, network, { staticNetwork: network, pollingInterval: 100 });
  try {
    const signer = wallet.connect(provider);
    let nonce = await provider.getTransactionCount(await signer.getAddress());
    const deploy = async (abi: InterfaceAbi, bytecode: string, args: readonly unknown[]): Promise<Hex> => {
      const contract = await new ContractFactory(abi, bytecode, signer).deploy(...args, { nonce: nonce++ });
      await contract.waitForDeployment();
      return (await contract.getAddress()).toLowerCase();
    };
    const council = [members, threshold, emergencyQuorum, minDelaySeconds];
    const trustCouncil = await deploy(trustCouncilAbi, trustCouncilBytecode, council);
    const trustFramework = await deploy(trustFrameworkAbi, trustFrameworkBytecode, [trustCouncil]);
    const registry = [trustFramework, trustCouncil, requiredApprovals];
    const algorithmRegistry = await deploy(algorithmRegistryAbi, algorithmRegistryBytecode, registry);
    const repositoryDirectory = await deploy(repositoryDirectoryAbi, repositoryDirectoryBytecode, [
      trustFramework,
    ]);
    const auditAnchor = await deploy(auditAnchorAbi, auditAnchorBytecode, []);
    const contracts = { trustCouncil, trustFramework, algorithmRegistry, repositoryDirectory, auditAnchor };
    return deploymentSchema.parse({ chainId, contracts });
  } finally {
    provider.destroy();
  }
}
