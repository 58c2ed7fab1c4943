/**
 * Which chain and which contracts a party trusts. Always the reader's own configuration, never taken from a document that is being
 * checked: a receipt forged over a chain of the forger's own must fail.
 */
import { z } from "zod";
import { addressPattern } from "../primitives/hex.ts";
import type { TypedDomain } from "../primitives/typed-data.ts";

const address = z.string().regex(addressPattern, "use a lower-case address");

export const deploymentSchema = z.strictObject({
  chainId: z.int().positive(),
  contracts: z.strictObject({
    trustCouncil: address,
    trustFramework: address,
    algorithmRegistry: address,
    repositoryDirectory: address,
    auditAnchor: address,
  }),
});

export type Deployment = z.infer<typeof deploymentSchema>;

/** The EIP-712 domain of everything that parties sign to each other; it binds chain and contracts. */
export function signingDomain(deployment: Deployment): TypedDomain {
  return {
    name: "Internet of Trusted Data",
    version: "1",
    chainId: BigInt(deployment.chainId),
    verifyingContract: deployment.contracts.auditAnchor,
  };
}
