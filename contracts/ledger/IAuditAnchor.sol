// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title IAuditAnchor
/// @notice Append-only chains of batch roots, one chain per anchoring party. A batch of any number of log entries is
/// one transaction (RFC 6962 tree off chain, its root here).
/// @dev WARNING: the contract does not promise that a root is well formed, that entries behind it exist or are true, nor
/// that the party anchors everything it should. It promises order, time (block) and that nothing is ever rewritten.
interface IAuditAnchor {
    /// @notice One batch was anchored. `budgets` is the packed payload (see {anchor}), kept in the log only.
    event Anchored(
        address indexed party,
        uint64 indexed sequence,
        bytes32 root,
        bytes32 previousLink,
        uint64 entryCount,
        bytes budgets,
        bytes32 link
    );

    /// @notice Sequences start at 1.
    error SequenceZero(address party);
    /// @notice The batch before this one is not the one that the party thinks it is (or there is none).
    error PreviousLinkMismatch(address party, uint64 sequence, bytes32 stored, bytes32 given);
    /// @notice This sequence is taken; `link` is what stands there.
    error AlreadyAnchored(address party, uint64 sequence, bytes32 link);
    /// @notice Budgets are whole lines of 48 bytes, at most `maxLength` bytes.
    error InvalidBudgetsLength(uint256 length, uint256 maxLength);

    /// @notice Anchors the next batch of the caller's own log. Compare-and-swap: the caller names the link it builds on.
    /// @param sequence 1 for the first batch, then one more each time.
    /// @param previousLink Link of `sequence - 1`; zero for the first batch, never zero afterwards.
    /// @param root Root of the batch's RFC 6962 tree. Not checked, empty batches included.
    /// @param entryCount Number of entries in the batch. Not checked.
    /// @param budgets Lines of 48 bytes: bytes32 datasetId, uint64 spentMicroRho, uint64 reservedMicroRho, packed,
    /// big-endian. Only the length is checked.
    /// @return link keccak256(abi.encode(party, sequence, previousLink, root, entryCount, keccak256(budgets),
    /// uint64(block.number))); it commits to the whole chain up to here.
    function anchor(
        uint64 sequence,
        bytes32 previousLink,
        bytes32 root,
        uint64 entryCount,
        bytes calldata budgets
    ) external returns (bytes32 link);

    /// @notice The link that `party` anchored under `sequence`, zero if none.
    function linkOf(address party, uint64 sequence) external view returns (bytes32);

    /// @notice The newest sequence of `party`, zero if it never anchored.
    /// @dev Searches (no head is stored, that is what makes anchoring cheap): about 2 log2(n) reads, for views.
    function latestSequence(address party) external view returns (uint64);

    /// @notice Whether exactly this batch was anchored by `party`, under `sequence`, in block `blockNumber`.
    /// @dev WARNING: says nothing about inclusion of an entry under `root`; that check is the receipt's.
    function verify(
        address party,
        uint64 sequence,
        bytes32 previousLink,
        bytes32 root,
        uint64 entryCount,
        bytes calldata budgets,
        uint64 blockNumber
    ) external view returns (bool);
}
