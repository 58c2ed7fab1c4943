// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICouncilGoverned} from "../trust-framework/ICouncilGoverned.sol";

/// @title IAlgorithmRegistry
/// @notice Which algorithms may run: those that enough independent vetters have signed, and nobody has revoked.
/// @dev "At block N" is the state at the end of block N, `timestamp` that block's time in seconds (see BlockHistory).
/// WARNING: an approval says that a certified vetter signed it, not that the algorithm is safe. The first to publish a
/// hash is its author here; a manifest names its author itself, and readers compare.
interface IAlgorithmRegistry is ICouncilGoverned {
    /// @notice Approved is worked out when asked: it ends when approvals expire or vetters lose their certification.
    enum Status {
        None,
        Published,
        Approved,
        Revoked
    }

    /// @notice `contentHash` is the SHA-256 of the canonical manifest. `revokedBlock` is zero unless revoked.
    struct Algorithm {
        bytes32 contentHash;
        address author;
        bytes32 authorGroup;
        bytes32 kind;
        bytes32 dataClass;
        uint48 publishedBlock;
        uint48 revokedBlock;
        bytes32 revocationReason;
        string uri;
    }

    /// @notice `expires` is in seconds and zero when withdrawn. `counts` says whether it counts now.
    struct ApprovalView {
        address vetter;
        bytes32 controlGroup;
        uint48 approvedBlock;
        uint48 expires;
        bytes32 reviewHash;
        bool withdrawn;
        bool counts;
    }

    /// @notice An algorithm was published.
    event AlgorithmPublished(
        bytes32 indexed contentHash,
        address indexed author,
        bytes32 indexed dataClass,
        bytes32 kind,
        string uri
    );
    /// @notice A vetter's approval was recorded; it replaces the vetter's earlier one.
    event AlgorithmApproved(bytes32 indexed contentHash, address indexed vetter, uint48 expires, bytes32 reviewHash);
    /// @notice A vetter took its approval back, signatures not yet submitted included.
    event ApprovalWithdrawn(bytes32 indexed contentHash, address indexed vetter);
    /// @notice The algorithm must not run any more. Final.
    event AlgorithmRevoked(bytes32 indexed contentHash, address indexed revoker, bytes32 reason);

    /// @notice At least two approvals are required.
    error InvalidRequiredApprovals(uint256 requiredApprovals);
    /// @notice Framework and registry obey the same council.
    error FrameworkOfAnotherCouncil(address framework, address council);
    /// @notice A publisher holds an active certification in some role, so that its control group is known.
    error UncertifiedAuthor(address author);
    /// @notice The hash is taken, even if revoked.
    error AlreadyPublished(bytes32 contentHash, address author);
    /// @notice Hash, kind and class are not zero; the URI has at most 512 bytes.
    error InvalidAlgorithm(bytes32 contentHash);
    /// @notice There is no such algorithm.
    error UnknownAlgorithm(bytes32 contentHash);
    /// @notice The algorithm was revoked.
    error AlgorithmIsRevoked(bytes32 contentHash);
    /// @notice Only vetters certified now for the algorithm's class of data may approve it.
    error UncertifiedVetter(address vetter, bytes32 dataClass);
    /// @notice A vetter of the author's control group is not independent.
    error VetterOfAuthorsGroup(address vetter, bytes32 controlGroup);
    /// @notice The approval would be over already.
    error ApprovalExpired(uint48 expires);
    /// @notice The signature is not the vetter's over this approval.
    error InvalidApprovalSignature(address vetter);
    /// @notice Each signed approval is taken once.
    error ApprovalAlreadyUsed(bytes32 digest);
    /// @notice After a withdrawal a vetter submits its next approval itself: older signatures may still be about.
    error WithdrawnVetterMustSubmit(bytes32 contentHash, address vetter);
    /// @notice There is nothing left to withdraw.
    error AlreadyWithdrawn(bytes32 contentHash, address vetter);
    /// @notice The algorithm has as many vetters as it can have.
    error TooManyApprovals(bytes32 contentHash, uint256 max);
    /// @notice Only the author and the council may revoke.
    error NotRevoker(address caller);

    /// @notice Publishes an algorithm, once. Certified members only; the caller is the author for ever.
    function publish(bytes32 contentHash, string calldata uri, bytes32 kind, bytes32 dataClass) external;

    /// @notice Records a vetter's signed approval (EIP-712, domain "AlgorithmRegistry" version "1", type
    /// Approval(bytes32 algorithm,address vetter,uint48 expires,bytes32 reviewHash)). Anyone may relay it.
    /// @dev Contract wallets sign by ERC-1271. The vetter's latest submitted approval replaces its earlier one.
    /// WARNING: a signature that is out but not submitted stays usable until it expires or the vetter withdraws.
    function approve(
        bytes32 contentHash,
        address vetter,
        uint48 expires,
        bytes32 reviewHash,
        bytes calldata signature
    ) external;

    /// @notice Takes the caller's approval of this algorithm back, and makes all its signatures up to now useless.
    function withdrawApproval(bytes32 contentHash) external;

    /// @notice Revokes for good, at once. Author or council.
    function revoke(bytes32 contentHash, bytes32 reason) external;

    /// @notice Status now.
    function statusOf(bytes32 contentHash) external view returns (Status);

    /// @notice Status at the end of mined block `blockNumber`, whose time was `timestamp`.
    function statusAt(bytes32 contentHash, uint48 blockNumber, uint48 timestamp) external view returns (Status);

    /// @notice The algorithm; empty if there is none.
    function algorithmOf(bytes32 contentHash) external view returns (Algorithm memory);

    /// @notice Number of algorithms ever published.
    function algorithmCount() external view returns (uint256);

    /// @notice Hash of the algorithm at `index`, in order of publication.
    function algorithmAt(uint256 index) external view returns (bytes32);

    /// @notice Newest approval of each vetter, withdrawn and expired ones included (see `counts`).
    function approvalsOf(bytes32 contentHash) external view returns (ApprovalView[] memory);

    /// @notice The hash that a vetter signs.
    function approvalDigest(
        bytes32 contentHash,
        address vetter,
        uint48 expires,
        bytes32 reviewHash
    ) external view returns (bytes32);
}
