/** The roles that TrustRoles.sol knows, in its order. */
export const memberRoles = [
  "repository",
  "directory",
  "querier",
  "vetter",
  "identity-provider",
  "core-identity-provider",
  "transaction-identity-provider",
  "share-store",
  "mpc-node",
  "auditor",
] as const;

export type MemberRole = (typeof memberRoles)[number];
