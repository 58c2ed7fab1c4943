// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title TrustRoles
/// @notice The roles that a member can be certified for: short strings, left-aligned in bytes32.
library TrustRoles {
    bytes32 internal constant REPOSITORY = "repository";
    bytes32 internal constant DIRECTORY = "directory";
    bytes32 internal constant QUERIER = "querier";
    bytes32 internal constant VETTER = "vetter";
    bytes32 internal constant IDENTITY_PROVIDER = "identity-provider";
    bytes32 internal constant CORE_IDENTITY_PROVIDER = "core-identity-provider";
    bytes32 internal constant TRANSACTION_IDENTITY_PROVIDER = "transaction-identity-provider";
    bytes32 internal constant SHARE_STORE = "share-store";
    bytes32 internal constant MPC_NODE = "mpc-node";
    bytes32 internal constant AUDITOR = "auditor";

    /// @dev Whether `role` is one of the ten.
    function isKnown(bytes32 role) internal pure returns (bool) {
        return
            role == REPOSITORY ||
            role == DIRECTORY ||
            role == QUERIER ||
            role == VETTER ||
            role == IDENTITY_PROVIDER ||
            role == CORE_IDENTITY_PROVIDER ||
            role == TRANSACTION_IDENTITY_PROVIDER ||
            role == SHARE_STORE ||
            role == MPC_NODE ||
            role == AUDITOR;
    }
}
