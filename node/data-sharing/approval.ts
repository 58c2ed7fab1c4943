/** What a vetter signs (EIP-712) to approve an algorithm. Anyone may hand it to the AlgorithmRegistry; it counts once. */
import type { Deployment } from "../ledger/deployment.ts";
import type { Hex } from "../primitives/hex.ts";
import type { TypedStruct } from "../primitives/typed-data.ts";

export interface Approval {
  algorithm: Hex;
  vetter: Hex;
  /** The approval ends at this second. */
  expiresS: number;
  /** Of the vetter's written review. */
  reviewHash: Hex;
}

export function approvalStruct(deployment: Deployment, approval: Approval): TypedStruct {
  const { algorithm, vetter, expiresS, reviewHash } = approval;
  return {
    domain: {
      name: "AlgorithmRegistry",
      version: "1",
      chainId: BigInt(deployment.chainId),
      verifyingContract: deployment.contracts.algorithmRegistry,
    },
    types: {
      Approval: [
        { name: "algorithm", type: "bytes32" },
        { name: "vetter", type: "address" },
        { name: "expires", type: "uint48" },
        { name: "reviewHash", type: "bytes32" },
      ],
    },
    message: { algorithm, vetter, expires: expiresS, reviewHash },
  };
}
