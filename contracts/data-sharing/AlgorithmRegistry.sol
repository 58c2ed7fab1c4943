// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {BlockHistory} from "../ledger/BlockHistory.sol";
import {CouncilGoverned} from "../trust-framework/CouncilGoverned.sol";
import {ITrustFramework} from "../trust-framework/ITrustFramework.sol";
import {TrustRoles} from "../trust-framework/TrustRoles.sol";
import {IAlgorithmRegistry} from "./IAlgorithmRegistry.sol";

/// @title AlgorithmRegistry
/// @notice See {IAlgorithmRegistry}.
/// @dev Per algorithm and vetter, the expiry of the approval is checkpointed (0: none or withdrawn); all else that a
/// status depends on is either written once or in the framework's own history. One rule, {_counts}, serves both the
/// present and the past.
contract AlgorithmRegistry is CouncilGoverned, EIP712, IAlgorithmRegistry {
    using Checkpoints for Checkpoints.Trace208;

    /// @notice What a vetter signs.
    bytes32 public constant APPROVAL_TYPEHASH =
        keccak256("Approval(bytes32 algorithm,address vetter,uint48 expires,bytes32 reviewHash)");
    /// @notice Bounds the loop of a status; only certified vetters can take a place, each one place.
    uint256 public constant MAX_APPROVALS = 32;
    /// @notice Independence: approvals come from at least so many control groups, none the author's.
    uint256 public constant MIN_CONTROL_GROUPS = 2;
    /// @notice As in Frameworks.
    uint256 public constant MAX_URI_BYTES = 512;
    /// @dev As a block number it means the newest state.
    uint48 private constant NOW = type(uint48).max;

    /// @notice Where certifications are looked up.
    ITrustFramework public immutable framework;
    /// @notice Approvals that an algorithm needs.
    uint256 public immutable requiredApprovals;

    struct Approval {
        uint48 approvedBlock;
        bool withdrawn;
        bytes32 reviewHash;
        Checkpoints.Trace208 expires;
    }

    bytes32[] private _hashes;
    mapping(bytes32 contentHash => Algorithm) private _algorithms;
    mapping(bytes32 contentHash => address[]) private _vetters;
    mapping(bytes32 contentHash => mapping(address vetter => Approval)) private _approvals;
    mapping(bytes32 digest => bool) private _used;

    /// @param framework_ The trust framework that certifies authors and vetters.
    /// @param council_ The council of that framework.
    /// @param requiredApprovals_ At least 2.
    constructor(
        ITrustFramework framework_,
        address council_,
        uint256 requiredApprovals_
    ) CouncilGoverned(council_) EIP712("AlgorithmRegistry", "1") {
        if (framework_.council() != council_) {
            revert FrameworkOfAnotherCouncil(address(framework_), framework_.council());
        }
        if (requiredApprovals_ < 2 || requiredApprovals_ > MAX_APPROVALS) {
            revert InvalidRequiredApprovals(requiredApprovals_);
        }
        framework = framework_;
        requiredApprovals = requiredApprovals_;
    }

    /// @inheritdoc IAlgorithmRegistry
    function publish(bytes32 contentHash, string calldata uri, bytes32 kind, bytes32 dataClass) external {
        Algorithm storage algorithm = _algorithms[contentHash];
        if (algorithm.author != address(0)) revert AlreadyPublished(contentHash, algorithm.author);
        if (!framework.isCertifiedInAnyRole(msg.sender)) revert UncertifiedAuthor(msg.sender);
        if (contentHash == 0 || kind == 0 || dataClass == 0 || bytes(uri).length > MAX_URI_BYTES) {
            revert InvalidAlgorithm(contentHash);
        }
        algorithm.contentHash = contentHash;
        algorithm.author = msg.sender;
        algorithm.authorGroup = framework.controlGroupOf(msg.sender);
        algorithm.kind = kind;
        algorithm.dataClass = dataClass;
        algorithm.publishedBlock = BlockHistory.current();
        algorithm.uri = uri;
        _hashes.push(contentHash);
        emit AlgorithmPublished(contentHash, msg.sender, dataClass, kind, uri);
    }

    /// @inheritdoc IAlgorithmRegistry
    function approve(
        bytes32 contentHash,
        address vetter,
        uint48 expires,
        bytes32 reviewHash,
        bytes calldata signature
    ) external {
        _requireRunning(contentHash);
        _requireIndependentVetter(_algorithms[contentHash], vetter);
        if (expires <= block.timestamp) revert ApprovalExpired(expires);
        _useSignature(approvalDigest(contentHash, vetter, expires, reviewHash), vetter, signature);
        Approval storage approval = _approvals[contentHash][vetter];
        if (approval.withdrawn && msg.sender != vetter) revert WithdrawnVetterMustSubmit(contentHash, vetter);
        if (approval.approvedBlock == 0) _takePlace(contentHash, vetter);
        approval.withdrawn = false;
        approval.approvedBlock = BlockHistory.current();
        approval.reviewHash = reviewHash;
        approval.expires.push(BlockHistory.current(), expires);
        emit AlgorithmApproved(contentHash, vetter, expires, reviewHash);
    }

    /// @inheritdoc IAlgorithmRegistry
    function withdrawApproval(bytes32 contentHash) external {
        if (_algorithms[contentHash].author == address(0)) revert UnknownAlgorithm(contentHash);
        Approval storage approval = _approvals[contentHash][msg.sender];
        if (approval.withdrawn) revert AlreadyWithdrawn(contentHash, msg.sender);
        approval.withdrawn = true;
        approval.expires.push(BlockHistory.current(), 0);
        emit ApprovalWithdrawn(contentHash, msg.sender);
    }

    /// @inheritdoc IAlgorithmRegistry
    function revoke(bytes32 contentHash, bytes32 reason) external {
        _requireRunning(contentHash);
        Algorithm storage algorithm = _algorithms[contentHash];
        if (msg.sender != algorithm.author && msg.sender != council) revert NotRevoker(msg.sender);
        algorithm.revokedBlock = BlockHistory.current();
        algorithm.revocationReason = reason;
        emit AlgorithmRevoked(contentHash, msg.sender, reason);
    }

    /// @inheritdoc IAlgorithmRegistry
    function statusOf(bytes32 contentHash) external view returns (Status) {
        return _status(contentHash, NOW, uint48(block.timestamp));
    }

    /// @inheritdoc IAlgorithmRegistry
    function statusAt(
        bytes32 contentHash,
        uint48 blockNumber,
        uint48 timestamp
    ) external view returns (Status) {
        BlockHistory.requireMined(blockNumber);
        return _status(contentHash, blockNumber, timestamp);
    }

    /// @inheritdoc IAlgorithmRegistry
    function algorithmOf(bytes32 contentHash) external view returns (Algorithm memory) {
        return _algorithms[contentHash];
    }

    /// @inheritdoc IAlgorithmRegistry
    function algorithmCount() external view returns (uint256) {
        return _hashes.length;
    }

    /// @inheritdoc IAlgorithmRegistry
    function algorithmAt(uint256 index) external view returns (bytes32) {
        return _hashes[index];
    }

    /// @inheritdoc IAlgorithmRegistry
    function approvalsOf(bytes32 contentHash) external view returns (ApprovalView[] memory views) {
        address[] storage vetters = _vetters[contentHash];
        views = new ApprovalView[](vetters.length);
        for (uint256 i = 0; i < vetters.length; ++i) {
            Approval storage approval = _approvals[contentHash][vetters[i]];
            views[i].vetter = vetters[i];
            views[i].controlGroup = framework.controlGroupOf(vetters[i]);
            views[i].approvedBlock = approval.approvedBlock;
            views[i].expires = uint48(approval.expires.latest());
            views[i].reviewHash = approval.reviewHash;
            views[i].withdrawn = approval.withdrawn;
            views[i].counts = _counts(contentHash, vetters[i], NOW, uint48(block.timestamp)) != 0;
        }
    }

    /// @inheritdoc IAlgorithmRegistry
    function approvalDigest(
        bytes32 contentHash,
        address vetter,
        uint48 expires,
        bytes32 reviewHash
    ) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(APPROVAL_TYPEHASH, contentHash, vetter, expires, reviewHash)));
    }

    /// @dev The rule behind every status, past and present.
    function _status(bytes32 contentHash, uint48 blockNumber, uint48 timestamp) private view returns (Status) {
        Algorithm storage algorithm = _algorithms[contentHash];
        if (algorithm.author == address(0) || algorithm.publishedBlock > blockNumber) return Status.None;
        if (algorithm.revokedBlock != 0 && algorithm.revokedBlock <= blockNumber) return Status.Revoked;
        address[] storage vetters = _vetters[contentHash];
        uint256 approvals = 0;
        uint256 groups = 0;
        bytes32[] memory seen = new bytes32[](MIN_CONTROL_GROUPS);
        for (uint256 i = 0; i < vetters.length; ++i) {
            bytes32 group = _counts(contentHash, vetters[i], blockNumber, timestamp);
            if (group == 0) continue;
            ++approvals;
            if (groups < MIN_CONTROL_GROUPS && (groups == 0 || seen[0] != group)) seen[groups++] = group;
            if (approvals >= requiredApprovals && groups == MIN_CONTROL_GROUPS) return Status.Approved;
        }
        return Status.Published;
    }

    /// @dev The control group in whose name the vetter's approval counts, zero if it does not count.
    function _counts(
        bytes32 contentHash,
        address vetter,
        uint48 blockNumber,
        uint48 timestamp
    ) private view returns (bytes32 group) {
        if (_approvals[contentHash][vetter].expires.upperLookupRecent(blockNumber) <= timestamp) return 0;
        Algorithm storage algorithm = _algorithms[contentHash];
        if (!_isCertified(vetter, algorithm.dataClass, blockNumber, timestamp)) return 0;
        group = _groupAt(vetter, blockNumber);
        if (group == algorithm.authorGroup || group == _groupAt(algorithm.author, blockNumber)) return 0;
    }

    /// @dev Certified as a vetter for the class, now or then.
    function _isCertified(
        address vetter,
        bytes32 dataClass,
        uint48 blockNumber,
        uint48 timestamp
    ) private view returns (bool) {
        if (blockNumber == NOW) return framework.isCertifiedForClass(vetter, TrustRoles.VETTER, dataClass);
        return framework.isCertifiedForClassAt(vetter, TrustRoles.VETTER, dataClass, blockNumber, timestamp);
    }

    /// @dev Control group, now or then.
    function _groupAt(address member, uint48 blockNumber) private view returns (bytes32) {
        if (blockNumber == NOW) return framework.controlGroupOf(member);
        return framework.controlGroupAt(member, blockNumber);
    }

    /// @dev Published and not revoked.
    function _requireRunning(bytes32 contentHash) private view {
        Algorithm storage algorithm = _algorithms[contentHash];
        if (algorithm.author == address(0)) revert UnknownAlgorithm(contentHash);
        if (algorithm.revokedBlock != 0) revert AlgorithmIsRevoked(contentHash);
    }

    /// @dev Keeps those whose approval could not count from taking a place.
    function _requireIndependentVetter(Algorithm storage algorithm, address vetter) private view {
        if (!_isCertified(vetter, algorithm.dataClass, NOW, 0)) {
            revert UncertifiedVetter(vetter, algorithm.dataClass);
        }
        bytes32 group = framework.controlGroupOf(vetter);
        if (group == algorithm.authorGroup || group == framework.controlGroupOf(algorithm.author)) {
            revert VetterOfAuthorsGroup(vetter, group);
        }
    }

    /// @dev One signed approval is taken once, so that a superseded or withdrawn one never comes back.
    function _useSignature(bytes32 digest, address vetter, bytes calldata signature) private {
        if (_used[digest]) revert ApprovalAlreadyUsed(digest);
        _used[digest] = true;
        if (!SignatureChecker.isValidSignatureNowCalldata(vetter, digest, signature)) {
            revert InvalidApprovalSignature(vetter);
        }
    }

    /// @dev Places are never freed: history needs them. A new version of an algorithm has a new hash and new places.
    function _takePlace(bytes32 contentHash, address vetter) private {
        if (_vetters[contentHash].length == MAX_APPROVALS) revert TooManyApprovals(contentHash, MAX_APPROVALS);
        _vetters[contentHash].push(vetter);
    }
}
