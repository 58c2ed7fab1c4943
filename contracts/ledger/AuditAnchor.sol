// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAuditAnchor} from "./IAuditAnchor.sol";

/// @title AuditAnchor
/// @notice See {IAuditAnchor}. Anyone anchors its own log, nobody anchors another's; there is no owner.
/// @dev One storage write a batch. Links of a party are contiguous from 1, as each one names the one before.
contract AuditAnchor is IAuditAnchor {
    /// @notice Bytes of one budget line: bytes32 datasetId, uint64 spentMicroRho, uint64 reservedMicroRho.
    uint256 public constant BUDGET_LINE_BYTES = 48;
    /// @notice 1,024 datasets a batch: such a batch costs about a million gas, far below any block's limit.
    uint256 public constant MAX_BUDGETS_BYTES = 1024 * BUDGET_LINE_BYTES;

    mapping(address party => mapping(uint64 sequence => bytes32 link)) private _links;

    /// @inheritdoc IAuditAnchor
    function anchor(
        uint64 sequence,
        bytes32 previousLink,
        bytes32 root,
        uint64 entryCount,
        bytes calldata budgets
    ) external returns (bytes32 link) {
        _requireNext(_links[msg.sender], sequence, previousLink);
        _requireBudgets(budgets);
        link = _linkFor(msg.sender, sequence, previousLink, root, entryCount, budgets, uint64(block.number));
        _links[msg.sender][sequence] = link;
        emit Anchored(msg.sender, sequence, root, previousLink, entryCount, budgets, link);
    }

    /// @inheritdoc IAuditAnchor
    function linkOf(address party, uint64 sequence) external view returns (bytes32) {
        return _links[party][sequence];
    }

    /// @inheritdoc IAuditAnchor
    function latestSequence(address party) external view returns (uint64) {
        mapping(uint64 => bytes32) storage links = _links[party];
        uint256 high = 1;
        while (high <= type(uint64).max && links[uint64(high)] != 0) high *= 2;
        uint256 low = high / 2; // anchored (or 0); high is not
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            if (links[uint64(middle)] != 0) low = middle;
            else high = middle;
        }
        return uint64(low);
    }

    /// @inheritdoc IAuditAnchor
    function verify(
        address party,
        uint64 sequence,
        bytes32 previousLink,
        bytes32 root,
        uint64 entryCount,
        bytes calldata budgets,
        uint64 blockNumber
    ) external view returns (bool) {
        bytes32 link = _linkFor(party, sequence, previousLink, root, entryCount, budgets, blockNumber);
        return _links[party][sequence] == link;
    }

    /// @dev The compare-and-swap. A missing predecessor reads as zero, so zero never passes for a later sequence.
    function _requireNext(
        mapping(uint64 => bytes32) storage links,
        uint64 sequence,
        bytes32 previousLink
    ) private view {
        if (sequence == 0) revert SequenceZero(msg.sender);
        bytes32 stored = links[sequence - 1]; // links[0] is never written
        if (stored != previousLink || (previousLink == 0 && sequence != 1)) {
            revert PreviousLinkMismatch(msg.sender, sequence, stored, previousLink);
        }
        bytes32 taken = links[sequence];
        if (taken != 0) revert AlreadyAnchored(msg.sender, sequence, taken);
    }

    /// @dev Whole lines, bounded.
    function _requireBudgets(bytes calldata budgets) private pure {
        if (budgets.length % BUDGET_LINE_BYTES != 0 || budgets.length > MAX_BUDGETS_BYTES) {
            revert InvalidBudgetsLength(budgets.length, MAX_BUDGETS_BYTES);
        }
    }

    /// @dev The block number makes a link unpredictable before it is mined and dates it without a storage slot.
    function _linkFor(
        address party,
        uint64 sequence,
        bytes32 previousLink,
        bytes32 root,
        uint64 entryCount,
        bytes calldata budgets,
        uint64 blockNumber
    ) private pure returns (bytes32) {
        return
            keccak256(
                abi.encode(party, sequence, previousLink, root, entryCount, keccak256(budgets), blockNumber)
            );
    }
}
