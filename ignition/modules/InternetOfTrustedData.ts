// Deploys what all parties must agree on: the council, the trust framework it governs, and the registries that look
// certifications up there. Each parameter is fixed or changeable by the council only; nobody keeps a key.
//
// On a local network the council defaults to Hardhat's accounts 0 to 4, whose keys everybody knows. On any other network
// `members` and `minDelaySeconds` have no default: give them with --parameters (see docs/console.md).

import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import hre from "hardhat";

const LOCAL_NETWORKS = ["default", "node", "localhost"];
const isLocal = LOCAL_NETWORKS.includes(hre.globalOptions.network ?? "default");

const HARDHAT_ACCOUNTS = [
  "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
  "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
  "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
  "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
];

export default buildModule("InternetOfTrustedData", (m) => {
  const members = m.getParameter<string[]>("members", isLocal ? HARDHAT_ACCOUNTS : undefined);
  const minDelaySeconds = m.getParameter<number>("minDelaySeconds", isLocal ? 2 : undefined);
  const threshold = m.getParameter("threshold", 3);
  const emergencyQuorum = m.getParameter("emergencyQuorum", 2);
  const requiredApprovals = m.getParameter("requiredApprovals", 2);

  const trustCouncil = m.contract("TrustCouncil", [members, threshold, emergencyQuorum, minDelaySeconds]);
  const trustFramework = m.contract("TrustFramework", [trustCouncil]);
  const algorithmRegistry = m.contract("AlgorithmRegistry", [
    trustFramework,
    trustCouncil,
    requiredApprovals,
  ]);
  const repositoryDirectory = m.contract("RepositoryDirectory", [trustFramework]);
  const auditAnchor = m.contract("AuditAnchor");

  return { trustCouncil, trustFramework, algorithmRegistry, repositoryDirectory, auditAnchor };
});
